//! What must be in no table, no bucket, no message and no line of the log.

use super::app::{ALICE, BOB, TestApp};
use super::ask::{fine, long};
use serde_json::json;

/// What the JavaScript client sends by mistake in place of the input: itself.
fn a_clients_own_configuration() -> serde_json::Value {
    json!({
        "auth": "r8_canary", "userAgent": "replicate-javascript/1.4.0",
        "baseUrl": "https://api.example.com/v1", "fileEncodingStrategy": "data-uri",
        "prompt": "canary",
    })
}

#[tokio::test]
async fn a_clients_own_configuration_is_refused_and_neither_stored_nor_logged_nor_repeated() {
    let input = a_clients_own_configuration();
    let body = json!({ "version": "ryla/flux-dev", "input": input });
    for (method, path) in [
        ("POST", "/v1/models/ryla/flux-dev/predictions"),
        ("POST", "/v1/deployments/ryla/flux-dev/predictions"),
        ("POST", "/v1/predictions"),
        ("PUT", "/v1/predictions/my-own-id"),
    ] {
        let app = TestApp::new();
        for key in [ALICE, BOB] {
            let ask = app.ask(method, path).by(key).json(&body);
            let refusal = ask.header("idempotency-key", "k").send().await.expect(422);
            assert_eq!(refusal.invalid_fields(), ["input"]);
            assert!(refusal.message().contains("nothing of it was stored"));
            assert!(!String::from_utf8_lossy(&refusal.body).contains("canary"));
        }
        app.assert_nothing_stored();
        assert_eq!(app.store_calls(), 0);
        let log = app.lines.text();
        assert_eq!(log.lines().count(), 2);
        assert!(!log.contains("r8_") && !log.contains("userAgent"), "{log}");
    }
}

#[tokio::test]
async fn a_token_beside_a_good_input_is_refused_without_its_value() {
    let app = TestApp::new();
    let mut input = fine();
    input["auth"] = json!("r8_canary");
    let refusal = app.create(ALICE, &input).send().await.expect(422);
    assert_eq!(refusal.invalid_fields(), ["input.auth"]);
    assert!(!String::from_utf8_lossy(&refusal.body).contains("canary"));
    app.assert_nothing_stored();
}

#[tokio::test]
async fn the_log_of_an_accepted_job_holds_its_name_and_nothing_of_its_owners() {
    let app = TestApp::new();
    for (input, key) in [(fine(), "canary-1"), (long(), "canary-2")] {
        for _ in 0..2 {
            let ask = app.create(ALICE, &input).header("idempotency-key", key);
            ask.send().await.expect(201);
        }
    }
    let accepted = app.lines.of("state");
    assert_eq!(accepted.len(), 2);
    assert_eq!(accepted[0]["to"], "accepted");
    assert!(accepted[0]["run"].as_str().unwrap().starts_with("alice."));
    // That no line holds a canary is asserted when the app goes.
}

#[tokio::test]
async fn a_pictures_address_is_not_logged_even_where_it_is_wrong() {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", ryla_domain::state::Phase::Succeeded);
    let key = job.output_key(0);
    for path in [
        format!("/{key}"),
        format!("/v1/{key}"),
        format!("/v1/predictions/{}/x", job.token),
        format!("//{key}?{key}"),
    ] {
        app.ask("GET", path).send().await.expect(404);
    }
    assert_eq!(app.lines.of("rejected").len(), 4);
    assert!(!app.lines.text().contains(job.token.as_str()));
}

#[tokio::test]
async fn messages_hold_the_runs_name_and_its_trace_and_nothing_else() {
    let app = TestApp::new();
    app.create(ALICE, &fine()).send().await.expect(201);
    for message in app.queue.sent() {
        assert!(!message.body.contains("canary"), "{}", message.body);
    }
}
