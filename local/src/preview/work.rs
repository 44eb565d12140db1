//! One run on one container: started, drawn with progress on the way, put into the bucket, reported.
//! The run's end stands in the ledger before its callback is sent, so that it can be asked for where
//! the callback is lost.

use super::Shared;
use super::draw::{Params, format_of};
use super::ledger::Task;
use super::photos;
use super::report::{Note, Reporter};
use super::upload::{self, Picture};
use ryla_backends::modal::wire::{
    Event, OutputReport, RunResult, RunState, Sealed, Stage, SubmitWork, WorkerError, trace_id,
};
use ryla_domain::failure::Code;
use ryla_domain::report::Timings;
use ryla_domain::time::Ms;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, interval_at, sleep, timeout};

/// How often a run says that it is alive. The protocol asks for 5-10 s; a laptop's progress bar is
/// better off with more.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long the fetch of a long input may take.
const FETCH_LIMIT: Duration = Duration::from_secs(30);

/// The name that the preview GPU reports.
const GPU: &str = "preview";

/// How a run ends.
enum End {
    Succeeded(Vec<OutputReport>),
    Failed(Code),
    Cancelled,
    Expired,
}

/// Carries out a run on a container that took it, until its last callback was delivered or given up; `boot`
/// is what the container's boot took, where this is its first run.
pub(super) async fn carry_out(shared: &Arc<Shared>, task: Arc<Task>, boot: Ms) {
    let clock = Arc::clone(&shared.clock);
    let (mut reporter, delivery) =
        Reporter::new(Arc::clone(&task), shared.http.clone(), clock, shared.fate);
    let cut = shared.cut.clone();
    let delivered = shared.tasks.spawn(async move {
        tokio::select! {
            () = delivery.run() => {}
            () = cut.cancelled() => {}
        }
    });
    // The queue is the whole wait for a container, a boot that was waited for included; the boot is said by
    // the container's first run, also where nobody waited for it.
    let mut timings = Timings {
        queue: ms_since(task.accepted),
        boot: shared.pace.real(boot).0,
        ..Timings::default()
    };
    let end = run(shared, &task, &mut reporter, &mut timings).await;
    let (state, event, result) = match end {
        End::Succeeded(outputs) => (
            RunState::Done,
            Event::Succeeded,
            RunResult {
                outputs,
                ..RunResult::default()
            },
        ),
        End::Failed(code) => (
            RunState::Failed,
            Event::Failed,
            RunResult {
                error: Some(WorkerError {
                    code: Sealed::new(code.name().to_owned()),
                    message: None,
                    retryable: Some(code.meaning().retry),
                }),
                ..RunResult::default()
            },
        ),
        End::Cancelled => (RunState::Cancelled, Event::Cancelled, RunResult::default()),
        End::Expired => (RunState::Expired, Event::Expired, RunResult::default()),
    };
    let result = RunResult {
        timings: Some(timings),
        gpu: Some(GPU.to_owned()),
        ..result
    };
    shared.ledger.end(&task.submit.run, state, result.clone());
    log(
        &task,
        &format!("{event:?}").to_lowercase(),
        ms_since(task.accepted),
    );
    reporter.tell(
        event,
        Note {
            result,
            ..Note::default()
        },
    );
    // As the worker of infra/modal: the container is free when its word was taken, or given up.
    let _ = delivered.await;
}

async fn run(
    shared: &Arc<Shared>,
    task: &Task,
    reporter: &mut Reporter,
    timings: &mut Timings,
) -> End {
    if shared.clock.now() >= task.submit.deadline_at {
        return End::Expired;
    }
    shared.ledger.begin(&task.submit.run);
    log(task, "started", timings.queue);
    reporter.tell(
        Event::Started,
        Note {
            phase: Some(Stage::Run),
            ..Note::default()
        },
    );
    let begun = Instant::now();
    let limit = Duration::from_millis(task.submit.run_limit_ms);
    let pictures = match timeout(limit, draw(shared, task, reporter)).await {
        Ok(Ok(pictures)) => pictures,
        Ok(Err(end)) => return end,
        Err(_) => return End::Failed(Code::Timeout),
    };
    timings.run = ms_since(begun);
    let uploaded = Instant::now();
    let mut outputs = Vec::new();
    for (target, picture) in task.submit.outputs.iter().zip(&pictures) {
        match upload::put(&shared.http, target, picture, reporter).await {
            Some(output) => outputs.push(output),
            None => return End::Failed(Code::Internal),
        }
    }
    timings.upload = ms_since(uploaded);
    End::Succeeded(outputs)
}

/// Draws every picture of the run, in no less time than a run is set to take.
async fn draw(
    shared: &Arc<Shared>,
    task: &Task,
    reporter: &mut Reporter,
) -> Result<Vec<Picture>, End> {
    let run = shared.pace.real(shared.options.run).duration();
    if shared.fate.fails(&task.submit.run) {
        // Halfway, so that a failing run costs time as well.
        return tokio::select! {
            () = sleep(run / 2) => Err(End::Failed(Code::GpuError)),
            () = task.stop.cancelled() => Err(End::Cancelled),
        };
    }
    let begun = Instant::now();
    let drawn = async { tokio::join!(pictures(shared, task), sleep(run)).0 };
    let mut drawn = pin!(drawn);
    let mut heartbeat = interval_at(begun + HEARTBEAT, HEARTBEAT);
    loop {
        tokio::select! {
            pictures = drawn.as_mut() => return pictures.map_err(End::Failed),
            () = task.stop.cancelled() => return Err(End::Cancelled),
            _ = heartbeat.tick() => reporter.tell(Event::Progress, Note {
                progress: Some(percent(begun.elapsed(), run)),
                phase: Some(Stage::Run),
                ..Note::default()
            }),
        }
    }
}

async fn pictures(shared: &Arc<Shared>, task: &Task) -> Result<Vec<Picture>, Code> {
    let fetched;
    let params = match &task.submit.work {
        SubmitWork::Params(params) => params.expose(),
        SubmitWork::InputUrl(url) => {
            fetched = fetch(shared, url.expose()).await?;
            &fetched
        }
    };
    let photos = photos::of(shared, &task.submit, params).await?;
    let params = Params::read(&task.submit.workflow, params).map_err(|_| Code::InvalidInput)?;
    let mut pictures = Vec::new();
    for target in &task.submit.outputs {
        let format = format_of(&target.content_type).ok_or(Code::InvalidInput)?;
        let (params, photos, slot) = (params.clone(), photos.clone(), target.slot);
        // More drawings at once than cores would only make each of them slower.
        let _core = shared.cores.acquire().await.map_err(|_| Code::GpuError)?;
        let drawing = tokio::task::spawn_blocking(move || params.draw(&photos, slot, format));
        let drawn = match drawing.await {
            Ok(Ok(drawn)) => drawn,
            Ok(Err(_)) => return Err(Code::InvalidInput),
            Err(_) => return Err(Code::GpuError),
        };
        pictures.push(Picture {
            bytes: drawn.bytes.into(),
            width: drawn.width,
            height: drawn.height,
        });
    }
    Ok(pictures)
}

async fn fetch(shared: &Shared, url: &str) -> Result<serde_json::Value, Code> {
    let fetched = async {
        let response = shared.http.get(url).timeout(FETCH_LIMIT).send().await?;
        response.error_for_status()?.json().await
    };
    let fetched: Result<_, reqwest::Error> = fetched.await;
    fetched.map_err(|_| Code::GpuError)
}

/// Never 100: that is for the end itself to say.
fn percent(elapsed: Duration, whole: Duration) -> u8 {
    let percent = elapsed.as_millis() * 100 / whole.as_millis().max(1);
    u8::try_from(percent.min(99)).unwrap_or(99)
}

fn ms_since(instant: Instant) -> u64 {
    u64::try_from(instant.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn log(task: &Task, to: &str, ms: u64) {
    let trace = trace_id(&task.submit.traceparent);
    let trace_id = trace.as_ref().map(ryla_domain::id::TraceId::as_str);
    tracing::info!(
        event = "gpu",
        trace_id,
        run = %task.submit.run,
        backend = GPU,
        call = %task.call,
        to,
        ms,
        "preview run"
    );
}
