//! Uploads and callbacks, and what their receivers answer.

use super::world::World;
use super::{RUN, events, slow, world};
use crate::preview::PreviewOptions;
use ryla_backends::modal::wire::Event::{self, Progress, Started, Succeeded};
use ryla_engine::port::Clock;
use ryla_engine::system::SystemClock;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;

#[tokio::test]
async fn a_picture_that_lies_there_already_is_reported_without_figures() {
    let world = world().await;
    world.say("/put", [(409, json!({})), (412, json!({}))]);
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    let output = &callbacks.last().unwrap().outputs[0];
    assert!(output.existed && output.etag.is_none() && output.bytes.is_none());
    assert_eq!(world.seen("/put").len(), 2);
}

#[tokio::test]
async fn an_upload_url_that_is_too_old_is_renewed_on_a_heartbeat() {
    let world = world().await;
    world.say("/put", [(403, json!({}))]);
    let renewed = json!({"slot": 0, "put_url": world.url("/renewed"), "headers": {"x-new": "1"}});
    let go_on = json!({"v": 1, "continue": true});
    let urls = json!({"v": 1, "continue": true, "put_urls": [renewed]});
    // The question itself meets a server that is away for a moment.
    world.say("/callback", [(200, go_on), (503, json!({})), (200, urls)]);
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(events(&callbacks), [Started, Progress, Progress, Succeeded]);
    assert!(callbacks[1].renew && callbacks[1].event_id == callbacks[2].event_id);
    assert_eq!(world.seen("/renewed")[0].headers["x-new"], "1");
}

#[tokio::test]
async fn a_bucket_that_refuses_for_good_fails_the_run() {
    let world = world().await;
    world.say("/put", [(400, json!({}))]);
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(callbacks.last().unwrap().failure().code.name(), "internal");
    assert_eq!(world.status(RUN).await["status"], "failed");
}

#[tokio::test]
async fn a_renewed_url_that_is_refused_too_is_not_renewed_again() {
    let world = world().await;
    world.say("/put", [(403, json!({}))]);
    world.say("/renewed", [(403, json!({}))]);
    let renewed = json!({"slot": 0, "put_url": world.url("/renewed"), "headers": {}});
    let go_on = json!({"v": 1, "continue": true});
    let urls = json!({"v": 1, "continue": true, "put_urls": [renewed]});
    world.say("/callback", [(200, go_on), (200, urls)]);
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(callbacks.iter().filter(|c| c.renew).count(), 1);
    assert_eq!(callbacks.last().unwrap().failure().code.name(), "internal");
    assert_eq!(world.seen("/renewed").len(), 1);
}

#[tokio::test]
async fn the_last_callback_is_sent_again_until_it_is_taken_and_is_always_the_same() {
    let world = world().await;
    let go_on = (200, json!({"v": 1, "continue": true}));
    world.say("/callback", [go_on, (503, json!({})), (429, json!({}))]);
    world.submit(RUN).await;
    sleep(Duration::from_millis(2_500)).await;
    let callbacks = world.callbacks(RUN);
    assert_eq!(callbacks.len(), 4);
    assert!(callbacks[1] == callbacks[2] && callbacks[2] == callbacks[3]);
}

#[tokio::test]
async fn a_container_is_free_only_when_its_runs_last_word_was_taken() {
    let world = world().await;
    let go_on = (200, json!({"v": 1, "continue": true}));
    world.say("/callback", [go_on, (503, json!({})), (503, json!({}))]);
    world.submit(RUN).await;
    let busy = || world.preview.containers_of("flux").unwrap().busy;
    while world.callbacks(RUN).len() < 3 {
        // Whatever this machine takes: read before it is known that the last one has not come.
        let busy = busy();
        let told = world.callbacks(RUN).len();
        assert!(
            busy == 1 || !(2..=3).contains(&told),
            "as a worker's, which says it again"
        );
        sleep(Duration::from_millis(5)).await;
    }
    let until = Instant::now() + Duration::from_secs(10);
    while busy() > 0 {
        assert!(Instant::now() < until, "free once it was taken");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.callbacks(RUN).len(), 4);
}

#[tokio::test]
async fn a_callback_that_is_refused_is_not_sent_again_and_a_started_one_never_is() {
    let world = world().await;
    world.say("/callback", [(503, json!({})), (404, json!({}))]);
    world.submit(RUN).await;
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        events(&world.callbacks(RUN)),
        [Event::Started, Event::Succeeded]
    );
}

#[tokio::test]
async fn a_clock_that_is_off_is_set_right_once_by_the_servers() {
    let world = world().await;
    let ahead = SystemClock.now().seconds() + 1_000;
    let stale = json!({"status": 401, "code": "stale_timestamp", "server_time": ahead});
    world.say("/callback", [(401, stale)]);
    world.submit(RUN).await;
    world.all_callbacks(RUN).await;
    let stamps: Vec<i64> = world
        .seen("/callback")
        .iter()
        .map(|seen| seen.headers["x-ryla-signature"].to_str().unwrap())
        .map(|signature| signature[2..].split(',').next().unwrap().parse().unwrap())
        .collect();
    assert!(stamps[0] < ahead - 900, "{stamps:?}");
    assert!(
        stamps[1..].iter().all(|stamp| *stamp >= ahead),
        "{stamps:?}"
    );
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_stops() {
    let world = World::start(slow(60_000)).await;
    world.say("/callback", [(200, json!({"v": 1, "continue": false}))]);
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(events(&callbacks), [Event::Started, Event::Cancelled]);
    assert!(world.seen("/put").is_empty());
}

#[tokio::test]
async fn at_a_rate_of_one_no_callback_is_sent_and_the_result_can_be_asked_for() {
    let world = World::start(PreviewOptions {
        lose_callbacks: 1.0,
        ..PreviewOptions::default()
    })
    .await;
    world.submit(RUN).await;
    let status = world.stands(RUN, "done").await;
    assert_eq!(status["result"]["outputs"][0]["etag"], "e1");
    sleep(Duration::from_millis(700)).await;
    assert!(world.seen("/callback").is_empty());
}
