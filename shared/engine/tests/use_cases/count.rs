//! What dispatch, callback and sweep count for `warm`, and what that costs.

mod ends;
mod late;

use crate::complete::deliver_all;
use crate::stage::{Stage, at, claim, start_of};
use async_trait::async_trait;
use ryla_domain::failure::Code;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::Minute;
use ryla_engine::dispatch::Handled;
use ryla_engine::port::{
    Arrivals, End, EndpointState, EndpointStore, Endpoints, Measured, Pool, StartOutcome,
    StoreError, Tick,
};
use ryla_engine::settings::Settings;
use ryla_testing::backend::Scripted;
use ryla_testing::sample::a_job;
use std::sync::Arc;

/// A table that takes no counts.
struct Broken;

#[async_trait]
impl EndpointStore for Broken {
    async fn add_arrivals(&self, _: &Arrivals) -> Result<(), StoreError> {
        Err(StoreError::Throttled("no more".into()))
    }

    async fn add_end(&self, _: &End) -> Result<bool, StoreError> {
        Err(StoreError::Throttled("no more".into()))
    }

    async fn ticks(&self, _: Minute) -> Result<Vec<Tick>, StoreError> {
        Ok(Vec::new())
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        Ok(Endpoints::default())
    }

    async fn write_endpoint(&self, _: Option<u64>, _: &EndpointState) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn write_pool(&self, _: Option<u64>, _: &Pool) -> Result<bool, StoreError> {
        Ok(false)
    }
}

async fn ticks(stage: &Stage, now: UnixMs) -> Vec<Tick> {
    stage.endpoints.ticks(Minute::of(now)).await.unwrap()
}

async fn stored(stage: &Stage, names: &[&str], model: &str) -> Vec<Job> {
    let mut jobs = Vec::new();
    for name in names {
        let job = a_job()
            .id(name)
            .with(|job| model.clone_into(&mut job.model));
        jobs.push(stage.store(job.build()).await);
    }
    jobs
}

async fn dispatched(stage: &Stage, jobs: &[Job]) -> Vec<Handled> {
    let settings = Arc::new(stage.settings.clone());
    let dispatch = stage.ports().dispatch(&settings, &stage.only_preview());
    let messages: Vec<_> = jobs
        .iter()
        .map(|job| (start_of(job), claim(job.key.id.as_str())))
        .collect();
    dispatch.handle_all(&messages).await
}

#[tokio::test]
async fn a_batch_adds_its_starts_with_one_request_for_each_endpoint_in_it() {
    let stage = Stage::new();
    let mut jobs = stored(
        &stage,
        &["one-of-flux", "two-of-flux", "red-of-flux"],
        "flux-dev",
    )
    .await;
    jobs.extend(stored(&stage, &["one-of-sdxl"], "sdxl").await);
    stage.clock.set(at(1));
    assert_eq!(dispatched(&stage, &jobs).await, [Handled::Done; 4]);
    assert_eq!(stage.endpoints.adds(), 2);
    let ticks = ticks(&stage, at(1)).await;
    let counted: Vec<(String, u32)> = ticks
        .iter()
        .map(|tick| {
            let seconds = tick.seconds.values().map(|second| second.arrivals);
            (tick.endpoint.to_string(), seconds.sum())
        })
        .collect();
    assert_eq!(
        counted,
        [
            ("preview#flux".to_owned(), 3),
            ("preview#sdxl".to_owned(), 1)
        ]
    );
}

#[tokio::test]
async fn what_no_backend_took_and_what_was_started_before_is_not_counted() {
    let stage = Stage::new();
    let jobs = stored(&stage, &["not-taken", "refused-one"], "flux-dev").await;
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Unavailable {
            code: Code::BackendUnreachable,
            retry_after: None,
        }));
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Refused(Code::InvalidInput)));
    for job in &jobs {
        dispatched(&stage, std::slice::from_ref(job)).await;
    }
    assert_eq!(stage.endpoints.adds(), 0);
    // The lease on the claim is over and the message comes once more: the same run.
    let again = stored(&stage, &["started-twice"], "flux-dev").await;
    dispatched(&stage, &again).await;
    stage.clock.set(at(100));
    let settings = Arc::new(stage.settings.clone());
    let dispatch = stage.ports().dispatch(&settings, &stage.only_preview());
    dispatch
        .handle(&start_of(&again[0]), &claim("another"))
        .await;
    assert_eq!(stage.preview.runs().len(), 1);
    assert_eq!(stage.endpoints.adds(), 1);
}

#[tokio::test]
async fn an_end_is_counted_once_with_its_times() {
    let stage = Stage::new();
    let jobs = stored(&stage, &["the-only-one"], "flux-dev").await;
    stage.clock.set(at(1));
    dispatched(&stage, &jobs).await;
    stage.clock.set(at(90));
    deliver_all(&stage, &jobs, 2).await;
    assert_eq!(
        stage.endpoints.adds(),
        2,
        "a doubled callback counts nothing"
    );
    let ticks = ticks(&stage, at(90)).await;
    let second = ticks[0].seconds.values().find(|one| one.ends.count > 0);
    let second = second.unwrap();
    let measured = |count, sum| Measured {
        count,
        sum: Ms(sum),
    };
    // `a_report` is of a warm container: its load is part of its service.
    assert_eq!(second.ends, measured(1, 310));
    assert_eq!(second.boots, Measured::default());
    assert_eq!(second.services, measured(1, 812 + 15_904 + 287));
}

#[tokio::test]
async fn twenty_ends_a_minute_are_counted_and_full_parts_are_not_asked_again() {
    let stage = Stage::new();
    let names: Vec<String> = (0..60).map(|n| format!("number-{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let jobs = stored(&stage, &names, "flux-dev").await;
    stage.clock.set(at(1));
    dispatched(&stage, &jobs).await;
    assert_eq!(stage.endpoints.adds(), 1);
    stage.clock.set(at(61));
    deliver_all(&stage, &jobs, 1).await;
    let ticks = ticks(&stage, at(61)).await;
    let ends: u32 = ticks[0].seconds.values().map(|one| one.ends.count).sum();
    assert_eq!((ends, ticks[0].full), (20, true));
    assert_eq!(stage.endpoints.adds(), 1 + 20 + 4, "each part refused once");
    // In the next minute all parts take ends again.
    let late = stored(&stage, &["a-late-one"], "flux-dev").await;
    dispatched(&stage, &late).await;
    let before = stage.endpoints.adds();
    stage.clock.set(at(130));
    deliver_all(&stage, &late, 1).await;
    assert_eq!(stage.endpoints.adds(), before + 1);
}

#[tokio::test]
async fn a_count_that_fails_fails_no_message_and_no_callback() {
    let stage = Stage::new();
    let jobs = stored(&stage, &["the-only-one"], "flux-dev").await;
    let mut ports = stage.ports();
    ports.endpoints = Arc::new(Broken);
    let settings = Arc::new(stage.settings.clone());
    let dispatch = ports.dispatch(&settings, &stage.only_preview());
    let handled = dispatch.handle(&start_of(&jobs[0]), &claim("mine")).await;
    assert_eq!(handled, Handled::Done);
    stage.clock.set(at(30));
    crate::complete::deliver_with(&ports, &stage, &jobs, 1).await;
    let ended = stage.row(&jobs[0].key).await;
    assert!(ended.state.phase().is_terminal());
}

#[tokio::test]
async fn where_warm_is_off_nothing_is_counted() {
    let mut stage = Stage::new();
    let vars = [
        ("MASTER_SECRETS", format!("k1:{}", "x".repeat(32))),
        ("PUBLIC_URL", "https://api.example".to_owned()),
        ("WARM_IDLE_USD_PER_DAY", "0".to_owned()),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    stage.settings = Settings::from_vars(vars).unwrap();
    let jobs = stored(&stage, &["the-only-one"], "flux-dev").await;
    dispatched(&stage, &jobs).await;
    stage.clock.set(at(30));
    deliver_all(&stage, &jobs, 1).await;
    assert_eq!(stage.endpoints.adds(), 0);
    let settings = Arc::new(stage.settings.clone());
    assert!(
        stage
            .ports()
            .warm(&settings, &stage.only_preview())
            .is_none()
    );
}
