//! Counts that come late or never: what waits for them, and where they are counted.

use super::{stored, ticks};
use crate::stage::{Stage, at, claim, start_of};
use async_trait::async_trait;
use ryla_domain::time::Ms;
use ryla_domain::warm::Minute;
use ryla_engine::dispatch::Handled;
use ryla_engine::port::{
    Arrivals, Clock, End, EndpointState, EndpointStore, Endpoints, Pool, StoreError, Tick,
};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A table that never answers.
#[derive(Default)]
struct Hanging(AtomicU32);

#[async_trait]
impl EndpointStore for Hanging {
    async fn add_arrivals(&self, _: &Arrivals) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        pending().await
    }

    async fn add_end(&self, _: &End) -> Result<bool, StoreError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        pending().await
    }

    async fn ticks(&self, _: Minute) -> Result<Vec<Tick>, StoreError> {
        pending().await
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        pending().await
    }

    async fn write_endpoint(&self, _: Option<u64>, _: &EndpointState) -> Result<bool, StoreError> {
        pending().await
    }

    async fn write_pool(&self, _: Option<u64>, _: &Pool) -> Result<bool, StoreError> {
        pending().await
    }
}

#[tokio::test]
async fn two_seconds_are_waited_for_counts_and_no_more() {
    let stage = Stage::new();
    let mut jobs = stored(&stage, &["one-of-flux"], "flux-dev").await;
    jobs.extend(stored(&stage, &["one-of-sdxl"], "sdxl").await);
    let store = Arc::new(Hanging::default());
    let mut ports = stage.ports();
    ports.endpoints = Arc::clone(&store) as _;
    let settings = Arc::new(stage.settings.clone());
    let dispatch = ports.dispatch(&settings, &stage.only_preview());
    let messages: Vec<_> = jobs
        .iter()
        .map(|job| (start_of(job), claim(job.key.id.as_str())))
        .collect();
    let handled = dispatch.handle_all(&messages).await;
    assert_eq!(handled, [Handled::Done; 2]);
    assert_eq!(store.0.load(Ordering::SeqCst), 2, "both at once");
    assert_eq!(stage.clock.slept(), [Ms::seconds(2)]);
    crate::complete::deliver_with(&ports, &stage, &jobs[..1], 1).await;
    assert_eq!(stage.clock.slept(), [Ms::seconds(2); 2]);
    let ended = stage.row(&jobs[0].key).await;
    assert!(ended.state.phase().is_terminal());
}

#[tokio::test]
async fn a_start_counts_in_the_second_in_which_it_was_sent_however_long_its_batch_lasts() {
    let stage = Stage::new();
    let jobs = stored(&stage, &["the-first", "the-second"], "flux-dev").await;
    stage.clock.set(at(1));
    let clock = Arc::clone(&stage.clock);
    let mut ports = stage.ports_before_write(1, async move { clock.set(at(70)) });
    ports.endpoints = Arc::clone(&stage.endpoints) as _;
    let settings = Arc::new(stage.settings.clone());
    let dispatch = ports.dispatch(&settings, &stage.only_preview());
    let messages: Vec<_> = jobs
        .iter()
        .map(|job| (start_of(job), claim(job.key.id.as_str())))
        .collect();
    dispatch.handle_all(&messages).await;
    assert!(stage.clock.now() >= at(70));
    for second in [1, 70] {
        let ticks = ticks(&stage, at(second)).await;
        let of = Minute::of(at(second));
        let arrivals: Vec<_> = ticks[0]
            .seconds
            .iter()
            .map(|(s, counted)| (of.second(*s), counted.arrivals))
            .collect();
        assert_eq!(arrivals, [(at(second), 1)]);
    }
}
