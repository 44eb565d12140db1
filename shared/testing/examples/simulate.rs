//! Plays seeds of the simulation: `--seed N` one with its trace, `--seeds N [--from M]` many with a
//! report; `--without Claim.Readable` on a table that forgets that fence of that write. Status 1 where a promise was broken or a
//! kind of fault never hit. `tests/soak` calls it.

use ryla_testing::simulation::fences::{self, Play};
use ryla_testing::simulation::{Ending, seeded};
use std::fmt::Display;
use std::io::Write;
use std::ops::Range;
use std::process::ExitCode;

const USAGE: &str = "usage: simulate --seed N | --seeds N [--from M], each [--without WRITE.FENCE]";

fn after<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}

fn number(arguments: &[String], name: &str) -> Option<u64> {
    after(arguments, name)?.parse().ok()
}

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut out = std::io::stdout().lock();
    let without = match after(&arguments, "--without").map(fences::named) {
        Some(Err(unknown)) => {
            writeln!(out, "{unknown}")?;
            return Ok(ExitCode::FAILURE);
        }
        Some(Ok(guards)) => {
            let [guard] = guards[..] else {
                writeln!(out, "{USAGE}")?;
                return Ok(ExitCode::FAILURE);
            };
            Some(guard)
        }
        None => None,
    };
    let seed = number(&arguments, "--seed");
    let from = number(&arguments, "--from").unwrap_or(0);
    let seeds = number(&arguments, "--seeds").map(|seeds| from..from + seeds);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    match (seed, seeds, without) {
        (Some(seed), _, None) => show(&mut out, &Play::Seed(seed), seeded::replay(seed)),
        (Some(seed), _, Some(fence)) => {
            let play = Play::Seed(seed);
            show(&mut out, &play, play.run(Some(fence)))
        }
        (None, Some(seeds), None) => report(&mut out, &seeds, threads),
        (None, Some(seeds), Some(fence)) => {
            if let Some((play, _)) = fences::killer(fence, &seeds, threads) {
                writeln!(out, "{play}:")?;
                return show(&mut out, &play, play.run(Some(fence)));
            }
            writeln!(
                out,
                "seeds {seeds:?} and all single faults keep every promise without {fence}"
            )?;
            Ok(ExitCode::SUCCESS)
        }
        (None, None, _) => {
            writeln!(out, "{USAGE}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn show(
    out: &mut impl Write,
    what: &Play,
    played: Result<Ending, impl Display>,
) -> std::io::Result<ExitCode> {
    let ending = match played {
        Ok(ending) => ending,
        Err(broken) => {
            write!(out, "{broken}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    writeln!(
        out,
        "scenario {:?}, {:?}",
        ending.scenario.name, ending.weather
    )?;
    for line in &ending.trace {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "{what} keeps every promise")?;
    Ok(ExitCode::SUCCESS)
}

fn report(out: &mut impl Write, seeds: &Range<u64>, threads: u64) -> std::io::Result<ExitCode> {
    match seeded::simulate(seeds, threads) {
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
