//! What is kept warm, in the whole system: dispatch and callbacks count, `warm` takes leases at the preview
//! GPU, operators see why, and whatever dies, everything cools by itself.

use crate::app::{TestApp, options, until};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock as _;
use ryla_local::{ClassState, Happened, Options, PreviewOptions};
use serde_json::{Value, json};
use std::time::Duration;

/// Seconds of the containers' clock in one of this machine's.
const SPEED: f64 = 60.0;
/// A minute of theirs.
const MINUTE: Duration = Duration::from_secs(1);
/// In what follows, their minutes are waited for.
const SOON: Duration = Duration::from_secs(30);

/// A system whose cold waits are dear, so that a container that was used is held for as long as may be.
fn dear() -> Options {
    Options {
        preview: PreviewOptions {
            boot: Ms::seconds(30),
            run: Ms::seconds(10),
            concurrency: 3,
            speed: SPEED,
            ..PreviewOptions::default()
        },
        ..options()
    }
    .with("WARM_VALUE_USD", "900")
    .with("WARM_IDLE_USD_PER_DAY", "1000")
    .with("OPERATOR_ACCOUNTS", "alice")
}

fn flux(app: &TestApp) -> ClassState {
    app.gpu().containers_of("flux").unwrap()
}

async fn shown(app: &TestApp) -> Value {
    app.alice().get("/v1/warm").await.expect(200)
}

/// A run that has ended, and the floor that holds its container since.
async fn held(app: &TestApp) -> ClassState {
    let id = app.alice().small("a harbour in the morning").await;
    app.alice().ended(&id).await;
    until("the container is held", SOON, async || {
        let state = flux(app);
        if state.floor > 0 && state.idle > 0 {
            Ok(state)
        } else {
            Err(format!("{state:?}"))
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_is_held_by_leases_for_longer_than_its_own_window_and_operators_see_why() {
    let app = TestApp::start(dear()).await;
    held(&app).await;
    // Five minutes of theirs: its own window is one, and no lease is longer than three.
    tokio::time::sleep(5 * MINUTE).await;
    assert!(flux(&app).idle > 0, "{:?}", flux(&app));
    let shown = shown(&app).await;
    let endpoint = &shown["endpoints"][0];
    assert_eq!(
        (&endpoint["backend"], &endpoint["class"], &endpoint["floor"]),
        (&json!("preview"), &json!("flux"), &json!(1)),
        "{shown}"
    );
    assert_eq!(
        endpoint["max_containers"], 3,
        "learnt from the app: {shown}"
    );
    let reason = endpoint["reason"].as_str().unwrap();
    assert!(reason.starts_with("holds 1 of 1 containers: "), "{reason}");
    assert_eq!(endpoint["today"]["arrivals"], 1, "{shown}");
    assert_eq!(endpoint["today"]["cold_starts"], 1, "{shown}");
    assert!(
        endpoint["today"]["idle_seconds"].as_f64().unwrap() > 60.0,
        "{shown}"
    );

    // Whoever comes now is spared the boot.
    let id = app.alice().small("the same harbour at noon").await;
    let job = app.alice().ended(&id).await;
    assert_eq!(job["metrics"]["cold_start_seconds"], 0.0, "{job}");
    until("it is counted as spared", SOON, async || {
        let shown = self::shown(&app).await;
        match &shown["endpoints"][0]["today"]["cold_starts_avoided"] {
            Value::Number(one) if one.as_u64() == Some(1) => Ok(()),
            _ => Err(shown.to_string()),
        }
    })
    .await;
    app.bob().get("/v1/warm").await.expect(404);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_lease_route_and_then_warm_have_died_everything_is_cold_within_three_minutes() {
    let app = TestApp::start(dear()).await;
    held(&app).await;
    app.gpu().stop_serving().await;
    app.stop_warm();
    let died: UnixMs = app.containers_clock().now();
    until("everything is cold", SOON, async || match flux(&app) {
        state if state.containers() == 0 && state.floor == 0 => Ok(()),
        state => Err(format!("{state:?}")),
    })
    .await;
    let events = app.gpu().container_events();
    let gone = events
        .iter()
        .rfind(|event| matches!(event.what, Happened::Released { .. }));
    let gone = gone.unwrap().at;
    // The lease may have been renewed up to the last moment. Half a second is this machine's; that not a
    // second is added to the lease itself is shown by the preview GPU's own test, on a clock set by hand.
    let late = app.containers_clock().shown(Ms(500));
    let latest = died + Ms::seconds(180) + late;
    assert!(gone <= latest, "{gone} after {died}");
    assert!(gone > died, "it was held when they died");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_warm_is_off_nothing_is_counted_and_the_classs_own_window_holds() {
    let app = TestApp::start(dear().with("WARM_IDLE_USD_PER_DAY", "0")).await;
    let id = app.alice().small("a boat").await;
    app.alice().ended(&id).await;
    until("its container goes", SOON, async || match flux(&app) {
        state if state.containers() == 0 => Ok(()),
        state => Err(format!("{state:?}")),
    })
    .await;
    assert_eq!(
        shown(&app).await,
        json!({"settings": null, "endpoints": [], "unreadable": []})
    );
    let events = app.gpu().container_events();
    let sets = events
        .iter()
        .filter(|event| matches!(event.what, Happened::Set { .. }));
    assert_eq!(sets.count(), 0);
    app.finish().await;
}
