//! The system on ports in memory, and ports that misbehave in one way each.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use ryla_domain::id::{AccountId, BackendId, ClaimId, JobKey, TraceId};
use ryla_domain::job::{Job, RequestHash};
use ryla_domain::model;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::message::{Do, Message};
use ryla_engine::port::{
    Backend, Backends, Clock, Consistency, Created, DueEntry, DueMove, DuePage, JobPage, JobStore,
    ListRange, Queue, QueueError, Shard, StoreError, Write, Written,
};
use ryla_engine::settings::Settings;
use ryla_engine::submit::{Identity, Request};
use ryla_engine::sweep::{Scope, Sweep, Tally};
use ryla_engine::wiring::Ports;
use ryla_testing::backend::{Course, FakeBackend, a_jpeg};
use ryla_testing::sample::CREATED_AT;
use ryla_testing::{
    ManualClock, MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore,
    MemoryQueue, SeededEntropy,
};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// That many seconds after sample jobs are created.
pub(crate) fn at(seconds: u64) -> UnixMs {
    CREATED_AT + Ms::seconds(seconds)
}

/// The system, with the backends `preview` (named by the run) and `pod` (named by a handle).
pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) jobs: Arc<MemoryJobStore>,
    pub(crate) images: Arc<MemoryImageStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) endpoints: Arc<MemoryEndpointStore>,
    pub(crate) preview: Arc<FakeBackend>,
    pub(crate) pod: Arc<FakeBackend>,
    pub(crate) settings: Settings,
    entropy: Arc<SeededEntropy>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(CREATED_AT));
        let shared = || Arc::clone(&clock) as Arc<dyn Clock>;
        let images = Arc::new(MemoryImageStore::new(shared()));
        let backend = |name: &str, capabilities| {
            let id: BackendId = name.parse().unwrap();
            let images = Arc::clone(&images);
            Arc::new(FakeBackend::new(
                id,
                capabilities,
                Course::USUAL,
                shared(),
                images,
            ))
        };
        let secret = (
            "MASTER_SECRETS".to_owned(),
            format!("k1:{}", "x".repeat(32)),
        );
        let url = ("PUBLIC_URL".to_owned(), "https://api.example".to_owned());
        Self {
            jobs: Arc::new(MemoryJobStore::default()),
            queue: Arc::new(MemoryQueue::new(shared())),
            endpoints: Arc::default(),
            preview: backend("preview", FakeBackend::BY_NAME),
            pod: backend("pod", FakeBackend::BY_HANDLE),
            settings: Settings::from_vars([secret, url]).unwrap(),
            entropy: Arc::new(SeededEntropy::new(1)),
            images,
            clock,
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            jobs: Arc::clone(&self.jobs) as Arc<dyn JobStore>,
            accounts: Arc::new(MemoryAccountStore::default()),
            endpoints: Arc::clone(&self.endpoints) as _,
            images: Arc::clone(&self.images) as _,
            queue: Arc::clone(&self.queue) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
        }
    }

    /// Ports whose table has that quirk.
    pub(crate) fn ports_with(&self, quirk: Quirk) -> Ports {
        let jobs = Arc::clone(&self.jobs);
        Ports {
            jobs: Arc::new(Table { jobs, quirk }),
            ..self.ports()
        }
    }

    /// Ports whose table lets somebody else in just before the `nth` write (0 is the first).
    pub(crate) fn ports_before_write(
        &self,
        nth: usize,
        other: impl Future<Output = ()> + Send + 'static,
    ) -> Ports {
        let other = Mutex::new(Some(Box::pin(other) as BoxFuture<'static, ()>));
        self.ports_with(Quirk::Before(AtomicUsize::new(nth), other))
    }

    pub(crate) fn only_preview(&self) -> Backends {
        Backends::new(vec![Arc::clone(&self.preview) as Arc<dyn Backend>])
    }

    pub(crate) fn only_pod(&self) -> Backends {
        Backends::new(vec![Arc::clone(&self.pod) as Arc<dyn Backend>])
    }

    pub(crate) fn both(&self) -> Backends {
        Backends::new(vec![
            Arc::clone(&self.preview) as Arc<dyn Backend>,
            Arc::clone(&self.pod) as Arc<dyn Backend>,
        ])
    }

    pub(crate) fn sweeper(&self, backends: &Backends) -> Sweep {
        let mut sweep = self.ports().sweep(&self.settings, backends);
        sweep.complete.route = backends.route();
        sweep
    }

    /// Sweeps what is due at that second.
    pub(crate) async fn sweep_at(&self, backends: &Backends, seconds: u64) -> Tally {
        self.clock.set(at(seconds));
        self.sweeper(backends).run(Scope::Due).await
    }

    /// Stores a job as it is.
    pub(crate) async fn store(&self, job: Job) -> Job {
        let created = self.jobs.create(&job, job.created_at).await.unwrap();
        assert_eq!(created, Created::New);
        job
    }

    pub(crate) async fn row(&self, key: &JobKey) -> Job {
        let now = self.clock.now();
        let read = self.jobs.read(key, now, Consistency::Strong).await;
        read.unwrap().unwrap()
    }

    /// Lets the job's current worker put a picture where it should.
    pub(crate) fn put_picture(&self, job: &Job) {
        let key = job.output_key(0);
        self.images
            .place(&key, "image/jpeg", a_jpeg("a lighthouse"));
    }

    /// Messages that were sent, with their delays.
    pub(crate) fn sent(&self) -> Vec<(Message, Ms)> {
        let now = self.clock.now();
        let sent = self.queue.sent().into_iter();
        sent.map(|message| {
            let body = serde_json::from_str(&message.body).unwrap();
            (body, message.visible_at.since(now))
        })
        .collect()
    }
}

/// The start message of the job's current run.
pub(crate) fn start_of(job: &Job) -> String {
    Message::new(Do::Start, job.run(), job.trace.clone()).body()
}

pub(crate) fn claim(name: &str) -> ClaimId {
    name.parse().unwrap()
}

pub(crate) fn account() -> AccountId {
    "acme".parse().unwrap()
}

pub(crate) fn prompt(text: &str) -> Map<String, Value> {
    let Value::Object(input) = json!({ "prompt": text }) else {
        panic!("an object")
    };
    input
}

/// A request of account `acme` for that input.
pub(crate) fn request<'a>(
    account: &'a AccountId,
    input: &'a Map<String, Value>,
    identity: Identity,
) -> Request<'a> {
    Request {
        account,
        model: model::find("ryla", "flux-dev").unwrap(),
        input,
        identity,
        hash: RequestHash([1; 32]),
        cancel_after: None,
        trace: TraceId::generated(&[9; 16]),
        retry_of: None,
    }
}

/// A queue that takes nothing.
pub(crate) struct NoQueue;

#[async_trait]
impl Queue for NoQueue {
    async fn send(&self, _: &str, _: Ms) -> Result<(), QueueError> {
        Err(QueueError("down".into()))
    }
}

/// What is wrong with a [`Table`].
pub(crate) enum Quirk {
    /// Every write is carried out twice and answered with the second reply: the first was lost.
    Twice,
    /// It takes no write.
    Down,
    /// It takes writes and moves of due entries, and shows no row.
    NoReads,
    /// Somebody else is faster once: this happens just before that write (0 is the first).
    Before(AtomicUsize, Mutex<Option<BoxFuture<'static, ()>>>),
}

/// The table in memory, with a quirk.
pub(crate) struct Table {
    jobs: Arc<MemoryJobStore>,
    quirk: Quirk,
}

impl Table {
    async fn is_about_to_write(&self) -> Result<(), StoreError> {
        match &self.quirk {
            Quirk::Twice | Quirk::NoReads => Ok(()),
            Quirk::Down => Err(StoreError::Unavailable("down".into())),
            Quirk::Before(writes, other) => {
                let here = writes.fetch_sub(1, Ordering::Relaxed) == 0;
                let other = other.lock().unwrap().take_if(|_| here);
                if let Some(other) = other {
                    other.await;
                }
                Ok(())
            }
        }
    }

    const fn writes_twice(&self) -> bool {
        matches!(self.quirk, Quirk::Twice)
    }
}

#[async_trait]
impl JobStore for Table {
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError> {
        self.is_about_to_write().await?;
        let created = self.jobs.create(job, now).await;
        if self.writes_twice() {
            return self.jobs.create(job, now).await;
        }
        created
    }

    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        consistency: Consistency,
    ) -> Result<Option<Job>, StoreError> {
        if matches!(self.quirk, Quirk::NoReads) {
            return Err(StoreError::Unavailable("no reads".into()));
        }
        self.jobs.read(key, now, consistency).await
    }

    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError> {
        self.is_about_to_write().await?;
        let written = self.jobs.write(write.clone()).await;
        if self.writes_twice() {
            return self.jobs.write(write).await;
        }
        written
    }

    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        self.jobs.list(account, range, now).await
    }

    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        self.jobs.due(shard, until, from).await
    }

    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        self.jobs.reschedule(entry, to).await
    }
}
