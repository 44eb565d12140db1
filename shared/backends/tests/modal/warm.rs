//! `lease`: what is sent, what an answer teaches, and that nothing but an answer of the app's counts as
//! a lease.

use crate::answers::{Port, all};
use crate::app::{Answer, App, Play};
use crate::bench::{Lines, backend, trace};
use ryla_domain::id::GpuClass;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Backend, Lease, Leased, Levers};
use serde_json::{Value, json};

fn class(name: &str) -> GpuClass {
    name.parse().unwrap()
}

/// Five containers of a class that has four at most, and none of another.
fn lease() -> Lease {
    let levers = |floor, seconds| Levers {
        floor,
        window: Ms::seconds(seconds),
    };
    Lease {
        classes: [
            (class("flux"), levers(5, 20)),
            (class("sdxl"), levers(0, 120)),
        ]
        .into(),
        until: UnixMs(1_763_718_490_000),
    }
}

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/v1/modal");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}

async fn leased(status: u16, body: &str) -> (Leased, App) {
    let play = Play::Answer(Answer::json(status, body));
    let app = App::playing(std::slice::from_ref(&play)).await;
    let leased = backend(&app, &play).lease(&lease(), &trace()).await;
    (leased, app)
}

#[tokio::test]
async fn all_classes_go_out_in_one_message_and_the_answer_names_their_maxima() {
    let lines = Lines::collect();
    let (leased, app) = leased(200, &fixture("warm-reply")).await;
    let mosts = [(class("flux"), 4), (class("sdxl"), 2)];
    assert_eq!(leased, Leased::Taken(mosts.into()));
    assert!(lines.take().is_empty());
    let received = app.received();
    assert_eq!(received.len(), 1);
    let sent = &received[0];
    assert_eq!((sent.method.as_str(), &*sent.path), ("POST", "/v1/warm"));
    assert_eq!(sent.headers["modal-key"], "wk-hush");
    let traceparent = sent.headers["traceparent"].to_str().unwrap();
    assert!(traceparent.contains(trace().as_str()));
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let expected = json!({
        "v": 1,
        "classes": {"flux": {"floor": 5, "window_s": 20}, "sdxl": {"floor": 0, "window_s": 120}},
        "lease_until": 1_763_718_490_000_i64,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_app_that_names_no_maximum_has_taken_the_lease_all_the_same() {
    let body = r#"{"v":1,"classes":{"flux":{"floor":5},"No Class":{"floor":0,"max":1}}}"#;
    let (leased, _) = leased(200, body).await;
    assert_eq!(leased, Leased::Taken([].into()));
}

#[tokio::test]
async fn a_floor_above_the_maximum_comes_back_with_class_and_maximum() {
    let lines = Lines::collect();
    let (leased, _) = leased(422, &fixture("refusal-warm")).await;
    let refused = Leased::Refused {
        class: Some(class("flux")),
        most: Some(4),
    };
    assert_eq!(leased, refused);
    let log = lines.take();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (&log[0]["call"], &log[0]["run"]),
        (&json!("lease"), &Value::Null)
    );
}

#[tokio::test]
async fn a_class_that_the_app_does_not_have_is_named() {
    for (message, named) in [
        ("classes.sdxl: is not a class of this app", Some("sdxl")),
        ("classes.flux.window_s: must be whole seconds", Some("flux")),
        ("lease_until: must be within the next 15 minutes", None),
        ("classes.: is not a class of this app", None),
    ] {
        let body = json!({"v": 1, "code": "invalid_input", "message": message});
        let (leased, _) = leased(422, &body.to_string()).await;
        let refused = Leased::Refused {
            class: named.map(class),
            most: None,
        };
        assert_eq!(leased, refused, "{message}");
    }
}

#[tokio::test]
async fn nothing_else_is_taken_for_a_lease() {
    let lines = Lines::collect();
    for row in all() {
        let app = App::playing(std::slice::from_ref(&row.play)).await;
        let leased = backend(&app, &row.play).lease(&lease(), &trace()).await;
        let expected = match row.port {
            Port::Refused(_) => Leased::Refused {
                class: None,
                most: None,
            },
            _ => Leased::Unreachable,
        };
        assert_eq!(leased, expected, "{}", row.answer);
        let log = lines.take();
        assert_eq!(log.len(), 1, "{}", row.answer);
        assert_eq!(log[0]["call"], "lease");
        // A reply about another run is no answer to a lease at all.
        let reason = match row.reason {
            "another_run" => "wrong_json",
            reason => reason,
        };
        assert_eq!(log[0]["reason"], reason, "{}", row.answer);
    }
}
