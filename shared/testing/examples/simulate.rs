//! Plays seeds of the simulation: `--seed N` one with its trace, `--seeds N [--from M]` many with a
//! report. Status 1 where a promise was broken or a kind of fault never hit. `tests/soak` calls it.

use ryla_testing::simulation::seeded::{replay, simulate};
use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "usage: simulate --seed N | --seeds N [--from M]";

fn number(arguments: &[String], name: &str) -> Option<u64> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)?.parse().ok()
}

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut out = std::io::stdout().lock();
    if let Some(seed) = number(&arguments, "--seed") {
        return match replay(seed) {
            Ok(ending) => {
                writeln!(
                    out,
                    "scenario {:?}, {:?}",
                    ending.scenario.name, ending.weather
                )?;
                for line in &ending.trace {
                    writeln!(out, "    {line}")?;
                }
                writeln!(out, "seed {seed} keeps every promise")?;
                Ok(ExitCode::SUCCESS)
            }
            Err(failure) => {
                write!(out, "{failure}")?;
                Ok(ExitCode::FAILURE)
            }
        };
    }
    let Some(seeds) = number(&arguments, "--seeds") else {
        writeln!(out, "{USAGE}")?;
        return Ok(ExitCode::FAILURE);
    };
    let from = number(&arguments, "--from").unwrap_or(0);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    match simulate(&(from..from + seeds), threads) {
        Ok(report) => {
            write!(out, "{report}")?;
            let missing = report.missing();
            if missing.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            writeln!(out, "never hit: {}", missing.join(", "))?;
        }
        Err(failure) => write!(out, "{failure}")?,
    }
    Ok(ExitCode::FAILURE)
}
