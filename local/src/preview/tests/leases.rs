//! Leases on containers: taken over HTTP, ended by nobody who serves HTTP.

use super::world::World;
use super::{RUN, slow};
use crate::preview::{ContainerEvent, Happened, PreviewOptions};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use ryla_testing::ManualClock;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NOW: UnixMs = UnixMs(1_763_718_310_000);
const LEASE: Ms = Ms::seconds(180);

fn booting(boot: Ms) -> PreviewOptions {
    PreviewOptions {
        boot,
        concurrency: 2,
        ..PreviewOptions::default()
    }
}

async fn timed(options: PreviewOptions, folder: &Path) -> (World, Arc<ManualClock>) {
    timed_at(NOW, options, folder).await
}

async fn timed_at(
    now: UnixMs,
    options: PreviewOptions,
    folder: &Path,
) -> (World, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(now));
    clock.hold_sleepers();
    let world = World::timed(options, Arc::clone(&clock) as Arc<dyn Clock>, folder).await;
    (world, clock)
}

fn lease(floor: u32, window_s: u32, until: UnixMs) -> Value {
    json!({"v": 1, "classes": {"flux": {"floor": floor, "window_s": window_s}}, "lease_until": until})
}

/// Floor, containers and window of the class, once they are so.
async fn stands(world: &World, floor: u32, containers: usize, window: Ms) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let state = world.preview.containers_of("flux").unwrap();
        if (state.floor, state.containers(), state.window) == (floor, containers, window) {
            return;
        }
        assert!(Instant::now() < until, "{state:?}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn who_serves_the_route_and_who_renews_may_both_die_and_all_is_cold_in_three_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let (world, clock) = timed(booting(Ms::seconds(30)), folder.path()).await;
    let (status, reply) = world.lease(&lease(2, 120, NOW + LEASE)).await;
    assert_eq!(
        (status, &reply["classes"]["flux"]),
        (200, &json!({"floor": 2, "max": 2}))
    );
    stands(&world, 2, 2, Ms::seconds(120)).await;
    world.preview.stop_serving().await;
    let url = format!("{}/v1/health", world.preview.url());
    assert!(world.http.get(url).send().await.is_err(), "nobody answers");

    // Nobody renews either; step by step, so that each sleeper sees its time come.
    let mut cold_after = None;
    for second in 1..=240_u64 {
        clock.advance(Ms::seconds(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        sleep(Duration::from_millis(1)).await;
        let state = world.preview.containers_of("flux").unwrap();
        if second < 179 {
            assert_eq!(
                (state.floor, state.containers()),
                (2, 2),
                "after {second} s"
            );
        }
        if state.containers() == 0 {
            cold_after = Some(second);
            break;
        }
    }
    assert!(cold_after.is_some_and(|s| s <= 181), "{cold_after:?}");
    let events = world.preview.container_events();
    let last = events.last().unwrap();
    assert!(last.at <= NOW + LEASE + Ms::seconds(1), "{last:?}");
}

#[tokio::test]
async fn what_only_the_window_holds_is_gone_before_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let (world, clock) = timed(booting(Ms(0)), folder.path()).await;
    world.lease(&lease(0, 120, NOW + LEASE)).await;
    world.submit(RUN).await;
    world.all_callbacks(RUN).await;
    stands(&world, 0, 1, Ms::seconds(120)).await;
    clock.advance(Ms::seconds(119));
    sleep(Duration::from_millis(20)).await;
    stands(&world, 0, 1, Ms::seconds(120)).await;
    clock.advance(Ms::seconds(1));
    stands(&world, 0, 0, Ms::seconds(120)).await;
    clock.advance(Ms::seconds(60));
    stands(&world, 0, 0, Ms::seconds(120)).await;
}

#[tokio::test]
async fn a_short_window_outlives_its_lease_and_a_long_one_does_not() {
    for (leased_s, stays_s) in [(2, 2), (120, 120), (121, 60), (1_200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let (world, clock) = timed(booting(Ms(0)), folder.path()).await;
        world.lease(&lease(1, leased_s, NOW + LEASE)).await;
        stands(&world, 1, 1, Ms::seconds(leased_s.into())).await;
        clock.advance(LEASE);
        stands(&world, 0, 0, Ms::seconds(stays_s)).await;
        // One that says nothing of the window leaves it, also for whoever reads the file later.
        let silent =
            json!({"v": 1, "classes": {"flux": {"floor": 0}}, "lease_until": NOW + LEASE + LEASE});
        assert_eq!(world.lease(&silent).await.0, 200);
        drop(world);
        let (again, _) = timed(booting(Ms(0)), folder.path()).await;
        stands(&again, 0, 0, Ms::seconds(stays_s)).await;
    }
}

#[tokio::test]
async fn a_renewed_lease_goes_on_and_a_class_that_it_leaves_out_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (world, clock) = timed(booting(Ms(0)), folder.path()).await;
    world.lease(&lease(1, 60, NOW + LEASE)).await;
    clock.advance(Ms::seconds(60));
    let other =
        json!({"v": 1, "classes": {"sdxl": {"floor": 1}}, "lease_until": NOW + Ms::seconds(240)});
    assert_eq!(world.lease(&other).await.0, 200);
    stands(&world, 1, 1, Ms::seconds(60)).await;
    clock.advance(Ms::seconds(60));
    world.lease(&lease(1, 60, NOW + Ms::seconds(300))).await;
    clock.advance(Ms::seconds(119));
    sleep(Duration::from_millis(20)).await;
    stands(&world, 1, 1, Ms::seconds(60)).await;
    assert_eq!(world.preview.containers_of("sdxl").unwrap().floor, 1);
    clock.advance(Ms::seconds(1));
    let until = Instant::now() + Duration::from_secs(10);
    while world.preview.containers_of("sdxl").unwrap().floor > 0 {
        assert!(Instant::now() < until, "sdxl's lease is over");
        sleep(Duration::from_millis(2)).await;
    }
    stands(&world, 1, 1, Ms::seconds(60)).await;
}

#[tokio::test]
async fn a_lease_outlives_the_process_and_one_that_is_over_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = timed(booting(Ms(0)), folder.path()).await;
    world.lease(&lease(1, 90, NOW + LEASE)).await;
    drop(world);
    let (again, clock) = timed(booting(Ms(0)), folder.path()).await;
    stands(&again, 1, 1, Ms::seconds(90)).await;
    clock.advance(LEASE);
    stands(&again, 0, 0, Ms::seconds(90)).await;
    drop(again);
    let (later, _) = timed(booting(Ms(0)), folder.path()).await;
    later.lease(&lease(0, 60, NOW + Ms(1))).await;
    std::fs::write(folder.path().join("leases.json"), "{").unwrap();
    drop(later);
    let (broken, _) = timed(booting(Ms(0)), folder.path()).await;
    stands(&broken, 0, 0, Ms::seconds(60)).await;
    assert_eq!(broken.lease(&lease(1, 60, NOW + LEASE)).await.0, 200);
    stands(&broken, 1, 1, Ms::seconds(60)).await;
}

/// Who renews died when the lease was taken. A restart boots what is still to be held, and nothing else.
#[tokio::test]
async fn a_restart_of_the_process_makes_no_lease_longer() {
    let (ends, window) = (NOW + LEASE, Ms::seconds(5));
    // Down for some seconds within the lease, until its last ones, until its end, and beyond it.
    for (died_s, back_s) in [(60, 61), (100, 174), (100, 180), (1, 500)] {
        let folder = tempfile::tempdir().unwrap();
        let (world, clock) = timed(booting(Ms(0)), folder.path()).await;
        world.lease(&lease(2, 5, ends)).await;
        clock.advance(Ms::seconds(died_s));
        stands(&world, 2, 2, window).await;
        drop(world);

        let back = NOW + Ms::seconds(back_s);
        let (again, clock) = timed_at(back, booting(Ms(0)), folder.path()).await;
        if back < ends {
            stands(&again, 2, 2, window).await;
            clock.advance(Ms(ends.since(back).0 - 1));
            sleep(Duration::from_millis(20)).await;
            stands(&again, 2, 2, window).await;
            clock.advance(Ms(1));
        }
        stands(&again, 0, 0, window).await;
        let events = again.preview.container_events();
        let booted = |event: &ContainerEvent| matches!(event.what, Happened::BootBegan { .. });
        assert_eq!(events.iter().any(booted), back < ends, "{events:?}");
    }
}

#[tokio::test]
async fn a_lease_that_does_not_fit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = timed(booting(Ms(0)), folder.path()).await;
    let until = NOW + LEASE;
    let with = |classes: Value| json!({"v": 1, "classes": classes, "lease_until": until});
    for (message, status, said, max) in [
        (lease(1, 60, NOW), 422, "lease_until: ", Value::Null),
        (
            lease(1, 60, NOW + Ms::seconds(901)),
            422,
            "lease_until: ",
            Value::Null,
        ),
        (
            lease(3, 60, until),
            422,
            "classes.flux.floor: must be 0 to 2",
            json!({"flux": 2}),
        ),
        (
            with(json!({"flux": {"floor": 1}, "nope": {"floor": 1}})),
            422,
            "classes.nope: ",
            Value::Null,
        ),
        (
            with(json!({"flux": {"floor": 1, "window_s": "x"}})),
            422,
            "classes.flux.window_s: ",
            Value::Null,
        ),
        (with(json!({})), 422, "classes: ", Value::Null),
        (
            json!({"v": 2}),
            400,
            "the message has a newer version",
            Value::Null,
        ),
        (json!([1]), 400, "body: ", Value::Null),
        (
            with(json!({"flux": {"floor": 1, "note": "x".repeat(300_000)}})),
            413,
            "the message is too long",
            Value::Null,
        ),
    ] {
        let (answered, refusal) = world.lease(&message).await;
        assert_eq!(answered, status, "{refusal}");
        assert!(
            refusal["message"].as_str().unwrap().starts_with(said),
            "{refusal}"
        );
        assert_eq!(refusal["max"], max, "{refusal}");
    }
    stands(&world, 0, 0, Ms::seconds(60)).await;
    assert!(!folder.path().join("leases.json").exists());
}

#[tokio::test]
async fn classes_have_containers_of_their_own() {
    let world = World::start(slow(60_000)).await;
    world.submit("acme.job-0001.1").await;
    world.stands("acme.job-0001.1", "running").await;
    let catalog = ryla_domain::model::catalog();
    let other = catalog.iter().find(|model| model.class == "sdxl").unwrap();
    let first = catalog.iter().find(|model| model.class == "flux").unwrap();
    let mut message = world.message("acme.job-0002.1");
    message["workflow"] = json!(first.workflow);
    assert_eq!(world.post(&message).await.0, 202);
    let mut message = world.message("acme.job-0003.1");
    message["workflow"] = json!(other.workflow);
    let (status, reply) = world.post(&message).await;
    assert_eq!(status, 202, "{reply}");
    world.stands("acme.job-0003.1", "running").await;
    assert_eq!(world.status("acme.job-0002.1").await["status"], "pending");
}
