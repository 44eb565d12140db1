//! What is kept warm is for operators: to everybody else the route is not there.

use super::app::{ALICE, BOB, Setup, TestApp};
use super::ask::TRACEPARENT;
use super::faults::{off, on};
use futures_util::FutureExt as _;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Account, Deployed, Endpoint, History, Minute, Terms};
use ryla_engine::port::{EndpointState, EndpointStore as _};
use ryla_testing::sample::CREATED_AT;
use serde_json::json;

const OPERATOR: [(&str, &str); 1] = [("OPERATOR_ACCOUNTS", "alice")];

fn operated() -> TestApp {
    Setup {
        settings: &OPERATOR,
        ..Setup::default()
    }
    .start()
}

/// An endpoint that had a cold start, a warm one and an idle time today.
pub(super) fn state(class: &str, now: UnixMs) -> EndpointState {
    let deployed = Deployed {
        window_s: 60.0,
        max: 3,
        usd_per_s: 0.001,
    };
    let minute = Minute::of(now);
    let mut account = Account::new(deployed, minute.previous().begin());
    let at = |second| minute.previous().begin() + Ms::seconds(second);
    account.arrived(at(1));
    account.ended(at(11));
    account.asked(at(12), 1, 45.0, at(12) + Ms::seconds(180), 45.0);
    account.arrived(at(41));
    account.pass(minute.begin());
    let terms = Terms::new(0.001, 0.05, 45.0, 20.0).unwrap();
    EndpointState {
        endpoint: Endpoint {
            backend: "modal".parse().unwrap(),
            class: class.parse().unwrap(),
        },
        rev: 7,
        next: minute,
        history: History::new(terms, 60.0, 0.25, now),
        account,
        in_flight: 1,
        floor: 1,
        window: Ms::seconds(45),
        lease_until: Some(now + Ms::seconds(120)),
        most: Some(3),
        touched_at: None,
        reason: "holds 1 of 1 containers".to_owned(),
        writer: None,
    }
}

fn keep(app: &TestApp, state: &EndpointState) {
    let written = app.endpoints.write_endpoint(None, state).now_or_never();
    assert!(written.unwrap().unwrap());
}

#[tokio::test]
async fn an_operator_sees_every_endpoint_with_its_reason_and_its_day() {
    let app = operated();
    keep(&app, &state("sdxl", CREATED_AT));
    keep(&app, &state("flux", CREATED_AT));
    let shown = app.get(ALICE, "/v1/warm").await.expect(200).json();
    super::snapshots::assert_shown("warm", &shown);
    assert_eq!(
        shown["endpoints"][0]["class"], "flux",
        "in the order of their names"
    );
    assert_eq!(shown["endpoints"][0]["today"]["idle_seconds"], 30.0);
}

#[tokio::test]
async fn a_day_that_is_over_counts_no_more() {
    let app = operated();
    keep(&app, &state("flux", CREATED_AT));
    app.clock.set(CREATED_AT + Ms::seconds(86_400));
    let shown = app.get(ALICE, "/v1/warm").await.expect(200).json();
    let today = &shown["endpoints"][0]["today"];
    assert_eq!(
        (&today["arrivals"], &today["idle_usd"]),
        (&json!(0), &json!(0.0))
    );
}

#[tokio::test]
async fn without_any_endpoint_and_with_warm_off_the_answer_says_so() {
    let app = Setup {
        settings: &[
            ("OPERATOR_ACCOUNTS", "bob, alice"),
            ("WARM_IDLE_USD_PER_DAY", "0"),
        ],
        ..Setup::default()
    }
    .start();
    let shown = app.get(ALICE, "/v1/warm").await.expect(200).json();
    assert_eq!(
        shown,
        json!({"settings": null, "endpoints": [], "unreadable": []})
    );
}

#[tokio::test]
async fn to_whoever_is_no_operator_there_is_no_such_route_to_the_byte() {
    let app = operated();
    keep(&app, &state("flux", CREATED_AT));
    let asked = async |key: &str, path: &str| {
        let ask = app.ask("GET", path).by(key);
        ask.header("traceparent", TRACEPARENT).send().await
    };
    let foreign = asked(BOB, "/v1/warm").await;
    assert_eq!(foreign, asked(BOB, "/v1/no-such-route").await);
    assert_eq!(foreign.status, 404);
    app.ask("GET", "/v1/warm").send().await.expect(401);
    // Nobody is an operator unless the settings say so.
    let usual = TestApp::new();
    usual.get(ALICE, "/v1/warm").await.expect(404);
}

#[tokio::test]
async fn a_table_that_is_throttled_is_said_and_passes() {
    let app = operated();
    on(&app.faults.endpoints);
    let refusal = app.get(ALICE, "/v1/warm").await.expect(503);
    assert!(!refusal.header("retry-after").is_empty());
    off(&app.faults.endpoints);
    app.get(ALICE, "/v1/warm").await.expect(200);
}
