//! One id leads through every part of the system, and the log never says what must stay secret.

use crate::app::{TestApp, options, small};
use reqwest::Method;
use ryla_domain::time::Ms;
use ryla_engine::log;
use ryla_engine::system::SystemClock;
use ryla_local::{Options, Preview, PreviewOptions};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn one_id_leads_from_the_request_through_dispatch_worker_callback_and_sweep() {
    // Each attempt fails, and the sweep begins the next one.
    let preview = PreviewOptions {
        fail: 1.0,
        run: Ms(50),
        ..PreviewOptions::default()
    };
    let app = TestApp::start(Options {
        preview,
        ..options()
    })
    .await;
    let creation = app.alice().creation(&small("a thread to follow"));
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let reply = app
        .alice()
        .send(creation.header("traceparent", traceparent))
        .await;
    assert_eq!(reply.header("x-request-id"), Some(TRACE));
    let created = reply.expect(201);
    assert_eq!(created["metrics"]["trace_id"], TRACE);
    let id = created["id"].as_str().unwrap();
    // Another job, whose lines must not be taken for the first one's.
    let other = app.bob().small("another thread").await;
    app.bob().ended(&other).await;
    let ended = app.alice().ended(id).await;
    assert_eq!(
        (&ended["status"], &ended["metrics"]["trace_id"]),
        (&json!("failed"), &json!(TRACE))
    );

    let events: Vec<Value> = app
        .log()
        .lines()
        .into_iter()
        .filter(|event| event["trace_id"] == TRACE)
        .collect();
    let run = |attempt: u8| json!(format!("alice.{id}.{attempt}"));
    let count = |wanted: &[(&str, Value)]| {
        let fits = |event: &&Value| wanted.iter().all(|(name, value)| event[name] == *value);
        events.iter().filter(fits).count()
    };
    let state = |to: &str, attempt| {
        [
            ("event", json!("state")),
            ("to", json!(to)),
            ("run", run(attempt)),
        ]
    };
    assert_eq!(count(&state("accepted", 1)), 1, "submit: {events:#?}");
    for attempt in 1..=3 {
        assert_eq!(
            count(&state("dispatching", attempt)),
            1,
            "dispatch of attempt {attempt}"
        );
        let gpu = |to: &str| {
            [
                ("event", json!("gpu")),
                ("to", json!(to)),
                ("run", run(attempt)),
            ]
        };
        assert_eq!(count(&gpu("started")), 1, "worker of attempt {attempt}");
        assert_eq!(count(&gpu("failed")), 1, "worker of attempt {attempt}");
        assert_eq!(
            count(&state("running", attempt)),
            1,
            "callback of attempt {attempt}"
        );
    }
    for attempt in 2..=3 {
        assert_eq!(
            count(&state("accepted", attempt)),
            1,
            "callback ends the attempt before {attempt}"
        );
        let resent = [("event", json!("resent")), ("run", run(attempt))];
        assert!(count(&resent) >= 1, "sweep begins attempt {attempt}");
    }
    assert_eq!(
        count(&[("to", json!("failed")), ("code", json!("gpu_error"))]),
        1
    );
    // Nobody else's lines carry it.
    assert!(
        events
            .iter()
            .all(|event| event["run"].as_str().is_some_and(|run| run.contains(id)))
    );
    app.finish().await;
}

#[tokio::test]
async fn every_answer_says_by_which_id_the_log_knows_it() {
    let app = TestApp::start(options()).await;
    let amazon = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    let request = app
        .alice()
        .request(reqwest::Method::GET, "/v1/predictions/none-of-mine");
    let reply = app
        .alice()
        .send(request.header("x-amzn-trace-id", amazon))
        .await;
    let problem = reply.expect(404);
    let trace = "67891233abcdef012345678912345678";
    assert_eq!(
        (reply.header("x-request-id"), &problem["trace_id"]),
        (Some(trace), &json!(trace))
    );
    // Without a header of the caller's an id is made, each time another one.
    let mut made = Vec::new();
    for path in ["/v1/nothing", "/v1/predictions?cursor=x", "/v1/account"] {
        let reply = app.alice().get(path).await;
        made.push(reply.header("x-request-id").unwrap().to_owned());
        if reply.status != 200 {
            assert_eq!(reply.json()["trace_id"], json!(made.last()), "{path}");
        }
    }
    let rejected = app.log().lines();
    for id in [trace, &made[0], &made[1]] {
        let lines = rejected
            .iter()
            .filter(|line| line["trace_id"] == id && line["event"] == "rejected");
        assert_eq!(lines.count(), 1, "{id}: {rejected:#?}");
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 3);
    app.finish().await;
}

const PROMPT: &str = "a canary in a coal mine 7b1f";
const NEGATIVE: &str = "no-canary-sings-3c9e";
const MODAL_KEY: &str = "wk-canary-modal-key";
const MODAL_SECRET: &str = "ws-canary-modal-secret";
const WRONG_KEY: &str = "canary-wrong-key";
const FORGED: &str = "t=1,v1=canary-signature";

/// A GPU of its own behind the adapter that signs in with a key, as a deployed system has it.
async fn gpu() -> Preview {
    let options = PreviewOptions {
        fail: 0.75,
        run: Ms(50),
        concurrency: 4,
        ..PreviewOptions::default()
    };
    let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
    let clock = Arc::new(SystemClock);
    Preview::start(options, http, clock).await.unwrap()
}

/// The run has what a log is tempted to print: successes, failures, refusals, a long input, keys of every
/// kind. What every test looks for at its end is looked for here as well. `tests/leaks` plants a leak of
/// each kind and wants this test to fail.
#[tokio::test]
async fn prompts_keys_and_signatures_are_not_in_the_log_at_any_level_that_can_be_set() {
    for level in ["debug", "trace"] {
        let gpu = gpu().await;
        let options = Options {
            redelivery: Ms::seconds(1),
            ..options()
        };
        let options = options
            .with("MODAL_JOBS_URL", gpu.url())
            .with("MODAL_KEY", MODAL_KEY)
            .with("MODAL_SECRET", MODAL_SECRET);
        let app = TestApp::start_logging(level, options).await;
        let alice = app.alice();
        for secret in [
            PROMPT,
            NEGATIVE,
            MODAL_KEY,
            MODAL_SECRET,
            WRONG_KEY,
            FORGED,
            "🐤🐤",
        ] {
            app.log().never(secret);
        }
        let mut input = small(PROMPT);
        input["negative_prompt"] = json!(NEGATIVE);
        for n in 0..8 {
            let put = alice.request(Method::PUT, &format!("/v1/predictions/job-{n:04}"));
            let put = put.json(&json!({ "version": "ryla/flux-dev", "input": input }));
            alice.send(put).await.expect(201);
        }
        let mut long = input.clone();
        long["prompt"] = json!(format!("{PROMPT}{}", "🐤".repeat(3_900)));
        alice.create(&long).await;
        for replayed in [None, Some("true")] {
            let keyed = alice.creation(&input);
            let keyed = keyed.header("idempotency-key", "canary-idempotency-key");
            let reply = alice.send(keyed).await;
            reply.expect(201);
            assert_eq!(reply.header("idempotent-replayed"), replayed);
        }
        refused(&app, &input).await;
        let mut pictures = 0;
        for key in app.accepted() {
            let ended = alice.ended(key.id.as_str()).await;
            if let Some(url) = ended["output"].as_str() {
                assert_eq!(app.anonymous(url).await.status, 200);
                pictures += 1;
            }
        }
        assert!(pictures > 0, "the address of a picture was asked for");
        let told = app.log().text();
        for part in [
            "\"to\":\"succeeded\"",
            "\"code\":\"gpu_error\"",
            "\"event\":\"rejected\"",
            "\"event\":\"gpu\"",
        ] {
            assert!(told.contains(part), "{level}: the run has {part}");
        }
        app.finish().await;
        gpu.stop(Duration::from_secs(5)).await;
    }
}

/// Requests that are refused, each for another reason, with a canary in each.
async fn refused(app: &TestApp, input: &Value) {
    let alice = app.alice();
    let mut wrong = input.clone();
    wrong["width"] = json!(PROMPT);
    alice.send(alice.creation(&wrong)).await.expect(422);
    let path = "/v1/predictions";
    let broken = alice.request(Method::POST, path);
    let broken = broken.body(format!("{{\"input\": \"{PROMPT}"));
    alice.send(broken).await.expect(400);
    let url = format!("{}{path}", app.url());
    let stranger = app.request().get(url).bearer_auth(WRONG_KEY);
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    let url = format!("{}/v1/callbacks/modal/alice/job-0000/1", app.url());
    let forged = app.request().post(url);
    let forged = forged.header("x-ryla-signature", FORGED);
    let forged = forged.body(PROMPT).send().await;
    assert_eq!(forged.unwrap().status(), 401);
}

#[test]
fn libraries_are_heard_from_warnings_on_and_from_information_where_details_of_ours_are_asked_for() {
    for (level, heard) in [("info", 0), ("debug", 1), ("trace", 1)] {
        let written = Written::default();
        let log = log::lines(level, written.clone());
        tracing::subscriber::with_default(log, || {
            tracing::info!(target: "some_library", "information");
            tracing::debug!(target: "some_library", "https://a.example.com/?X-Amz-Signature=1");
            tracing::trace!(target: "some_library", "body");
            tracing::info!(target: "s3s_fs::s3", "https://a.example.com/?X-Amz-Signature=1");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), heard, "{level}: {text}");
        assert!(!text.contains("X-Amz"));
    }
}

/// What the log itself writes, where a test's collector will not do.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Written {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
