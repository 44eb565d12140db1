//! A GPU backend that answers at once: takes a run, says that it has begun, puts the picture, says that
//! it has succeeded. Speaks the protocol of docs/BACKENDS.md, so that every side that is measured meets
//! the same one; takes no time of its own and draws nothing.

use crate::picture;
use crate::serve::{Server, json};
use anyhow::{Context, bail};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use ryla_engine::port::Clock;
use ryla_engine::signature::sign;
use ryla_engine::system::SystemClock;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a callback that is not taken is sent again, and after which pause.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// How the stub reaches the bucket and the API.
#[async_trait]
pub trait Reach: Send + Sync {
    /// Puts the picture by the presigned request; returns its entity tag.
    async fn put(&self, output: &Output, picture: Bytes) -> anyhow::Result<String>;
    /// Posts a signed callback; returns the status of the reply.
    async fn call_back(
        &self,
        url: &str,
        signature: String,
        body: Bytes,
    ) -> anyhow::Result<StatusCode>;
}

/// Where a picture goes.
#[derive(Clone, Debug, Deserialize)]
pub struct Output {
    slot: u8,
    content_type: String,
    /// The presigned URL.
    pub put_url: String,
    /// The headers that are signed with it.
    pub headers: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Submit {
    run: String,
    outputs: Vec<Output>,
    callback: CallbackAddress,
}

#[derive(Debug, Deserialize)]
struct CallbackAddress {
    url: String,
    key: String,
}

/// What became of a job's run.
type Outcome = Result<(), String>;

enum Job {
    Ended(Outcome),
    AwaitedBy(oneshot::Sender<Outcome>),
}

#[derive(Default)]
struct Shared {
    jobs: Mutex<HashMap<String, Job>>,
    runs: AtomicU64,
    repeats: AtomicU64,
}

/// The running stub.
pub struct Gpu {
    shared: Arc<Shared>,
    server: Server,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").finish_non_exhaustive()
    }
}

impl Gpu {
    /// Starts it on a free port.
    pub async fn start(reach: Arc<dyn Reach>) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let work = Arc::clone(&shared);
        let server = Server::start(move |request| {
            let (shared, reach) = (Arc::clone(&work), Arc::clone(&reach));
            async move { answer(&shared, &reach, &request) }
        })
        .await?;
        Ok(Self { shared, server })
    }

    /// What `MODAL_JOBS_URL` is set to.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns when the last callback of the job's run was taken. Each job can be awaited once.
    pub async fn ended(&self, job: &str) -> anyhow::Result<()> {
        let (sender, receiver) = oneshot::channel();
        let outcome = {
            let mut jobs = self.shared.jobs();
            match jobs.remove(job) {
                Some(Job::Ended(outcome)) => Some(outcome),
                Some(Job::AwaitedBy(_)) => bail!("job {job} is awaited already"),
                None => {
                    jobs.insert(job.to_owned(), Job::AwaitedBy(sender));
                    None
                }
            }
        };
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => receiver.await.context("the GPU stub is gone")?,
        };
        outcome.map_err(anyhow::Error::msg)
    }

    /// Runs begun so far.
    pub fn runs(&self) -> u64 {
        self.shared.runs.load(Ordering::Relaxed)
    }

    /// Callbacks that were not taken at the first try.
    pub fn repeats(&self) -> u64 {
        self.shared.repeats.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, job: &str, outcome: Outcome) {
        let mut jobs = self.jobs();
        if let Some(Job::AwaitedBy(waiting)) = jobs.remove(job) {
            // Nobody listens where the load was cut off.
            let _ = waiting.send(outcome);
        } else {
            jobs.insert(job.to_owned(), Job::Ended(outcome));
        }
    }
}

fn answer(
    shared: &Arc<Shared>,
    reach: &Arc<dyn Reach>,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    if request.method() != Method::POST || request.uri().path() != "/v1/jobs" {
        return json(
            StatusCode::NOT_FOUND,
            &json!({"v": 1, "code": "no_such_route"}),
        );
    }
    let Ok(submit) = serde_json::from_slice::<Submit>(request.body()) else {
        let refusal = json!({"v": 1, "code": "invalid_input"});
        return json(StatusCode::UNPROCESSABLE_ENTITY, &refusal);
    };
    let call = format!("stub-{}", shared.runs.fetch_add(1, Ordering::Relaxed));
    let reply = json!({"v": 1, "run": submit.run, "call_id": call});
    let (shared, reach) = (Arc::clone(shared), Arc::clone(reach));
    tokio::spawn(async move {
        let job = submit.run.split('.').nth(1).unwrap_or_default().to_owned();
        let outcome = work(&shared, reach.as_ref(), &submit, &call).await;
        shared.end(&job, outcome.map_err(|error| format!("{error:#}")));
    });
    json(StatusCode::ACCEPTED, &reply)
}

async fn work(
    shared: &Shared,
    reach: &dyn Reach,
    submit: &Submit,
    call: &str,
) -> anyhow::Result<()> {
    let event = |seq: u32, event: &str, more: Value| {
        let mut callback = json!({
            "v": 1, "event_id": format!("{call}-{seq}"), "seq": seq, "event": event, "call_id": call,
        });
        if let (Some(callback), Value::Object(more)) = (callback.as_object_mut(), more) {
            callback.extend(more);
        }
        Bytes::from(callback.to_string())
    };
    let target = &submit.callback;
    tell(shared, reach, target, event(1, "started", Value::Null)).await?;
    let mut outputs = Vec::new();
    for output in &submit.outputs {
        let picture = picture::jpeg();
        let bytes = picture.len();
        let etag = reach.put(output, picture).await.context("the picture")?;
        outputs.push(json!({
            "slot": output.slot, "etag": etag, "bytes": bytes,
            "width": picture::SIDE, "height": picture::SIDE,
            "content_type": output.content_type, "existed": false,
        }));
    }
    let timings = json!({"queue": 0, "boot": 0, "load": 0, "run": 0, "upload": 0});
    let end = json!({"outputs": outputs, "timings": timings, "gpu": "stub"});
    tell(shared, reach, target, event(2, "succeeded", end)).await
}

async fn tell(
    shared: &Shared,
    reach: &dyn Reach,
    target: &CallbackAddress,
    body: Bytes,
) -> anyhow::Result<()> {
    let key = SecretString::from(target.key.as_str());
    let mut status = StatusCode::OK;
    for try_ in 0..TRIES {
        if try_ > 0 {
            shared.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
        let signature = sign(&key, &body, SystemClock.now());
        status = reach
            .call_back(&target.url, signature, body.clone())
            .await?;
        if status == StatusCode::OK {
            return Ok(());
        }
    }
    bail!("a callback was answered with {status}, {TRIES} times");
}
