//! Messages that stop a run, and messages that are not for this build.

use super::{dispatch_on, handle, started_on};
use crate::stage::{NoQueue, Stage, at, claim, start_of};
use ryla_domain::job::Job;
use ryla_domain::state::{Phase, State};
use ryla_engine::dispatch::Handled;
use ryla_engine::message::{Do, Message};
use ryla_testing::sample::a_job;
use std::sync::Arc;

fn cancel_of(job: &Job) -> String {
    Message::new(Do::Cancel, job.run(), job.trace.clone()).body()
}

#[tokio::test]
async fn a_confirmed_stop_ends_the_cancellation() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Canceling)).await;
    stage.clock.set(at(30));
    let handled = handle(&stage, &stage.only_preview(), &cancel_of(&job)).await;
    assert_eq!(handled, Handled::Done);
    assert_eq!(stage.preview.calls(), [format!("cancel {}", job.run())]);
    let row = stage.row(&job.key).await;
    assert_eq!(row.state.phase(), Phase::Canceled);
    assert_eq!(row.state.ended().unwrap().completed_at, at(30));
}

#[tokio::test]
async fn a_stop_that_is_only_noted_or_not_heard_waits_for_the_worker_or_the_sweep() {
    let stage = Stage::new();
    let running = started_on(&stage, &stage.only_preview()).await;
    stage.clock.set(at(5));
    stage.preview.work().await;
    let cancel = stage.ports().cancel(&stage.settings);
    let job = cancel.run(&running.key).await.unwrap().unwrap();
    stage.preview.set_unreachable(true);
    handle(&stage, &stage.only_preview(), &cancel_of(&job)).await;
    assert_eq!(stage.row(&job.key).await, job, "not heard");
    stage.preview.set_unreachable(false);
    handle(&stage, &stage.only_preview(), &cancel_of(&job)).await;
    assert_eq!(stage.row(&job.key).await, job, "noted");
    let [said] = &stage.preview.work().await[..] else {
        panic!("the worker says that it stopped")
    };
    let complete = stage.ports().complete(&stage.settings);
    complete.run(said).await.unwrap();
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceled);
}

#[tokio::test]
async fn a_cancel_message_for_a_job_that_is_not_being_cancelled_stops_nothing() {
    for phase in Phase::ALL
        .into_iter()
        .filter(|phase| *phase != Phase::Canceling)
    {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        let handled = handle(&stage, &stage.only_preview(), &cancel_of(&job)).await;
        assert_eq!(handled, Handled::Done);
        assert!(stage.preview.calls().is_empty(), "{}", phase.name());
        assert_eq!(stage.row(&job.key).await, job);
    }
}

#[tokio::test]
async fn a_newer_builds_message_or_row_goes_back_with_a_delay() {
    let stage = Stage::new();
    let newer = r#"{"v":2,"do":"dance","run":"x"}"#;
    let handled = handle(&stage, &stage.only_preview(), newer).await;
    assert_eq!(handled, Handled::Done);
    let back = stage.queue.sent().remove(0);
    assert_eq!(back.body, newer, "as it came");
    assert_eq!(back.visible_at, at(60));

    let job = a_job().build();
    stage.jobs.plant_newer(&job);
    let handled = handle(&stage, &stage.only_preview(), &start_of(&job)).await;
    assert_eq!(handled, Handled::Done);
    let back = stage.queue.sent().remove(1);
    assert_eq!((back.body, back.visible_at), (start_of(&job), at(60)));
    assert!(stage.preview.calls().is_empty());
}

#[tokio::test]
async fn what_was_left_to_a_newer_build_starts_the_job_once_that_build_runs() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let body = start_of(&job).replace(r#""v":1"#, r#""v":2"#);
    let handled = handle(&stage, &stage.only_preview(), &body).await;
    assert_eq!(handled, Handled::Done);
    assert_eq!(stage.row(&job.key).await, job, "left alone");

    stage.clock.set(at(60));
    let back = stage.queue.receive(10).remove(0);
    let mut newer = dispatch_on(&stage, &stage.ports(), &stage.only_preview());
    newer.newest += 1;
    let handled = newer.handle(&back.body, &claim("of-a-newer-build")).await;
    assert_eq!(handled, Handled::Done);
    let row = stage.row(&job.key).await;
    assert!(
        matches!(row.state, State::Dispatching(_)),
        "{:?}",
        row.state
    );
    assert_eq!(stage.preview.calls(), [format!("start {}", job.run())]);
}

#[tokio::test]
async fn a_newer_message_that_cannot_be_sent_back_stays_where_it_is() {
    let stage = Stage::new();
    let mut ports = stage.ports();
    ports.queue = Arc::new(NoQueue);
    let dispatch = dispatch_on(&stage, &ports, &stage.only_preview());
    let handled = dispatch.handle(r#"{"v":2}"#, &claim("mine")).await;
    assert_eq!(handled, Handled::Again);
}

#[tokio::test]
async fn garbage_is_poison() {
    let stage = Stage::new();
    for body in ["", "not json", "{}", r#"{"v":1,"do":"start"}"#] {
        let handled = handle(&stage, &stage.only_preview(), body).await;
        assert_eq!(handled, Handled::Poison, "{body}");
    }
    assert_eq!(stage.jobs.calls(), 0);
}

#[tokio::test]
async fn a_message_for_a_row_that_nobody_can_read_is_left_to_the_sweep() {
    let stage = Stage::new();
    let job = a_job().build();
    stage.jobs.plant_garbage(&job.key, at(0));
    let handled = handle(&stage, &stage.only_preview(), &start_of(&job)).await;
    assert_eq!(handled, Handled::Done);
    assert_eq!(stage.sent(), []);
}
