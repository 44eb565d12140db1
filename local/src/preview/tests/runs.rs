//! What happens to a run on its container.

use super::world::World;
use super::{RUN, events, slow, world};
use crate::preview::PreviewOptions;
use http::Method;
use ryla_backends::modal::wire::{Event, Stage};
use ryla_domain::time::Ms;
use ryla_engine::port::Clock;
use ryla_engine::system::SystemClock;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn a_run_is_put_into_the_bucket_with_the_signed_headers_and_reported_in_order() {
    let world = world().await;
    let (status, reply) = world.submit(RUN).await;
    assert_eq!((status, &reply["run"]), (202, &json!(RUN)));
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(events(&callbacks), [Event::Started, Event::Succeeded]);
    assert!(
        callbacks
            .iter()
            .zip(1..)
            .all(|(callback, seq)| callback.seq == seq)
    );
    let end = &callbacks[1];
    assert_eq!(json!(end.call_id), reply["call_id"]);
    assert_eq!(end.gpu.as_deref(), Some("preview"));
    let puts = world.seen("/put");
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].method, Method::PUT);
    assert_eq!(puts[0].headers["content-type"], "image/png");
    assert_eq!(puts[0].headers["if-none-match"], "*");
    assert!(
        puts[0]
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("x-amz"))
    );
    let output = &end.outputs[0];
    assert_eq!(output.etag.as_deref(), Some("e1"));
    assert_eq!((output.width, output.height), (Some(64), Some(48)));
    assert_eq!(output.bytes, Some(puts[0].body.len() as u64));
    let status = world.status(RUN).await;
    assert_eq!(status["status"], "done");
    assert_eq!(status["result"]["outputs"], json!(end.outputs));
}

#[tokio::test]
async fn a_run_past_its_deadline_is_not_begun() {
    let world = world().await;
    let mut message = world.message(RUN);
    message["deadline_at"] = json!(SystemClock.now() - Ms(1));
    assert_eq!(world.post(&message).await.0, 202);
    assert_eq!(events(&world.all_callbacks(RUN).await), [Event::Expired]);
    assert_eq!(world.status(RUN).await["status"], "expired");
    assert_eq!((world.preview.gpu_runs(), world.seen("/put").len()), (0, 0));
}

#[tokio::test]
async fn a_run_over_its_limit_ends_as_a_timeout() {
    let world = World::start(slow(20_000)).await;
    let mut message = world.message(RUN);
    message["run_limit_ms"] = json!(300);
    world.post(&message).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(callbacks.last().unwrap().failure().code.name(), "timeout");
}

#[tokio::test]
async fn a_run_is_cancelled_at_once_while_it_waits_and_by_its_worker_once_it_runs() {
    let world = World::start(slow(60_000)).await;
    world.submit("acme.job-0001.1").await;
    world.stands("acme.job-0001.1", "running").await;
    world.submit("acme.job-0002.1").await;
    assert_eq!(world.status("acme.job-0002.1").await["status"], "pending");
    assert_eq!(world.cancel("acme.job-0002.1").await, "cancelled");
    assert_eq!(world.cancel("acme.job-0001.1").await, "cancelling");
    let callbacks = world.all_callbacks("acme.job-0001.1").await;
    assert_eq!(callbacks.last().unwrap().event, Event::Cancelled);
    assert_eq!(world.cancel("acme.job-0001.1").await, "cancelled");
    assert_eq!(world.preview.gpu_runs(), 1);
}

#[tokio::test]
async fn a_run_says_that_it_is_alive_and_how_far_it_is() {
    let world = World::start(slow(2_500)).await;
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    let progress: Vec<_> = callbacks
        .iter()
        .filter(|c| c.event == Event::Progress)
        .collect();
    assert_eq!(progress.len(), 2);
    assert!(
        progress
            .iter()
            .all(|c| c.phase == Some(Stage::Run) && !c.renew)
    );
    assert!((30..60).contains(&progress[0].progress.unwrap()));
    assert!(callbacks.last().unwrap().timings.unwrap().run >= 2_500);
}

#[tokio::test]
async fn a_container_boots_once_and_is_cold_again_after_idling() {
    let world = World::start(PreviewOptions {
        boot: Ms(300),
        idle: Ms(500),
        concurrency: 2,
        ..PreviewOptions::default()
    })
    .await;
    let mut boots = Vec::new();
    for (n, idle_ms) in [0, 0, 0, 800].into_iter().enumerate() {
        sleep(Duration::from_millis(idle_ms)).await;
        let run = format!("acme.job-000{n}.1");
        world.submit(&run).await;
        let status = world.stands(&run, "done").await;
        boots.push(status["result"]["timings"]["boot"].as_u64().unwrap() >= 300);
    }
    assert_eq!(boots, [true, false, false, true]);
}

#[tokio::test]
async fn at_a_rate_of_one_every_run_fails() {
    let world = World::start(PreviewOptions {
        fail: 1.0,
        ..PreviewOptions::default()
    })
    .await;
    world.submit(RUN).await;
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(events(&callbacks), [Event::Started, Event::Failed]);
    assert_eq!(callbacks[1].failure().code.name(), "gpu_error");
    assert_eq!(
        world.status(RUN).await["result"]["error"]["code"],
        "gpu_error"
    );
}

#[tokio::test]
async fn a_long_input_is_fetched_from_where_it_lies() {
    let world = world().await;
    let mut message = world.message(RUN);
    let params = message.as_object_mut().unwrap().remove("params").unwrap();
    message["input_url"] = json!(world.url("/input"));
    world.say("/input", [(200, params)]);
    assert_eq!(world.post(&message).await.0, 202);
    let callbacks = world.all_callbacks(RUN).await;
    assert_eq!(callbacks.last().unwrap().event, Event::Succeeded);
}
