//! API keys.

use super::app::{ALICE, BOB, TestApp};
use crate::routes::{Access, ROUTES};
use ryla_domain::time::Ms;
use ryla_engine::port::{AccountStore as _, KeyHash};
use serde_json::json;

/// A path of the route.
fn path(template: &str) -> String {
    template
        .replace("{owner}", "ryla")
        .replace("{name}", "flux-dev")
        .replace(['{', '}'], "")
}

#[tokio::test]
async fn every_route_behind_a_key_refuses_a_missing_and_an_unknown_one_before_anything_else() {
    let app = TestApp::new();
    for route in ROUTES.iter().filter(|route| route.access == Access::Key) {
        for authorization in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer canary-unknown"),
            Some("Basic canary"),
            Some(ALICE),
            Some("Bearer canary key"),
        ] {
            let mut ask = app
                .ask(route.method, path(route.path))
                .body("canary, no JSON");
            if let Some(value) = authorization {
                ask = ask.header("authorization", value);
            }
            let refusal = ask.send().await.expect(401);
            assert_eq!(refusal.header("www-authenticate"), "Bearer");
        }
    }
    app.assert_nothing_stored();
    assert_eq!(app.store_calls(), 0);
}

#[tokio::test]
async fn a_key_is_taken_under_either_scheme_in_any_case() {
    let app = TestApp::new();
    for (scheme, key, name) in [
        ("Bearer", ALICE, "alice"),
        ("Token", BOB, "bob"),
        ("bearer", BOB, "bob"),
        ("TOKEN ", ALICE, "alice"),
    ] {
        let ask = app
            .ask("GET", "/v1/account")
            .header("authorization", format!("{scheme} {key}"));
        assert_eq!(ask.send().await.expect(200).json()["username"], json!(name));
    }
}

#[tokio::test]
async fn a_key_is_looked_up_once_a_minute_and_an_unknown_one_each_time() {
    let app = TestApp::new();
    let reads_for = async |key: &str, status: u16| {
        let before = app.accounts.reads();
        app.get(key, "/v1/account").await.expect(status);
        app.accounts.reads() - before
    };
    assert_eq!(reads_for(ALICE, 200).await, 1);
    assert_eq!(reads_for(ALICE, 200).await, 0);
    assert_eq!(reads_for(BOB, 200).await, 1);
    app.clock.advance(Ms(59_999));
    assert_eq!(reads_for(ALICE, 200).await, 0);
    app.clock.advance(Ms(1));
    assert_eq!(reads_for(ALICE, 200).await, 1);
    assert_eq!(reads_for(ALICE, 200).await, 0);
    assert_eq!(reads_for("canary-unknown", 401).await, 1);
    assert_eq!(reads_for("canary-unknown", 401).await, 1);
}

#[tokio::test]
async fn a_thousand_keys_are_remembered_and_old_ones_make_room() {
    let app = TestApp::new();
    let alice = ryla_engine::port::Account {
        id: "alice".parse().unwrap(),
    };
    let nth = |n: u32| format!("canary-key-{n}");
    for n in 0..=1_000 {
        let hash = KeyHash::of(&nth(n));
        app.accounts.add_key(&hash, &alice).await.unwrap();
        app.get(&nth(n), "/v1/account").await.expect(200);
    }
    let reads_for = async |n: u32| {
        let before = app.accounts.reads();
        app.get(&nth(n), "/v1/account").await.expect(200);
        app.accounts.reads() - before
    };
    assert_eq!((reads_for(0).await, reads_for(999).await), (0, 0));
    assert_eq!((reads_for(1_000).await, reads_for(1_000).await), (1, 1));
    app.clock.advance(Ms::seconds(60));
    assert_eq!((reads_for(1_000).await, reads_for(1_000).await), (1, 0));
}
