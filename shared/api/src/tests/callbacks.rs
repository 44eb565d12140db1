//! Callbacks of workers: what is not signed for its run costs no call of the table.

use super::app::{ALICE, BOB, TestApp};
use super::ask::{Answer, fine};
use ryla_domain::failure::Code;
use ryla_domain::id::Run;
use ryla_domain::report::Report;
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::{CallbackWire, Event, Reply, Unread};
use ryla_engine::port::Clock as _;
use ryla_engine::signature::sign;
use ryla_testing::sample::CREATED_AT;
use serde_json::json;

/// A protocol for tests: the body is the event's name.
pub(super) struct Wire;

impl CallbackWire for Wire {
    fn decode(&self, body: &[u8]) -> Result<Event, Unread> {
        match body {
            b"started" => Ok(Event::Started { call: None, seq: 1 }),
            b"succeeded" => Ok(Event::Succeeded {
                report: Report::default(),
                etags: Vec::new(),
            }),
            b"failed" => Ok(Event::Failed {
                code: Code::FaceNotFound,
                report: Report::default(),
            }),
            b"newer" => Err(Unread::Newer),
            _ => Err(Unread::Garbage),
        }
    }

    fn encode(&self, reply: &Reply) -> Vec<u8> {
        let text = json!({ "v": 1, "continue": reply.go_on, "ignored": reply.ignored });
        text.to_string().into_bytes()
    }
}

impl TestApp {
    /// Where a run reports.
    fn target(run: &Run) -> String {
        let (account, id) = (&run.key.account, &run.key.id);
        format!("/v1/callbacks/modal/{account}/{id}/{}", run.attempt)
    }

    fn signature(&self, run: &Run, body: &str, at: UnixMs) -> String {
        sign(&self.settings.secrets.run_key(run).1, body.as_bytes(), at)
    }

    async fn callback(&self, path: String, body: &str, signature: &str) -> Answer {
        let ask = self.ask("POST", path).body(body);
        ask.header("x-ryla-signature", signature).send().await
    }

    /// A callback as it should be.
    async fn report(&self, run: &Run, body: &str) -> Answer {
        let signature = self.signature(run, body, self.clock.now());
        self.callback(Self::target(run), body, &signature).await
    }
}

fn run(text: &str) -> Run {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_signed_callback_moves_its_job() {
    let app = TestApp::new();
    let id = app.create(ALICE, &fine()).send().await.expect(201).id();
    let job = app.live(&app.only_job().key, Phase::Dispatching);
    let reply = app.report(&job.run(), "started").await.expect(200).json();
    assert_eq!(
        (&reply["continue"], &reply["ignored"]),
        (&json!(true), &json!(false))
    );
    let path = format!("/v1/predictions/{id}");
    assert_eq!(app.get(ALICE, &path).await.json()["status"], "processing");
    app.report(&job.run(), "failed").await.expect(200);
    let shown = app.get(ALICE, &path).await.json();
    assert_eq!(
        (&shown["status"], &shown["metrics"]["error_code"]),
        (&json!("failed"), &json!("face_not_found"))
    );
    let moves: Vec<_> = app
        .lines
        .of("state")
        .iter()
        .map(|line| (line["to"].clone(), line["trace_id"].clone()))
        .collect();
    let trace = json!(job.trace);
    assert_eq!(
        moves,
        [
            (json!("accepted"), trace.clone()),
            (json!("running"), trace.clone()),
            (json!("failed"), trace)
        ]
    );
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_refused_and_asks_no_table() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Running);
    let (calls, row) = (app.store_calls(), app.row(&job.key));
    let now = app.clock.now();
    let good = app.signature(&job.run(), "started", now);
    let target = TestApp::target(&job.run());
    let foreign = run("bob.my-own-job.1");
    let later_attempt = run("alice.my-own-job.2");
    for (path, body, signature) in [
        (target.clone(), "started", String::new()),
        (target.clone(), "started", "t=1,v1=00".to_owned()),
        (target.clone(), "started", good.replace("v1=", "v1=00")),
        (target.clone(), "started", good.to_uppercase()),
        (target.clone(), "succeeded", good.clone()),
        (target.clone(), "canary, of no protocol", good.clone()),
        // Another run's key: a foreign job, another attempt.
        (
            target.clone(),
            "started",
            app.signature(&foreign, "started", now),
        ),
        (
            target.clone(),
            "started",
            app.signature(&later_attempt, "started", now),
        ),
        (TestApp::target(&foreign), "started", good.clone()),
        (TestApp::target(&later_attempt), "started", good.clone()),
        // Names that no run can have.
        (
            "/v1/callbacks/modal/alice/my-own-job/0".to_owned(),
            "started",
            good.clone(),
        ),
        (
            "/v1/callbacks/modal/alice/my-own-job/x".to_owned(),
            "started",
            good.clone(),
        ),
        (
            "/v1/callbacks/M/alice/my-own-job/1".to_owned(),
            "started",
            good.clone(),
        ),
    ] {
        let refusal = app
            .callback(path, body, &signature)
            .await
            .expect(401)
            .json();
        assert_eq!(refusal["code"], "bad_signature");
    }
    app.ask("POST", target)
        .body("started")
        .by(ALICE)
        .send()
        .await
        .expect(401);
    assert_eq!((app.store_calls(), app.row(&job.key)), (calls, row));
}

#[tokio::test]
async fn a_time_stamp_more_than_five_minutes_off_is_refused_with_our_own_time() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Dispatching);
    let calls = app.store_calls();
    for signed_at in [CREATED_AT - Ms::seconds(301), CREATED_AT + Ms::seconds(301)] {
        let signature = app.signature(&job.run(), "started", signed_at);
        let refusal = app
            .callback(TestApp::target(&job.run()), "started", &signature)
            .await;
        let problem = refusal.expect(401).json();
        assert_eq!(problem["code"], "stale_timestamp");
        assert_eq!(problem["server_time"], CREATED_AT.seconds());
    }
    assert_eq!(app.store_calls(), calls);
    let signature = app.signature(&job.run(), "started", CREATED_AT - Ms::seconds(300));
    app.callback(TestApp::target(&job.run()), "started", &signature)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_signed_callback_of_a_run_that_is_not_current_changes_nothing_and_ends_the_worker() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Running);
    let row = app.row(&job.key);
    for stale in [
        "alice.my-own-job.2",
        "bob.my-own-job.1",
        "alice.a-job-of-nobody.1",
    ] {
        for event in ["started", "failed", "succeeded"] {
            let reply = app.report(&run(stale), event).await.expect(200).json();
            assert_eq!(
                (&reply["continue"], &reply["ignored"]),
                (&json!(false), &json!(true)),
                "{stale} {event}"
            );
        }
    }
    // The right run, but on a backend that it does not run on.
    let path = TestApp::target(&job.run()).replace("modal", "other");
    let signature = app.signature(&job.run(), "failed", app.clock.now());
    let reply = app
        .callback(path, "failed", &signature)
        .await
        .expect(200)
        .json();
    assert_eq!(reply["ignored"], true);
    assert_eq!(app.row(&job.key), row);
    app.get(BOB, "/v1/predictions/my-own-job").await.expect(404);
}

#[tokio::test]
async fn a_second_end_changes_nothing() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Failed);
    let row = app.row(&job.key);
    let reply = app.report(&job.run(), "succeeded").await.expect(200).json();
    assert_eq!(reply["ignored"], true);
    assert_eq!(app.row(&job.key), row);
}

#[tokio::test]
async fn a_picture_that_is_not_there_yet_is_asked_for_again() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Running);
    let refusal = app.report(&job.run(), "succeeded").await.expect(503);
    assert_eq!(refusal.header("retry-after"), "1");
    assert_eq!(refusal.json()["title"], "Not there yet");
}

#[tokio::test]
async fn a_callback_that_cannot_be_read_asks_no_table() {
    let app = TestApp::new();
    let run = run("alice.my-own-job.1");
    app.report(&run, "canary, of no protocol").await.expect(400);
    let newer = app.report(&run, "newer").await.expect(503);
    assert_eq!(newer.json()["title"], "Newer version");
    app.report(&run, &"x".repeat(8 * 1024 + 1))
        .await
        .expect(413);
    assert_eq!(app.store_calls(), 0);
}
