//! Creating predictions in every form.

use super::app::{ALICE, API, BOB, PROMPT, Setup, TestApp};
use super::ask::{Answer, TRACE, TRACEPARENT, fine, long};
use super::faults::on;
use ryla_domain::job::{DeadlineBy, StoredInput};
use ryla_domain::model;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_testing::sample::CREATED_AT;
use serde_json::{Value, json};

fn version() -> String {
    model::find("ryla", "flux-dev").unwrap().version_id()
}

/// The reply to a creation that nothing is finished of.
fn assert_created(answer: &Answer) {
    let shown = answer.json();
    assert_eq!(answer.status, 201);
    assert_eq!(shown["status"], "starting");
    assert_eq!(shown["output"], Value::Null);
    assert_eq!(shown["model"], "ryla/flux-dev");
    assert_eq!(shown["version"], version());
    assert_eq!(answer.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn each_form_creates_a_job_of_the_caller_and_sends_one_message() {
    let bare = version();
    let full = format!("ryla/flux-dev:{bare}");
    let mine = "/v1/predictions/my-own-id";
    for (method, path, named) in [
        ("POST", "/v1/models/ryla/flux-dev/predictions", json!({})),
        (
            "POST",
            "/v1/models/ryla/flux-dev/predictions",
            json!({ "version": null }),
        ),
        (
            "POST",
            "/v1/models/ryla/flux-dev/predictions",
            json!({ "version": bare }),
        ),
        (
            "POST",
            "/v1/models/ryla/flux-dev/predictions",
            json!({ "version": full }),
        ),
        (
            "POST",
            "/v1/deployments/ryla/flux-dev/predictions",
            json!({}),
        ),
        ("POST", "/v1/predictions", json!({ "version": bare })),
        (
            "POST",
            "/v1/predictions",
            json!({ "version": "ryla/flux-dev" }),
        ),
        ("POST", "/v1/predictions", json!({ "version": full })),
        (
            "POST",
            "/v1/predictions",
            json!({ "model": "ryla/flux-dev" }),
        ),
        ("PUT", mine, json!({ "version": "ryla/flux-dev" })),
    ] {
        for (key, account) in [(ALICE, "alice"), (BOB, "bob")] {
            let app = TestApp::new();
            let mut body = named.clone();
            body["input"] = fine();
            let ask = app.ask(method, path).by(key).json(&body);
            let answer = ask.header("traceparent", TRACEPARENT).send().await;
            assert_created(&answer);
            let job = app.only_job();
            assert_eq!(
                (job.account().as_str(), job.key.id.as_str()),
                (account, &*answer.id())
            );
            assert_eq!(job.trace.as_str(), TRACE);
            assert_eq!(job.state.phase(), Phase::Accepted);
            let sent = app.queue.sent();
            assert_eq!(sent.len(), 1);
            let message: Value = serde_json::from_str(&sent[0].body).unwrap();
            let run = job.run().to_string();
            assert_eq!(
                message,
                json!({ "v": 1, "do": "start", "run": run, "trace": TRACE })
            );
        }
    }
}

#[tokio::test]
async fn an_id_of_ones_own_is_the_predictions_id_and_generated_ones_have_26_characters() {
    let app = TestApp::new();
    let body = json!({ "version": "ryla/flux-dev", "input": fine() });
    let put = app
        .ask("PUT", "/v1/predictions/my-own-id")
        .by(ALICE)
        .json(&body);
    assert_eq!(put.send().await.expect(201).id(), "my-own-id");
    let generated = app.create(BOB, &fine()).send().await.expect(201).id();
    assert_eq!(generated.len(), 26);
}

#[tokio::test]
async fn defaults_and_seed_are_filled_in_and_shown() {
    let app = TestApp::new();
    let shown = app.create(ALICE, &fine()).send().await.expect(201).json();
    let input = &shown["input"];
    assert_eq!(input["prompt"], PROMPT);
    assert_eq!(
        (&input["width"], &input["cfg"]),
        (&json!(1024), &json!(3.5))
    );
    assert!(input["seed"].as_u64().unwrap() < 1 << 53);
    assert_eq!(app.only_job().input, StoredInput::Inline(input.clone()));
    let other = app.create(BOB, &fine()).send().await.expect(201).json();
    assert_ne!(other["input"]["seed"], input["seed"]);
}

#[tokio::test]
async fn the_largest_seed_comes_back_with_every_digit() {
    let app = TestApp::new();
    let input = json!({ "prompt": PROMPT, "seed": u64::MAX });
    let created = app.create(ALICE, &input).send().await.expect(201);
    assert_eq!(created.json()["input"]["seed"], u64::MAX);
}

#[tokio::test]
async fn null_is_the_same_as_leaving_a_field_out() {
    let app = TestApp::new();
    let input = json!({ "prompt": PROMPT, "width": null, "seed": null, "job": null });
    let created = app.create(ALICE, &input).send().await.expect(201);
    assert_eq!(created.json()["input"]["width"], 1024);
}

#[tokio::test]
async fn unknown_fields_beside_the_input_are_ignored() {
    let app = TestApp::new();
    let body = json!({
        "input": fine(), "stream": true, "webhook": null, "wait": 5, "signal": {}, "model": 7,
    });
    let path = "/v1/models/ryla/flux-dev/predictions";
    assert_created(&app.ask("POST", path).by(ALICE).json(&body).send().await);
}

#[tokio::test]
async fn retention_comes_from_the_input_and_else_from_the_settings() {
    let app = TestApp::new();
    let input = json!({ "prompt": PROMPT, "job": { "retention_days": 7 } });
    let created = app.create(ALICE, &input).send().await.expect(201);
    assert_eq!(created.json()["input"].get("job"), None);
    assert_eq!(app.only_job().retention.days(), 7);
    let app = TestApp::new();
    app.create(ALICE, &fine()).send().await.expect(201);
    assert_eq!(app.only_job().retention.days(), 30);
}

#[tokio::test]
async fn cancel_after_is_the_callers_own_deadline_unless_the_systems_comes_first() {
    let app = TestApp::new();
    let ask = app.create(ALICE, &fine()).header("cancel-after", "1m30s");
    let shown = ask.send().await.expect(201).json();
    assert_eq!(shown["deadline"], "2026-05-01T12:01:30.000Z");
    let deadline = app.only_job().deadline;
    assert_eq!(
        (deadline.at, deadline.by),
        (CREATED_AT + Ms(90_000), DeadlineBy::Caller)
    );
    let app = TestApp::new();
    let ask = app.create(ALICE, &fine()).header("cancel-after", "24h");
    assert_eq!(ask.send().await.expect(201).json()["deadline"], Value::Null);
    assert_eq!(app.only_job().deadline.by, DeadlineBy::System);
}

#[tokio::test]
async fn a_long_input_lies_in_the_bucket_and_is_shown_like_any_other() {
    let app = TestApp::new();
    let created = app.create(ALICE, &long()).send().await.expect(201);
    let job = app.only_job();
    assert_eq!(job.input, StoredInput::InBucket);
    assert_eq!(app.images.keys(), [format!("in/r30/{}.json", job.token)]);
    assert_eq!(created.json()["input"]["prompt"], long()["prompt"]);
    let path = format!("/v1/predictions/{}", created.id());
    assert_eq!(
        app.get(ALICE, path).await.json()["input"],
        created.json()["input"]
    );
}

#[tokio::test]
async fn a_job_that_was_accepted_is_answered_with_also_where_its_input_cannot_be_read_back() {
    let app = TestApp::new();
    on(&app.faults.images);
    let created = app.create(ALICE, &long()).send().await;
    assert_created(&created);
    assert_eq!(app.only_job().key.id.as_str(), created.id());
    assert_eq!(app.lines.of("port")[0]["call"], "images.get");
}

#[tokio::test]
async fn a_long_input_whose_put_was_repeated_is_accepted() {
    let app = TestApp::new();
    on(&app.faults.put_replies);
    assert_created(&app.create(ALICE, &long()).send().await);
    assert_eq!(app.images.keys().len(), 1);
}

#[tokio::test]
async fn a_message_that_the_queue_refuses_is_no_reason_to_refuse_the_job() {
    let app = TestApp::new();
    on(&app.faults.queue);
    assert_created(&app.create(ALICE, &fine()).send().await);
    assert_eq!(app.only_job().state.phase(), Phase::Accepted);
    assert_eq!(app.lines.of("port")[0]["call"], "queue.send");
}

#[tokio::test]
async fn the_links_of_a_prediction_are_absolute() {
    let app = TestApp::new();
    let shown = app.create(ALICE, &fine()).send().await.expect(201).json();
    let url = format!("{API}/v1/predictions/{}", shown["id"].as_str().unwrap());
    let links = json!({ "get": url, "web": url, "cancel": format!("{url}/cancel") });
    assert_eq!(shown["urls"], links);
}

#[tokio::test]
async fn without_a_backend_nothing_is_accepted() {
    for settings in [
        [("MODAL_JOBS_URL", ""), ("USE_MODAL", "")],
        [
            ("MODAL_JOBS_URL", "https://gpu.example.com"),
            ("USE_MODAL", "false"),
        ],
    ] {
        let settings = Box::leak(Box::new(settings));
        let app = Setup {
            settings,
            ..Setup::default()
        }
        .start();
        for input in [fine(), long()] {
            let refused = app.create(ALICE, &input).send().await.expect(503);
            assert_eq!(refused.json()["code"], "no_backend");
            assert_eq!(refused.header("retry-after"), "");
        }
        app.assert_nothing_stored();
    }
}
