//! What callers and the log see when the table fails or holds what this build cannot read.

use super::app::{ALICE, BOB, TestApp};
use super::ask::fine;
use super::faults::{INSIDE, on};
use ryla_domain::state::Phase;
use ryla_testing::sample::{CREATED_AT, a_job, key};
use serde_json::json;

const MINE: &str = "/v1/predictions/my-own-job";

/// Every way to ask for one prediction.
const WAYS: [(&str, &str); 4] = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("POST", "/retry"),
];

#[tokio::test]
async fn a_throttled_table_means_try_again_and_its_own_words_stay_in_the_log() {
    let app = TestApp::new();
    app.plant_alices("my-own-job", Phase::Failed);
    on(&app.faults.jobs);
    let mut asks = vec![
        app.create(ALICE, &fine()),
        app.ask("GET", "/v1/predictions").by(BOB),
    ];
    for (method, rest) in WAYS {
        asks.push(app.ask(method, format!("{MINE}{rest}")).by(ALICE));
    }
    for ask in asks {
        let refusal = ask.send().await.expect(503);
        assert_eq!(refusal.header("retry-after"), "1");
        assert_eq!(refusal.json()["retry_after"], 1);
        assert!(!String::from_utf8_lossy(&refusal.body).contains("ryla-table"));
        let line = app.lines.of("rejected").pop().unwrap();
        assert_eq!(
            (&line["level"], &line["trace_id"]),
            (&json!("WARN"), &json!(refusal.header("x-request-id")))
        );
        assert_eq!(line["cause"], format!("the table is throttled: {INSIDE}"));
    }
}

#[tokio::test]
async fn a_throttled_look_up_of_the_key_is_not_taken_for_a_wrong_key() {
    let app = TestApp::new();
    on(&app.faults.accounts);
    for key in [ALICE, BOB] {
        let refusal = app.get(key, "/v1/account").await.expect(503);
        assert_eq!(refusal.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn a_row_of_a_newer_build_is_left_to_one() {
    let app = TestApp::new();
    app.jobs
        .plant_newer(&a_job().account("alice").id("my-own-job").build());
    let row = app.row(&key("alice", "my-own-job"));
    for (method, rest) in WAYS {
        let refusal = app
            .ask(method, format!("{MINE}{rest}"))
            .by(ALICE)
            .send()
            .await
            .expect(503);
        assert_eq!(
            (refusal.header("retry-after"), &refusal.json()["title"]),
            ("5", &json!("Newer version"))
        );
        app.ask(method, format!("{MINE}{rest}"))
            .by(BOB)
            .send()
            .await
            .expect(404);
    }
    let body = json!({ "version": "ryla/flux-dev", "input": fine() });
    app.ask("PUT", MINE)
        .by(ALICE)
        .json(&body)
        .send()
        .await
        .expect(503);
    assert_eq!(app.row(&key("alice", "my-own-job")), row);
}

#[tokio::test]
async fn a_row_of_garbage_is_our_fault_and_shows_nothing_of_itself() {
    let app = TestApp::new();
    app.jobs
        .plant_garbage(&key("alice", "my-own-job"), CREATED_AT);
    for (method, rest) in WAYS {
        let refusal = app
            .ask(method, format!("{MINE}{rest}"))
            .by(ALICE)
            .send()
            .await
            .expect(500);
        assert!(!String::from_utf8_lossy(&refusal.body).contains("phase"));
        let line = app.lines.of("rejected").pop().unwrap();
        assert_eq!(
            (&line["level"], &line["cause"]),
            (&json!("ERROR"), &json!("the row cannot be decoded: phase"))
        );
    }
}

#[tokio::test]
async fn a_rejected_request_is_one_line_that_says_what_and_why() {
    let app = TestApp::new();
    let refusal = app
        .ask("POST", format!("{MINE}/cancel?token=canary"))
        .by(BOB)
        .send()
        .await
        .expect(404);
    let lines = app.lines.of("rejected");
    assert_eq!(lines.len(), 1);
    let mut line = lines[0].clone();
    for of_the_machine in ["timestamp", "target"] {
        line.as_object_mut().unwrap().remove(of_the_machine);
    }
    assert_eq!(
        line,
        json!({
            "level": "INFO", "message": "request rejected", "event": "rejected", "method": "POST",
            "path": format!("{MINE}/cancel"), "status": 404, "title": "Not found",
            "trace_id": refusal.header("x-request-id"),
        })
    );
}

#[tokio::test]
async fn what_was_carried_out_without_a_change_of_state_is_not_logged() {
    let app = TestApp::new();
    app.plant_alices("my-own-job", Phase::Failed);
    app.get(ALICE, MINE).await.expect(200);
    app.get(ALICE, "/v1/predictions").await.expect(200);
    app.post(ALICE, format!("{MINE}/cancel")).await.expect(200);
    assert_eq!(app.lines.text(), "");
}
