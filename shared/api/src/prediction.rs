//! A job as clients see it: the prediction object of Replicate's API. What has no place there is in
//! `metrics`, which every client keeps.

use jiff::Timestamp;
use ryla_domain::failure::Code;
use ryla_domain::job::{DeadlineBy, Job};
use ryla_domain::model::{self, OutputKind};
use ryla_domain::report::{Likeness, Timings};
use ryla_domain::state::{Phase, State};
use ryla_domain::time::{Ms, UnixMs};
use serde_json::{Map, Value, json};

/// Where the links of a prediction lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    /// The API, without `/v1`.
    pub(crate) api: &'a str,
    /// Where outputs are served.
    pub(crate) outputs: &'a str,
}

/// In answer to what the prediction is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// To the request that created it: unfinished, it always says `starting` and shows no output,
    /// since with anything else the clients take it for finished.
    Created,
    /// To a request that reads it.
    Read,
}

/// The status of the public API.
pub(crate) const fn status(phase: Phase, shown: Shown) -> &'static str {
    match (phase, shown) {
        (Phase::Succeeded, _) => "succeeded",
        (Phase::Failed, _) => "failed",
        (Phase::Canceled, _) => "canceled",
        (Phase::Accepted | Phase::Dispatching, _) | (_, Shown::Created) => "starting",
        (Phase::Running | Phase::Canceling, Shown::Read) => "processing",
    }
}

/// A point in time in ISO 8601, to the millisecond.
pub(crate) fn iso(time: UnixMs) -> String {
    Timestamp::from_millisecond(time.0)
        .map(|time| format!("{time:.3}"))
        .unwrap_or_default()
}

/// The prediction object.
pub(crate) fn render(job: &Job, input: Option<Value>, links: Links<'_>, shown: Shown) -> Value {
    let id = &job.key.id;
    let url = format!("{}/v1/predictions/{id}", links.api);
    let ended = job.state.ended();
    let error = match &job.state {
        State::Failed { code, .. } => Some(code.meaning().sentence),
        _ => None,
    };
    let model = model::find("ryla", &job.model);
    let deadline = (job.deadline.by == DeadlineBy::Caller).then(|| iso(job.deadline.at));
    json!({
        "id": id,
        "model": format!("ryla/{}", job.model),
        "version": model.map_or_else(|| "hidden".to_owned(), model::Model::version_id),
        "status": status(job.state.phase(), shown),
        "input": input.unwrap_or_else(|| json!({})),
        "output": output(job, links.outputs),
        "error": error,
        "logs": logs(job),
        "metrics": metrics(job),
        "urls": {
            "get": url,
            "cancel": format!("{url}/cancel"),
            "web": url,
        },
        "created_at": iso(job.created_at),
        "started_at": job.state.started_at().map(iso),
        "completed_at": ended.map(|ended| iso(ended.completed_at)),
        "data_removed": job.data_removed,
        "source": "api",
        "deadline": deadline,
        "retry_of": job.retry_of,
    })
}

fn output(job: &Job, base: &str) -> Value {
    let State::Succeeded { outputs, .. } = &job.state else {
        return Value::Null;
    };
    if job.data_removed {
        return Value::Null;
    }
    let urls: Vec<Value> = outputs
        .iter()
        .map(|output| format!("{base}/{}", job.output_key(output.slot)).into())
        .collect();
    let single = model::find("ryla", &job.model).is_none_or(|m| m.output == OutputKind::Single);
    match urls.first() {
        Some(first) if single => first.clone(),
        _ => Value::Array(urls),
    }
}

/// One line shaped like a tqdm bar: the official clients read `prediction.progress` from it.
fn logs(job: &Job) -> String {
    match progress(job) {
        Some(percent) => {
            let filled = usize::from(percent / 10);
            let bar = format!("{}{}", "#".repeat(filled), " ".repeat(10 - filled));
            format!("{percent:>3}%|{bar}| {percent}/100\n")
        }
        None => String::new(),
    }
}

fn progress(job: &Job) -> Option<u8> {
    match &job.state {
        State::Running(s) => s.progress.map(|percent| percent.min(100)),
        State::Succeeded { .. } => Some(100),
        _ => None,
    }
}

fn metrics(job: &Job) -> Value {
    let ended = job.state.ended();
    let timings = ended.and_then(|ended| ended.report.timings);
    let since_accepted = |time: UnixMs| time.since(job.created_at).0;
    let mut metrics = Map::new();
    let mut put = |name: &str, value: Value| metrics.insert(name.to_owned(), value);
    put("phase", job.state.phase().name().into());
    put("provider", job.backend.as_str().into());
    put("attempts", attempts(job).into());
    put("trace_id", job.trace.as_str().into());
    put("progress", json!(progress(job)));
    put(
        "cost_usd",
        json!(ended.and_then(|ended| ended.cost_usd_micros).map(dollars)),
    );
    put(
        "timeline",
        json!({
            "accepted_ms": 0,
            "dispatched_ms": job.state.dispatched_at().map(since_accepted),
            "running_ms": job.state.started_at().map(since_accepted),
            "done_ms": ended.map(|ended| since_accepted(ended.completed_at)),
        }),
    );
    if let Some(ended) = ended {
        let total = ended.completed_at.since(job.created_at);
        put("total_time", json!(total.as_seconds()));
        put("predict_time", json!(predict_time(job, timings)));
        put("gpu", json!(ended.report.gpu));
    }
    if let Some(timings) = timings {
        put(
            "cold_start_seconds",
            json!(Ms(timings.cold_ms()).as_seconds()),
        );
        put("boot_seconds", json!(Ms(timings.boot).as_seconds()));
        put("queue_seconds", json!(Ms(timings.queue).as_seconds()));
        put("gpu_seconds", json!(Ms(timings.billed_ms()).as_seconds()));
    }
    if let Some(likeness) = likeness(job) {
        put("likeness", likeness);
    }
    match &job.state {
        State::Failed { code, .. } => put("error_code", Code::name(*code).into()),
        State::Canceled { reason, .. } => put("cancel_reason", reason.name().into()),
        _ => None,
    };
    Value::Object(metrics)
}

/// How alike the face of each picture is, in slot order; `None` where the worker measured none.
fn likeness(job: &Job) -> Option<Value> {
    let State::Succeeded { ended, outputs } = &job.state else {
        return None;
    };
    let share = |slot| ended.report.likeness_of(slot).map(Likeness::share);
    let shares: Vec<Option<f64>> = outputs.iter().map(|output| share(output.slot)).collect();
    shares.iter().any(Option::is_some).then(|| json!(shares))
}

/// Seconds of the run itself, as the worker measured them, else from our own notes.
fn predict_time(job: &Job, timings: Option<Timings>) -> Option<f64> {
    let measured = timings.map(|timings| Ms(timings.run));
    let noted = || {
        let ended = job.state.ended()?;
        Some(ended.completed_at.since(job.state.started_at()?))
    };
    measured.or_else(noted).map(Ms::as_seconds)
}

/// Attempts begun so far.
fn attempts(job: &Job) -> u8 {
    let number = job.state.attempt().number();
    match job.state.dispatched_at() {
        Some(_) => number,
        None => number - 1,
    }
}

/// Micro-dollars as dollars, for display: sums are made in micro-dollars.
#[expect(
    clippy::cast_precision_loss,
    reason = "a job's cost is far below 2^53 micro-dollars"
)]
fn dollars(usd_micros: u64) -> f64 {
    usd_micros as f64 / 1e6
}
