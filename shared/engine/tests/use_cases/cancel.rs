//! Cancel: at once where nothing runs, by way of the backend where something does.

use crate::stage::{NoQueue, Stage, at};
use ryla_domain::state::{CancelReason, Phase, State};
use ryla_engine::message::Do;
use ryla_engine::port::{JobStore, Write};
use ryla_testing::sample::{a_claim, a_job, key};
use std::sync::Arc;

#[tokio::test]
async fn an_accepted_job_is_canceled_at_once_and_no_backend_hears_of_it() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.clock.set(at(1));
    let canceled = stage.ports().cancel(&stage.settings).run(&job.key).await;
    let canceled = canceled.unwrap().unwrap();
    assert!(matches!(
        canceled.state,
        State::Canceled {
            reason: CancelReason::User,
            ..
        }
    ));
    assert_eq!(stage.row(&job.key).await, canceled);
    assert_eq!(stage.sent(), []);
}

#[tokio::test]
async fn a_run_is_stopped_by_way_of_the_dispatcher_once_the_table_knows() {
    for phase in [Phase::Dispatching, Phase::Running] {
        let mut stage = Stage::new();
        stage.settings.timers.cancel_limit = ryla_domain::time::Ms::seconds(33);
        let job = stage.store(a_job().in_phase(phase)).await;
        stage.clock.set(at(12));
        let cancel = stage.ports().cancel(&stage.settings);
        let canceling = cancel.run(&job.key).await.unwrap().unwrap();
        assert_eq!(canceling.state.phase(), Phase::Canceling);
        assert_eq!(canceling.due.unwrap().at, at(12 + 33), "the cancel limit");
        assert_eq!(stage.row(&job.key).await, canceling);
        let (message, _) = stage.sent().remove(0);
        assert_eq!((message.what, message.run), (Do::Cancel, job.run()));
    }
}

#[tokio::test]
async fn cancelling_again_repeats_the_message_and_writes_nothing() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Canceling)).await;
    let cancel = stage.ports().cancel(&stage.settings);
    assert_eq!(cancel.run(&job.key).await.unwrap(), Some(job.clone()));
    assert_eq!(stage.row(&job.key).await, job);
    assert_eq!(stage.sent().len(), 1, "the first one may have been lost");
}

#[tokio::test]
async fn an_ended_job_stays_as_it_is() {
    for phase in [Phase::Succeeded, Phase::Failed, Phase::Canceled] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        let cancel = stage.ports().cancel(&stage.settings);
        assert_eq!(cancel.run(&job.key).await.unwrap(), Some(job.clone()));
        assert_eq!(stage.row(&job.key).await, job);
        assert_eq!(stage.sent(), []);
    }
}

#[tokio::test]
async fn a_job_that_is_not_there_is_not_canceled() {
    let stage = Stage::new();
    let cancel = stage.ports().cancel(&stage.settings);
    assert_eq!(cancel.run(&key("acme", "no-such-job")).await.unwrap(), None);
}

#[tokio::test]
async fn a_cancellation_stands_whatever_becomes_of_its_message() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    let mut cancel = stage.ports().cancel(&stage.settings);
    cancel.queue = Arc::new(NoQueue);
    let canceling = cancel.run(&job.key).await.unwrap().unwrap();
    assert_eq!(canceling.state.phase(), Phase::Canceling);
}

#[tokio::test]
async fn a_claim_that_was_faster_is_cancelled_as_a_run() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let (jobs, key) = (Arc::clone(&stage.jobs), job.key.clone());
    let ports = stage.ports_before_write(0, async move {
        let claim = a_claim("faster", at(1));
        jobs.write(Write::Claim(&key, &claim)).await.unwrap();
    });
    let canceling = ports.cancel(&stage.settings).run(&job.key).await;
    assert_eq!(canceling.unwrap().unwrap().state.phase(), Phase::Canceling);
    assert_eq!(stage.sent().len(), 1);
}
