//! Cancelling, repeating and removing.

use super::app::{ALICE, BOB, PROMPT, TestApp};
use super::ask::{TRACE, TRACEPARENT, long};
use super::faults::{off, on};
use ryla_domain::state::Phase;
use serde_json::{Value, json};

const MINE: &str = "/v1/predictions/my-own-job";

fn cancel() -> String {
    format!("{MINE}/cancel")
}

fn retry() -> String {
    format!("{MINE}/retry")
}

const OPEN: [Phase; 4] = [
    Phase::Accepted,
    Phase::Dispatching,
    Phase::Running,
    Phase::Canceling,
];
const ENDED: [Phase; 3] = [Phase::Succeeded, Phase::Failed, Phase::Canceled];

#[tokio::test]
async fn a_job_that_nobody_works_on_is_canceled_at_once() {
    let app = TestApp::new();
    app.plant_alices("my-own-job", Phase::Accepted);
    let shown = app.post(ALICE, cancel()).await.expect(200).json();
    assert_eq!(
        (&shown["status"], &shown["metrics"]["cancel_reason"]),
        (&json!("canceled"), &json!("user"))
    );
    assert_eq!(app.queue.sent(), []);
}

#[tokio::test]
async fn a_job_under_way_is_canceled_by_its_backend_and_each_request_sends_a_message() {
    for phase in [Phase::Dispatching, Phase::Running, Phase::Canceling] {
        let app = TestApp::new();
        let job = app.plant_alices("my-own-job", phase);
        for n in 1..=2 {
            let shown = app.post(ALICE, cancel()).await.expect(200).json();
            assert_eq!(shown["status"], "processing");
            assert_eq!(shown["metrics"]["phase"], "canceling");
            assert_eq!(app.queue.sent().len(), n);
        }
        let message: Value = serde_json::from_str(&app.queue.sent()[0].body).unwrap();
        assert_eq!(
            (&message["do"], &message["run"]),
            (&json!("cancel"), &json!(job.run().to_string()))
        );
        let moves = usize::from(phase != Phase::Canceling);
        assert_eq!(app.lines.of("state").len(), moves);
    }
}

#[tokio::test]
async fn canceling_what_has_ended_changes_nothing_and_is_no_error() {
    for phase in ENDED {
        let app = TestApp::new();
        let job = app.plant_alices("my-own-job", phase);
        let row = app.row(&job.key);
        let before = app.get(ALICE, MINE).await.expect(200);
        let canceled = app.post(ALICE, cancel()).await.expect(200);
        assert_eq!(canceled, before);
        assert_eq!((app.row(&job.key), app.queue.sent()), (row, Vec::new()));
    }
}

#[tokio::test]
async fn a_cancellation_that_was_carried_out_is_answered_also_where_the_input_cannot_be_read() {
    let app = TestApp::new();
    let id = app.create(ALICE, &long()).send().await.expect(201).id();
    on(&app.faults.images);
    let path = format!("/v1/predictions/{id}");
    let shown = app
        .post(ALICE, format!("{path}/cancel"))
        .await
        .expect(200)
        .json();
    assert_eq!(shown["status"], "canceled");
    // A read has changed nothing: it may as well be repeated.
    app.get(ALICE, &path).await.expect(503);
    off(&app.faults.images);
    assert_eq!(
        app.get(ALICE, &path).await.json()["input"]["prompt"],
        long()["prompt"]
    );
}

#[tokio::test]
async fn a_retry_is_a_new_job_with_the_same_input_and_leaves_the_first_as_it_ended() {
    for phase in [Phase::Failed, Phase::Canceled] {
        let app = TestApp::new();
        let first = app.plant_alices("my-own-job", phase);
        let row = app.row(&first.key);
        let ask = app
            .ask("POST", retry())
            .by(ALICE)
            .header("traceparent", TRACEPARENT);
        let shown = ask.send().await.expect(201).json();
        assert_eq!(
            (&shown["status"], &shown["retry_of"]),
            (&json!("starting"), &json!("my-own-job"))
        );
        assert_eq!(shown["metrics"]["trace_id"], TRACE);
        assert_eq!(shown["input"], app.get(ALICE, MINE).await.json()["input"]);
        assert_eq!(app.row(&first.key), row);
        assert_eq!((app.stored().len(), app.queue.sent().len()), (2, 1));
        let again = app.post(ALICE, retry()).await.expect(201);
        assert_ne!(again.json()["id"], shown["id"]);
    }
}

#[tokio::test]
async fn a_retry_with_a_key_is_made_once() {
    let app = TestApp::new();
    app.plant_alices("my-own-job", Phase::Failed);
    app.plant_alices("my-other-job", Phase::Failed);
    let ask = |path: &str| {
        app.ask("POST", format!("/v1/predictions/{path}/retry"))
            .by(ALICE)
    };
    let ask = |path| ask(path).header("idempotency-key", "k");
    let first = ask("my-own-job").send().await.expect(201);
    let again = ask("my-own-job").send().await.expect(201);
    assert_eq!(
        (first.id(), "true"),
        (again.id(), again.header("idempotent-replayed"))
    );
    ask("my-other-job").send().await.expect(422);
    assert_eq!(app.stored().len(), 3);
}

#[tokio::test]
async fn a_retry_keeps_a_long_input_and_the_retention() {
    let app = TestApp::new();
    let mut input = long();
    input["job"] = json!({ "retention_days": 7 });
    let id = app.create(ALICE, &input).send().await.expect(201).id();
    app.post(ALICE, format!("/v1/predictions/{id}/cancel"))
        .await
        .expect(200);
    let shown = app
        .post(ALICE, format!("/v1/predictions/{id}/retry"))
        .await
        .expect(201)
        .json();
    assert_eq!(shown["input"]["prompt"], long()["prompt"]);
    assert!(app.stored().iter().all(|job| job.retention.days() == 7));
    assert_eq!(app.images.keys().len(), 2);
}

#[tokio::test]
async fn only_what_did_not_succeed_can_be_repeated() {
    for phase in OPEN.into_iter().chain([Phase::Succeeded]) {
        let app = TestApp::new();
        app.plant_alices("my-own-job", phase);
        let refusal = app.post(ALICE, retry()).await.expect(422);
        assert_eq!(refusal.json()["title"], "Not failed");
        assert_eq!((app.stored().len(), app.queue.sent().len()), (1, 0));
    }
    let app = TestApp::new();
    app.plant_alices("my-own-job", Phase::Failed);
    app.ask("DELETE", MINE).by(ALICE).send().await.expect(200);
    let refusal = app.post(ALICE, retry()).await.expect(422);
    assert_eq!(refusal.json()["title"], "Input removed");
    app.only_job();
}

#[tokio::test]
async fn deleting_removes_pictures_and_input_and_keeps_the_figures() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Succeeded);
    app.images.place(&job.output_key(0), "image/jpeg", vec![1]);
    let before = app.get(ALICE, MINE).await.expect(200).json();
    let shown = app
        .ask("DELETE", MINE)
        .by(ALICE)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&shown["data_removed"], &shown["output"], &shown["input"]),
        (&json!(true), &Value::Null, &json!({}))
    );
    for kept in ["id", "status", "metrics", "created_at", "completed_at"] {
        assert_eq!(shown[kept], before[kept]);
    }
    assert_eq!(app.images.keys(), Vec::<String>::new());
    assert!(!app.row(&job.key)["row"].contains(PROMPT));
    let again = app
        .ask("DELETE", MINE)
        .by(ALICE)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&again, &app.get(ALICE, MINE).await.json()),
        (&shown, &shown)
    );
}

#[tokio::test]
async fn a_long_input_is_deleted_from_the_bucket() {
    let app = TestApp::new();
    let id = app.create(ALICE, &long()).send().await.expect(201).id();
    let path = format!("/v1/predictions/{id}");
    app.post(ALICE, format!("{path}/cancel")).await.expect(200);
    app.ask("DELETE", &path).by(ALICE).send().await.expect(200);
    assert_eq!(app.images.keys(), Vec::<String>::new());
    assert_eq!(app.get(ALICE, &path).await.json()["input"], json!({}));
}

#[tokio::test]
async fn what_is_still_open_cannot_be_deleted() {
    for phase in OPEN {
        let app = TestApp::new();
        let job = app.plant_alices("my-own-job", phase);
        let row = app.row(&job.key);
        let refusal = app.ask("DELETE", MINE).by(ALICE).send().await.expect(422);
        assert_eq!(refusal.json()["title"], "Still open");
        assert_eq!(app.row(&job.key), row);
        app.ask("DELETE", MINE).by(BOB).send().await.expect(404);
    }
}
