//! Repeating requests: by key, by id, by a client's own count, and not at all.

use super::app::{ALICE, BOB, PROMPT, TestApp};
use super::ask::{Ask, fine, long};
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use serde_json::{Value, json};

const MODEL: &str = "/v1/models/ryla/flux-dev/predictions";

impl Ask<'_> {
    fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    fn count(self, count: &str) -> Self {
        self.header("x-stainless-retry-count", count)
    }
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_job_and_its_trace_and_makes_no_second_one() {
    let app = TestApp::new();
    let first = app.create(ALICE, &fine()).key("k").send().await.expect(201);
    let again = app.create(ALICE, &fine()).key("k").send().await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body, first.body);
    assert_eq!(app.only_job().trace.as_str(), again.header("x-request-id"));
    assert_eq!(app.queue.sent().len(), 1);
    assert_eq!(app.store_calls(), 2);
}

#[tokio::test]
async fn a_repeated_key_says_starting_while_the_job_is_open_and_shows_its_end_afterwards() {
    for phase in Phase::ALL {
        let app = TestApp::new();
        app.create(ALICE, &fine()).key("k").send().await.expect(201);
        app.live(&app.only_job().key, phase);
        let shown = app
            .create(ALICE, &fine())
            .key("k")
            .send()
            .await
            .expect(201)
            .json();
        let status = if phase.is_terminal() {
            phase.name()
        } else {
            "starting"
        };
        assert_eq!(shown["status"], status);
        assert_eq!(shown["output"].is_string(), phase == Phase::Succeeded);
        assert_eq!(shown["metrics"]["phase"], phase.name());
    }
}

#[tokio::test]
async fn the_order_of_fields_and_a_doubled_v1_make_no_other_request() {
    let app = TestApp::new();
    for (path, body) in [
        (MODEL, r#"{"input":{"prompt":"canary","seed":1},"x":1}"#),
        (
            "/v1/v1/models/ryla/flux-dev/predictions",
            r#"{"x":1,"input":{"seed":1,"prompt":"canary"}}"#,
        ),
    ] {
        app.ask("POST", path)
            .by(ALICE)
            .key("k")
            .body(body)
            .send()
            .await
            .expect(201);
    }
    app.only_job();
}

#[tokio::test]
async fn another_request_under_a_used_key_is_refused_and_leaves_nothing() {
    let app = TestApp::new();
    app.create(ALICE, &fine()).key("k").send().await.expect(201);
    let row = app.row(&app.only_job().key);
    let other = json!({ "prompt": PROMPT, "steps": 21 });
    let elsewhere = |path: &'static str, body: Value| app.ask("POST", path).by(ALICE).json(&body);
    for ask in [
        app.create(ALICE, &other),
        app.create(ALICE, &long()),
        elsewhere(
            "/v1/deployments/ryla/flux-dev/predictions",
            json!({ "input": fine() }),
        ),
        elsewhere(
            "/v1/predictions",
            json!({ "input": fine(), "version": "ryla/flux-dev" }),
        ),
    ] {
        let refused = ask.key("k").send().await.expect(422);
        assert_eq!(refused.json()["title"], "Key used for another request");
    }
    assert_eq!(app.row(&app.only_job().key), row);
    assert_eq!(app.queue.sent().len(), 1);
    assert_eq!(app.images.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn a_repeated_long_input_is_kept_once() {
    let app = TestApp::new();
    for _ in 0..3 {
        app.create(ALICE, &long()).key("k").send().await.expect(201);
    }
    assert_eq!(
        app.images.keys(),
        [format!("in/r30/{}.json", app.only_job().token)]
    );
}

#[tokio::test]
async fn two_accounts_may_use_the_same_key() {
    let app = TestApp::new();
    let alices = app.create(ALICE, &fine()).key("k").send().await.expect(201);
    let other = json!({ "prompt": PROMPT, "steps": 21 });
    let bobs = app.create(BOB, &other).key("k").send().await.expect(201);
    assert_ne!(alices.id(), bobs.id());
    assert_eq!(bobs.header("idempotent-replayed"), "");
    assert_eq!(app.stored().len(), 2);
}

#[tokio::test]
async fn a_key_holds_for_at_least_a_day_and_as_long_as_its_row() {
    let app = TestApp::new();
    let input = json!({ "prompt": PROMPT, "job": { "retention_days": 1 } });
    let first = app.create(ALICE, &input).key("k").send().await.expect(201);
    app.clock.advance(Ms::seconds(86_400));
    let again = app.create(ALICE, &input).key("k").send().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    app.clock.advance(Ms::seconds(2 * 3_600));
    let anew = app.create(ALICE, &input).key("k").send().await.expect(201);
    assert_eq!(anew.header("idempotent-replayed"), "");
    assert_eq!(anew.id(), first.id());
}

#[tokio::test]
async fn a_repeated_put_gets_the_first_job_and_another_body_is_refused() {
    let app = TestApp::new();
    let put = |input: Value| {
        let body = json!({ "version": "ryla/flux-dev", "input": input });
        app.ask("PUT", "/v1/predictions/my-own-id")
            .by(ALICE)
            .json(&body)
    };
    let first = put(fine()).send().await.expect(201);
    let again = put(fine()).send().await.expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = json!({ "prompt": PROMPT, "steps": 21 });
    put(other).send().await.expect(422);
    app.only_job();
}

#[tokio::test]
async fn two_equal_requests_without_a_name_are_two_jobs() {
    let app = TestApp::new();
    for _ in 0..2 {
        let created = app.create(ALICE, &fine()).send().await.expect(201);
        assert_eq!(created.header("idempotent-replayed"), "");
    }
    assert_eq!((app.stored().len(), app.queue.sent().len()), (2, 2));
}

#[tokio::test]
async fn a_client_that_counts_gets_twins_on_first_tries_and_the_newest_on_a_retry() {
    let app = TestApp::new();
    let first = app
        .create(ALICE, &fine())
        .count("0")
        .send()
        .await
        .expect(201);
    let twin = app
        .create(ALICE, &fine())
        .count("0")
        .send()
        .await
        .expect(201);
    assert_ne!(first.id(), twin.id());
    app.clock.advance(Ms::seconds(60));
    for count in ["1", "2"] {
        let again = app
            .create(ALICE, &fine())
            .count(count)
            .send()
            .await
            .expect(201);
        assert_eq!(again.id(), twin.id());
        assert_eq!(again.header("idempotent-replayed"), "true");
    }
    assert_eq!(app.stored().len(), 2);
    let bobs = app.create(BOB, &fine()).count("1").send().await.expect(201);
    assert_eq!(bobs.header("idempotent-replayed"), "");
    assert_eq!(app.stored().len(), 3);
}

#[tokio::test]
async fn a_key_goes_before_a_count_and_an_id_before_both() {
    let app = TestApp::new();
    for count in ["0", "0"] {
        app.create(ALICE, &fine())
            .key("k")
            .count(count)
            .send()
            .await
            .expect(201);
    }
    app.only_job();
    let body = json!({ "version": "ryla/flux-dev", "input": fine() });
    let put = app
        .ask("PUT", "/v1/predictions/my-own-id")
        .by(ALICE)
        .json(&body);
    assert_eq!(
        put.key("k").count("0").send().await.expect(201).id(),
        "my-own-id"
    );
}
