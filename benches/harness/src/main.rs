//! `ryla-bench`: runs RYLA's functions and the baseline's in turn on the same stubs and prints the table
//! of docs/PERFORMANCE.md. `benches/run` calls it; any command that speaks the Runtime API may stand in
//! for either side.

use anyhow::Context;
use clap::Parser;
use ryla_bench::compare::{self, Measured, Plan};
use ryla_bench::fleet::Side;
use ryla_bench::report;
use ryla_bench::world::FUNCTIONS;
use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measures two sets of Lambda functions on the same stubs of DynamoDB, S3, SQS and a GPU.
#[derive(Debug, Parser)]
struct Arguments {
    /// Command of RYLA's functions, with absolute paths and {function} for submit, dispatch, callback or status.
    #[arg(long)]
    ours: String,
    /// Command of the other side's functions, with absolute paths.
    #[arg(long)]
    baseline: String,
    /// Folder in which the other side's functions are started.
    #[arg(long, default_value = "/")]
    baseline_code: PathBuf,
    /// Rounds; each measures both sides.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Jobs one after the other in each round and side.
    #[arg(long, default_value_t = 300)]
    jobs: usize,
    /// Seconds at saturation in each round and side.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Jobs at once at saturation.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Starts of each function in each round and side.
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Processes of each function: one for each core.
    #[arg(long, default_value_t = 2)]
    processes: usize,
}

// One thread: where one job is under way, the stubs should not wake each other across cores.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let logs = tempfile::tempdir()?;
    let side = |name, command: &String, code: &Path| Side {
        name,
        command: command.clone(),
        code: code.to_owned(),
        logs: logs.path().to_owned(),
    };
    let sides = [
        side("ours", &arguments.ours, logs.path()),
        side("baseline", &arguments.baseline, &arguments.baseline_code),
    ];
    let plan = Plan {
        rounds: arguments.rounds,
        jobs: arguments.jobs,
        saturation: Duration::from_secs_f64(arguments.seconds),
        concurrency: arguments.concurrency,
        starts: arguments.starts,
        processes: arguments.processes,
    };
    let measured = compare::run(&plan, &sides, progress).await;
    if measured.is_err() {
        show_logs(&sides)?;
    }
    let rounds = measured.context("the comparison was not finished")?;
    write!(stdout(), "{}", report::markdown(&rounds))?;
    Ok(())
}

fn progress(round: usize, side: &Side, measured: &Measured) {
    // Nobody may be looking.
    let _ = writeln!(
        stderr(),
        "round {}, {}: p50 {:.2} ms, p99 {:.2} ms, {:.0} jobs/s, {:.2} ms CPU a job, {:.1} MiB, starts {:.0} ms at most",
        round + 1,
        side.name,
        measured.percentile(0.5),
        measured.percentile(0.99),
        measured.jobs_per_s,
        measured.cpu_ms_per_job,
        measured.peak_mib(),
        measured.all_starts().into_iter().fold(0.0, f64::max),
    );
}

/// The ends of all logs, since the folder goes with this process.
fn show_logs(sides: &[Side]) -> anyhow::Result<()> {
    for side in sides {
        for function in FUNCTIONS {
            let log = std::fs::read_to_string(side.log(function)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines
                .get(lines.len().saturating_sub(10)..)
                .unwrap_or_default();
            for line in last {
                writeln!(stderr(), "{} {function} | {line}", side.name)?;
            }
        }
    }
    Ok(())
}
