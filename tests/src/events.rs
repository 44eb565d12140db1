//! The sample events of `functions/*/events`: what AWS would send is decoded by the types that the
//! Lambdas use, and answered by their own code on ports in memory.

use crate::architecture::root;
use async_trait::async_trait;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use lambda_http::Request;
use lambda_http::http::{HeaderValue, StatusCode};
use ryla_domain::id::{BackendId, Run, TraceId};
use ryla_domain::job::Job;
use ryla_domain::overdue::Answer;
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::message::{Body, Do};
use ryla_engine::port::{
    Account, AccountStore, Backend, Backends, Cancelled, Capabilities, Clock, Consistency, Created,
    JobStore, KeyHash, RunRequest, StartOutcome,
};
use ryla_engine::settings::Settings;
use ryla_engine::signature::sign;
use ryla_engine::sweep::Scope;
use ryla_engine::wiring::Ports;
use ryla_testing::backend::FakeBackend;
use ryla_testing::sample::{a_job, in_phase};
use ryla_testing::{
    ManualClock, MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore,
    MemoryQueue, SeededEntropy,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// When the samples were sent.
const SENT: UnixMs = UnixMs(1_795_381_922_000);
/// The job that the samples speak of.
const JOB: &str = "k3vq7w2m5xjt4hz6cynbdgrfya";
/// The key that stands in the samples.
const KEY: &str = "YOUR_API_KEY";

struct Memory {
    clock: Arc<ManualClock>,
    jobs: Arc<MemoryJobStore>,
    images: Arc<MemoryImageStore>,
    queue: Arc<MemoryQueue>,
    ports: Ports,
    settings: Arc<Settings>,
}

impl Memory {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(SENT));
        let jobs = Arc::new(MemoryJobStore::default());
        let images = Arc::new(MemoryImageStore::new(clock.clone()));
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let accounts = Arc::new(MemoryAccountStore::default());
        let acme = Account {
            id: "acme".parse().unwrap(),
        };
        accounts.add_key(&KeyHash::of(KEY), &acme).await.unwrap();
        let ports = Ports {
            jobs: jobs.clone(),
            accounts,
            endpoints: Arc::new(MemoryEndpointStore::default()),
            images: images.clone(),
            queue: queue.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
        };
        let vars = [
            ("MASTER_SECRETS", "k1:sample-master-secret-for-local-runs"),
            ("MODAL_JOBS_URL", "https://acme--ryla.modal.test"),
            ("PUBLIC_URL", "https://api.test"),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Arc::new(Settings::from_vars(vars).unwrap());
        Self {
            clock,
            jobs,
            images,
            queue,
            ports,
            settings,
        }
    }

    /// The job that the samples speak of, in that phase, as if it had been made lately.
    async fn sample_job(&self, phase: Phase) -> Job {
        let job = a_job()
            .account("acme")
            .id(JOB)
            .created_at(UnixMs(SENT.0 - 30_000))
            .with(|job| job.backend = "modal".parse().unwrap())
            .build();
        let job = in_phase(job, phase);
        let created = self.jobs.create(&job, SENT).await.unwrap();
        assert_eq!(created, Created::New);
        job
    }

    async fn stored(&self) -> Job {
        let key = ryla_testing::sample::key("acme", JOB);
        let read = self
            .jobs
            .read(&key, self.clock.now(), Consistency::Strong)
            .await;
        read.unwrap().unwrap()
    }
}

fn sample(path: &str) -> String {
    std::fs::read_to_string(root().join("functions").join(path)).unwrap()
}

/// The request as Lambda's own library makes it of the event.
fn request(path: &str) -> Request {
    lambda_http::request::from_str(&sample(path)).unwrap()
}

async fn answer(api: &ryla_api::Api, request: Request) -> (StatusCode, Value) {
    let response = ryla_api::lambda::answer(api, request).await;
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status(), body)
}

#[tokio::test]
async fn the_create_sample_makes_a_job_and_sends_the_dispatcher_a_hint() {
    let memory = Memory::new().await;
    let api = ryla_submit::api(memory.ports.clone(), memory.settings.clone());
    let (status, prediction) = answer(&api, request("submit/events/create.json")).await;
    assert_eq!(status, StatusCode::CREATED, "{prediction}");
    assert_eq!(prediction["status"], "starting");
    assert_eq!(prediction["model"], "ryla/flux-dev");
    assert_eq!(prediction["input"]["seed"], 7);
    assert_eq!(
        prediction["metrics"]["trace_id"],
        "6b035aa25d1c2b3a4e5f60718293a4b5"
    );
    let sent = memory.queue.sent();
    let [message] = &sent[..] else {
        panic!("one hint: {sent:?}")
    };
    let Body::Message(message) = Body::read(&message.body) else {
        panic!("{message:?}")
    };
    assert_eq!(message.what, Do::Start);
    assert_eq!(message.run.key.id.as_str(), prediction["id"]);
    // The sample carries an Idempotency-Key: sent again it is the same job.
    let (status, again) = answer(&api, request("submit/events/create.json")).await;
    assert_eq!(
        (status, &again["id"]),
        (StatusCode::CREATED, &prediction["id"])
    );
    assert_eq!(memory.jobs.jobs().len(), 1);
}

#[tokio::test]
async fn the_status_samples_read_a_prediction_and_say_that_the_api_is_up() {
    let memory = Memory::new().await;
    memory.sample_job(Phase::Succeeded).await;
    let api = ryla_status::api(memory.ports.clone(), memory.settings.clone());
    let (status, prediction) = answer(&api, request("status/events/prediction.json")).await;
    assert_eq!(status, StatusCode::OK, "{prediction}");
    assert_eq!(
        (&prediction["id"], &prediction["status"]),
        (&json!(JOB), &json!("succeeded"))
    );
    let (status, _) = answer(&api, request("status/events/health.json")).await;
    assert_eq!(status, StatusCode::OK);
    // Another function's routes are not served here.
    let (status, _) = answer(&api, request("submit/events/create.json")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_callback_sample_is_believed_only_once_the_picture_that_it_names_is_there() {
    let memory = Memory::new().await;
    let job = memory.sample_job(Phase::Running).await;
    let api = ryla_callback::api(memory.ports.clone(), memory.settings.clone());
    let event = || request("callback/events/succeeded.json");

    let (status, problem) = answer(&api, event()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(
        memory.stored().await,
        job,
        "a callback without a picture changes nothing"
    );

    let mut forged = event();
    let header = forged.headers()["x-ryla-signature"]
        .to_str()
        .unwrap()
        .replace('9', "8");
    forged
        .headers_mut()
        .insert("x-ryla-signature", HeaderValue::from_str(&header).unwrap());
    assert_eq!(answer(&api, forged).await.0, StatusCode::UNAUTHORIZED);

    // Only the tag cannot be the sample's: it depends on the picture.
    let mut picture = std::io::Cursor::new(Vec::new());
    let format = image::ImageFormat::Jpeg;
    image::RgbImage::new(64, 48)
        .write_to(&mut picture, format)
        .unwrap();
    memory
        .images
        .place(&job.output_key(0), "image/jpeg", picture.into_inner());
    let mut body: Value = serde_json::from_slice(event().body()).unwrap();
    body["outputs"][0]["etag"] = Value::Null;
    let body = body.to_string();
    let (_, key) = memory.settings.secrets.run_key(&job.run());
    let signature = sign(&key, body.as_bytes(), SENT);
    let (mut parts, _) = event().into_parts();
    parts.headers.insert(
        "x-ryla-signature",
        HeaderValue::from_str(&signature).unwrap(),
    );
    let (status, reply) = answer(&api, Request::from_parts(parts, body.into())).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    assert_eq!(memory.stored().await.state.phase(), Phase::Succeeded);
}

/// Takes every run and remembers it.
struct Taker {
    id: BackendId,
    started: Mutex<Vec<Run>>,
}

impl Taker {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            id: "modal".parse().unwrap(),
            started: Mutex::default(),
        })
    }
}

#[async_trait]
impl Backend for Taker {
    fn id(&self) -> &BackendId {
        &self.id
    }

    fn capabilities(&self) -> Capabilities {
        FakeBackend::BY_NAME
    }

    async fn start(&self, request: &RunRequest) -> StartOutcome {
        self.started.lock().unwrap().push(request.run.clone());
        StartOutcome::Started { call: None }
    }

    async fn check(&self, _: &Run, _: &TraceId) -> Answer {
        Answer::Pending
    }

    async fn cancel(&self, _: &Run, _: &TraceId) -> Cancelled {
        Cancelled::Confirmed
    }
}

#[tokio::test]
async fn the_dispatch_sample_starts_the_run_that_it_names() {
    let memory = Memory::new().await;
    let job = memory.sample_job(Phase::Accepted).await;
    let taker = Taker::new();
    let backends = Backends::new(vec![taker.clone()]);
    let dispatch = memory.ports.dispatch(&memory.settings, &backends);
    let event: SqsEvent = serde_json::from_str(&sample("dispatch/events/start.json")).unwrap();
    let response = ryla_dispatch::handle(&dispatch, "an-invocation", event).await;
    assert!(response.batch_item_failures.is_empty(), "{response:?}");
    assert_eq!(*taker.started.lock().unwrap(), [job.run()]);
    assert_eq!(memory.stored().await.state.phase(), Phase::Dispatching);
}

#[tokio::test]
async fn the_sweep_sample_sends_the_message_of_an_overdue_job_again() {
    let event: EventBridgeEvent = serde_json::from_str(&sample("sweep/events/tick.json")).unwrap();
    assert_eq!(event.source, "aws.scheduler");
    let memory = Memory::new().await;
    let job = memory.sample_job(Phase::Accepted).await;
    let sweep = memory
        .ports
        .sweep(&memory.settings, &Backends::new(vec![Taker::new()]));
    memory.clock.advance(Ms::seconds(600));
    let tally = ryla_sweep::handle(&sweep, Scope::Due).await;
    assert_eq!(
        (tally.leased, tally.resent, tally.failed),
        (1, 1, 0),
        "{tally:?}"
    );
    let sent = memory.queue.sent();
    let [message] = &sent[..] else {
        panic!("one message: {sent:?}")
    };
    assert_eq!(
        message.body,
        ryla_engine::message::Message::new(Do::Start, job.run(), job.trace).body()
    );
}
