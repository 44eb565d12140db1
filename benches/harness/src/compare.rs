//! Two sides, measured in turn, round after round, in worlds that are new each time.

use crate::fleet::{Fleet, Side};
use crate::gateway::{self, Call};
use crate::load::{Load, Run, Until, id_of, shows_a_result};
use crate::sqs;
use crate::stats::percentile;
use crate::world::{API_KEY, Asked, FUNCTIONS, World};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rounds; each measures both sides.
    pub rounds: usize,
    /// Jobs one after the other, for the times.
    pub jobs: usize,
    /// How long as many jobs as possible are made, for the throughput.
    pub saturation: Duration,
    /// Jobs at once meanwhile.
    pub concurrency: usize,
    /// Starts of each function.
    pub starts: usize,
    /// Processes of each function.
    pub processes: usize,
}

/// Jobs before anything is measured: caches are filled, connections are open.
const WARM_UP_JOBS: usize = 40;

/// One side in one round.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Submit to visible result, one job at a time, in ms.
    pub ms: Vec<f64>,
    /// Process start to first reply, by function, in ms.
    pub starts: BTreeMap<&'static str, Vec<f64>>,
    /// At saturation.
    pub jobs_per_s: f64,
    /// CPU time of all functions for a job, at saturation.
    pub cpu_ms_per_job: f64,
    /// The most memory of a process, by function.
    pub peaks_mib: BTreeMap<&'static str, f64>,
    /// Jobs in [`Self::asked`].
    pub jobs: usize,
    /// What they asked of the services.
    pub asked: Asked,
}

impl Measured {
    /// That share of the jobs is at most so slow.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.ms, share)
    }

    /// Starts of all functions.
    pub fn all_starts(&self) -> Vec<f64> {
        self.starts.values().flatten().copied().collect()
    }

    /// The largest process.
    pub fn peak_mib(&self) -> f64 {
        self.peaks_mib.values().copied().fold(0.0, f64::max)
    }
}

/// Measures all sides, in turn; the side that is first in one round is last in the next.
pub async fn run(
    plan: &Plan,
    sides: &[Side],
    mut progress: impl FnMut(usize, &Side, &Measured),
) -> anyhow::Result<Vec<Vec<Measured>>> {
    let mut rounds = Vec::new();
    for round in 0..plan.rounds {
        let mut measured = vec![Measured::default(); sides.len()];
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for place in order {
            let (Some(side), Some(slot)) = (sides.get(place), measured.get_mut(place)) else {
                continue;
            };
            let one = Box::pin(measure(plan, side)).await;
            *slot = one.with_context(|| format!("measuring {}", side.name))?;
            progress(round, side, slot);
        }
        rounds.push(measured);
    }
    Ok(rounds)
}

/// Measures one side once.
pub async fn measure(plan: &Plan, side: &Side) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    measure_starts(plan, side, &mut measured).await?;
    let world = World::start().await?;
    let mut fleet = Fleet::default();
    for function in FUNCTIONS {
        for _ in 0..plan.processes {
            fleet.add(
                function,
                side.spawn(function, world.environment(function)?)?,
            );
        }
    }
    let _source = world.feed(plan.processes)?;
    let load = Load::new(&world, world.gpu(), API_KEY);
    load.run(Until::Jobs(WARM_UP_JOBS), 2 * plan.processes)
        .await?;
    let before = world.asked();
    let Run { ms, .. } = load.run(Until::Jobs(plan.jobs), 1).await?;
    measured.asked = world.asked().since(&before);
    measured.jobs = plan.jobs;
    measured.ms = ms;
    let cpu_before = fleet.cpu_ms()?;
    let run = load
        .run(Until::Time(plan.saturation), plan.concurrency)
        .await?;
    measured.jobs_per_s = run.jobs_per_s();
    #[expect(clippy::cast_precision_loss, reason = "thousands of jobs")]
    let jobs = run.ms.len() as f64;
    measured.cpu_ms_per_job = (fleet.cpu_ms()? - cpu_before) / jobs;
    measured.peaks_mib = fleet.peaks_mib()?;
    let all = WARM_UP_JOBS + plan.jobs + run.ms.len();
    judge(&world, &load, all)?;
    Ok(measured)
}

/// A side that cuts corners is not measured: every job has run once, has ended, and is due no more.
fn judge(world: &World, load: &Load<'_>, jobs: usize) -> anyhow::Result<()> {
    let rows = world.jobs();
    ensure!(rows.len() == jobs, "{} rows of {jobs} jobs", rows.len());
    let succeeded = json!({"S": "succeeded"});
    for row in &rows {
        ensure!(row.get("phase") == Some(&succeeded), "not ended: {row:?}");
        ensure!(!row.contains_key("due"), "ended and still due: {row:?}");
        ensure!(row.contains_key("gsk"), "in no list: {row:?}");
    }
    let (runs, repeats) = (world.gpu().runs(), world.gpu().repeats());
    ensure!(runs == jobs as u64, "{runs} runs of {jobs} jobs");
    ensure!(repeats == 0, "{repeats} callbacks were not taken at once");
    ensure!(world.sqs().failed() == 0, "messages were not carried out");
    ensure!(load.late() == 0, "results were shown late");
    Ok(())
}

/// One job for each sample, each of its functions in a process of its own that is started for it.
async fn measure_starts(plan: &Plan, side: &Side, measured: &mut Measured) -> anyhow::Result<()> {
    let (world, mut callbacks) = World::capturing().await?;
    let load = Load::new(&world, world.gpu(), API_KEY);
    for _ in 0..plan.starts {
        let sample = start_each(side, &world, &load, &mut callbacks).await?;
        for (function, ms) in FUNCTIONS.into_iter().zip(sample) {
            measured.starts.entry(function).or_default().push(ms);
        }
    }
    Ok(())
}

async fn start_each(
    side: &Side,
    world: &World,
    load: &Load<'_>,
    callbacks: &mut UnboundedReceiver<Call>,
) -> anyhow::Result<[f64; 4]> {
    let start = |function, event| first_reply(side, world, function, event);
    let (submit, made) = start("submit", gateway::event(&load.create())).await?;
    let id = id_of(&gateway::answer(&made)?)?;
    let message = world.sqs().next().await.context("no message was sent")?;
    let (dispatch, done) = start("dispatch", sqs::event(&[message])).await?;
    let done: serde_json::Value = serde_json::from_slice(&done)?;
    let failures = done.get("batchItemFailures").and_then(|f| f.as_array());
    ensure!(failures.is_none_or(Vec::is_empty), "dispatch left {done}");
    let started = callbacks.recv().await.context("no callback")?;
    let (callback, taken) = start("callback", gateway::event(&started)).await?;
    let taken = gateway::answer(&taken)?.json(StatusCode::OK)?;
    ensure!(
        taken.get("ignored").is_none(),
        "callback was ignored: {taken}"
    );
    let (status, shown) = start("status", gateway::event(&load.read(&id))).await?;
    let ended = shows_a_result(&gateway::answer(&shown)?)?;
    ensure!(!ended, "a job that only began has a result");
    // The end of this job's run is nobody's business here.
    world.gpu().ended(&id).await?;
    while callbacks.try_recv().is_ok() {}
    Ok([submit, dispatch, callback, status])
}

/// From before the process is made to after its first reply, in ms. The event waits already.
async fn first_reply(
    side: &Side,
    world: &World,
    function: &str,
    event: Bytes,
) -> anyhow::Result<(f64, Bytes)> {
    let environment = world.environment(function)?;
    let begun = Instant::now();
    let process = side.spawn(function, environment)?;
    let reply = world.function(function)?.invoke(event).await?;
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    drop(process);
    Ok((ms, reply))
}
