//! One JSON line per state change, port failure and rejected request (docs/LOGGING.md). The fields
//! have the same names everywhere; prompts, keys and signed URLs are types that cannot be printed.

use ryla_domain::job::Job;
use ryla_domain::state::{Phase, State};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Our crates: what the set level is for.
const OURS: [&str; 9] = [
    "ryla",
    "ryla_api",
    "ryla_aws",
    "ryla_backends",
    "ryla_dispatch",
    "ryla_engine",
    "ryla_local",
    "ryla_sweep",
    "ryla_warm",
];

/// Starts logging to standard output (Lambda's log) at that level; a second call changes nothing.
pub fn to_stdout(level: &str) {
    start(level, std::io::stdout);
}

/// Starts logging to standard error, for a command that prints to standard output itself.
pub fn to_stderr(level: &str) {
    start(level, std::io::stderr);
}

fn start<W>(level: &str, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Fails only where a subscriber is installed already, as in tests.
    let _ = tracing::subscriber::set_global_default(lines(level, writer));
}

/// The log itself, at that level of ours: what `to_stdout` and `to_stderr` install, and what a test
/// reads.
pub fn lines<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(writer)
        .finish()
        .with(targets(level))
}

/// Who is heard from which level on: our crates from `level`, libraries from `warn`, and from `info`
/// where details of ours are asked for. Below that they print URLs and headers; the embedded S3 (`s3s`)
/// does so at `info` already. A plain list: the filter that reads `RUST_LOG` brings a regular-expression
/// engine, which every cold start would pay for.
pub fn targets(level: &str) -> Targets {
    let ours = level.parse().unwrap_or(LevelFilter::INFO);
    let libraries = match ours {
        LevelFilter::DEBUG | LevelFilter::TRACE => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    Targets::new()
        .with_default(libraries)
        .with_targets(["s3s", "s3s_fs"].map(|name| (name, LevelFilter::WARN)))
        .with_targets(OURS.map(|name| (name, ours)))
}

/// A job is in another state than before; `seen` is the state that it left.
pub fn moved(seen: Phase, job: &Job) {
    let (code, reason) = match &job.state {
        State::Failed { code, .. } => (Some(code.name()), None),
        State::Canceled { reason, .. } => (None, Some(reason.name())),
        _ => (None, None),
    };
    tracing::info!(
        event = "state",
        trace_id = %job.trace,
        run = %job.run(),
        backend = %job.backend,
        from = seen.name(),
        to = job.state.phase().name(),
        code,
        reason,
        "state changed"
    );
}

/// A port failed; what the log needs to know and no caller.
pub fn port_failed(call: &'static str, run: &str, trace_id: &str, error: &dyn std::error::Error) {
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::warn!(
        event = "port",
        call,
        run,
        trace_id,
        error = causes,
        "port failed"
    );
}
