//! Wait: holds until the end, with few reads, and no longer than it may.

use crate::stage::{Stage, at};
use ryla_domain::failure::Code;
use ryla_domain::report::Report;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_engine::port::{Clock, JobStore, Write};
use ryla_testing::sample::{a_job, key};
use std::sync::Arc;

#[tokio::test]
async fn a_job_that_does_not_end_is_handed_back_just_before_the_limit() {
    for (limit, most) in [(1_000, 3), (25_000, 14), (55_000, 14)] {
        let stage = Stage::new();
        let job = stage.store(a_job().build()).await;
        let calls = stage.jobs.calls();
        let waited = stage.ports().wait().until_ended(&job.key, Ms(limit)).await;
        assert_eq!(waited.unwrap(), Some(job));
        assert_eq!(stage.clock.now(), at(0) + Ms(limit - 300), "{limit} ms");
        let reads = stage.jobs.calls() - calls;
        assert!(reads <= most, "{reads} reads in {limit} ms");
    }
}

#[tokio::test]
async fn a_job_that_has_ended_is_handed_back_at_the_first_read() {
    for phase in [Phase::Succeeded, Phase::Failed, Phase::Canceled] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        let waited = stage
            .ports()
            .wait()
            .until_ended(&job.key, Ms::seconds(25))
            .await;
        assert_eq!(waited.unwrap(), Some(job));
        assert_eq!(stage.clock.now(), at(0) + Ms(250));
    }
}

#[tokio::test]
async fn a_job_that_ends_on_the_way_is_seen_at_the_next_read() {
    let stage = Stage::new();
    stage.clock.hold_sleepers();
    let job = stage.store(a_job().build()).await;
    let waiting = tokio::spawn({
        let (wait, key) = (stage.ports().wait(), job.key.clone());
        async move { wait.until_ended(&key, Ms::seconds(25)).await }
    });
    let until = |ms| {
        let clock = Arc::clone(&stage.clock);
        async move {
            while clock.sleepers() == 0 {
                tokio::task::yield_now().await;
            }
            clock.set(at(0) + Ms(ms));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    };
    until(250).await;
    let next = job
        .clone()
        .fail(Code::GpuOom, Report::default(), at(0))
        .unwrap();
    let write = Write::Replace {
        seen: &job,
        next: &next,
    };
    stage.jobs.write(write).await.unwrap();
    until(749).await;
    assert!(!waiting.is_finished(), "between two reads");
    until(750).await;
    assert_eq!(waiting.await.unwrap().unwrap(), Some(next));
}

#[tokio::test]
async fn without_time_there_is_one_read() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let calls = stage.jobs.calls();
    let wait = stage.ports().wait();
    assert_eq!(wait.until_ended(&job.key, Ms(0)).await.unwrap(), Some(job));
    assert_eq!(stage.jobs.calls(), calls + 1);
    assert_eq!(stage.clock.now(), at(0));
}

#[tokio::test]
async fn a_wait_for_no_job_ends_once_a_second_look_has_found_none_either() {
    let stage = Stage::new();
    let absent = key("acme", "no-such-job");
    let wait = stage.ports().wait();
    let waited = wait.until_ended(&absent, Ms::seconds(25)).await.unwrap();
    assert_eq!(waited, None);
    assert_eq!(stage.jobs.calls(), 2, "the first one may be a moment old");
    assert_eq!(stage.clock.now(), at(0) + Ms(250));
}
