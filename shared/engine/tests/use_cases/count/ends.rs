//! Ends that no callback brings: each is counted once, at the backend where the attempt ran, and none is
//! where nothing was sent.

use super::{Broken, dispatched, stored};
use crate::stage::{NoQueue, Stage, at, claim, start_of};
use ryla_domain::failure::Code;
use ryla_domain::job::{Due, Job};
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_domain::warm::{Minute, second_of};
use ryla_engine::complete::{Callback, Event};
use ryla_engine::dispatch::Handled;
use ryla_engine::message::{Do, Message};
use ryla_engine::port::{Backends, EndpointStore, StartOutcome};
use ryla_engine::sweep::Scope;
use ryla_testing::backend::{Course, End, Scripted};
use ryla_testing::sample::{a_job, a_report};
use std::sync::Arc;

const NEVER_BOOTS: Course = Course {
    boot: Ms::seconds(1_000_000),
    ..Course::USUAL
};

/// A job whose start was sent to `preview` in second 1.
async fn sent(stage: &Stage, course: Course) -> Job {
    let job = stored(stage, &["the-only-one"], "flux-dev").await.remove(0);
    stage.preview.next_course(course);
    stage.clock.set(at(1));
    dispatched(stage, std::slice::from_ref(&job)).await;
    assert_eq!(counted(stage).await, ["1 start at preview"]);
    stage.row(&job.key).await
}

/// What was counted in the first half hour, by endpoint.
async fn counted(stage: &Stage) -> Vec<String> {
    let first = Minute::of(at(0));
    let mut all = Vec::new();
    for minute in (first.0..first.0 + 30).map(Minute) {
        for tick in stage.endpoints.ticks(minute).await.unwrap() {
            for second in tick.seconds.values() {
                let backend = &tick.endpoint.backend;
                for (count, what) in [(second.arrivals, "start"), (second.ends.count, "end")] {
                    if count > 0 {
                        all.push(format!("{count} {what} at {backend}"));
                    }
                }
            }
        }
    }
    all
}

const ONE_END: [&str; 2] = ["1 start at preview", "1 end at preview"];

/// The worker's late word is heard, and the end is not counted again.
async fn ended_once(stage: &Stage, job: &Job) {
    assert_eq!(counted(stage).await, ONE_END);
    let mut complete = stage.ports().complete(&stage.settings);
    complete.route = stage.only_preview().route();
    let callback = Callback {
        run: job.run(),
        backend: job.backend.clone(),
        event: Event::Cancelled { report: a_report() },
    };
    assert!(complete.run(&callback).await.unwrap().ignored);
    assert_eq!(counted(stage).await, ONE_END);
}

async fn canceled(stage: &Stage, job: &Job) {
    let cancel = stage.ports().cancel(&stage.settings);
    let row = cancel.run(&job.key).await.unwrap().unwrap();
    assert_eq!(row.state.phase(), Phase::Canceling);
}

async fn stop(stage: &Stage, job: &Job) {
    let settings = Arc::new(stage.settings.clone());
    let mut dispatch = stage.ports().dispatch(&settings, &stage.only_preview());
    dispatch.queue = Arc::new(NoQueue);
    let message = Message::new(Do::Cancel, job.run(), job.trace.clone());
    dispatch.handle(&message.body(), &claim("stop")).await;
}

/// A message whose claim is not the first.
async fn again(stage: &Stage, job: &Job, backends: &Backends) {
    let settings = Arc::new(stage.settings.clone());
    let mut dispatch = stage.ports().dispatch(&settings, backends);
    dispatch.complete.route = backends.route();
    stage.clock.set(at(100));
    dispatch.handle(&start_of(job), &claim("another")).await;
}

#[tokio::test]
async fn a_cancellation_that_the_backend_confirms_ends_the_run_once() {
    let stage = Stage::new();
    let job = sent(&stage, NEVER_BOOTS).await;
    canceled(&stage, &job).await;
    for _ in 0..2 {
        stop(&stage, &job).await;
    }
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceled);
    ended_once(&stage, &job).await;
}

#[tokio::test]
async fn a_cancellation_that_the_sweep_sees_through_ends_the_run_once() {
    let stage = Stage::new();
    let job = sent(&stage, NEVER_BOOTS).await;
    canceled(&stage, &job).await;
    for second in [200, 300] {
        stage.sweep_at(&stage.only_preview(), second).await;
    }
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceled);
    ended_once(&stage, &job).await;
}

#[tokio::test]
async fn an_attempt_that_the_sweep_stops_ends_once_though_the_job_goes_on() {
    let stage = Stage::new();
    let job = sent(&stage, NEVER_BOOTS).await;
    stage.sweep_at(&stage.only_preview(), 250).await;
    let row = stage.row(&job.key).await;
    assert_eq!(row.state.phase(), Phase::Accepted, "the next attempt");
    ended_once(&stage, &job).await;
}

#[tokio::test]
async fn a_run_that_has_failed_unheard_ends_once_when_its_backend_says_so() {
    let stage = Stage::new();
    let fails = Course {
        end: End::Fails(Code::Internal),
        calls_back: false,
        ..Course::USUAL
    };
    let job = sent(&stage, fails).await;
    for second in [5, 30] {
        stage.clock.set(at(second));
        stage.preview.work().await;
    }
    stage.sweep_at(&stage.only_preview(), 150).await;
    assert_ne!(stage.row(&job.key).await.state.phase(), Phase::Dispatching);
    ended_once(&stage, &job).await;
}

#[tokio::test]
async fn a_job_that_is_given_up_or_too_late_ends_its_run_once() {
    for (tries, second) in [(10, 100), (0, 1_000)] {
        let stage = Stage::new();
        let mut job = sent(&stage, NEVER_BOOTS).await;
        let due = at(second - 1);
        job.due = Some(Due { at: due, tries });
        stage.jobs.upgrade(&job);
        stage.preview.set_unreachable(true);
        stage.sweep_at(&stage.only_preview(), second).await;
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Failed);
        ended_once(&stage, &job).await;
    }
}

#[tokio::test]
async fn what_a_backend_hands_over_ends_its_run_once_though_it_is_no_picture() {
    let stage = Stage::new();
    let job = stored(&stage, &["the-only-one"], "flux-dev")
        .await
        .remove(0);
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Finished {
            bytes: b"no picture".to_vec(),
            report: a_report(),
        }));
    stage.clock.set(at(1));
    dispatched(&stage, std::slice::from_ref(&job)).await;
    assert!(stage.row(&job.key).await.state.ended().is_none());
    ended_once(&stage, &job).await;
}

#[tokio::test]
async fn a_start_that_turns_out_not_to_be_there_ends_where_it_was_counted() {
    let refused = StartOutcome::Refused(Code::InvalidInput);
    let busy = StartOutcome::Unavailable {
        code: Code::BackendUnreachable,
        retry_after: None,
    };
    for outcome in [refused, busy.clone()] {
        let stage = Stage::new();
        let job = stored(&stage, &["the-only-one"], "flux-dev")
            .await
            .remove(0);
        // Nobody knows whether it was taken; asked again, the backend does not know it.
        let unknown = Scripted::Answer(StartOutcome::Unknown);
        stage.preview.script(unknown);
        stage.preview.script(Scripted::Answer(outcome));
        stage.clock.set(at(1));
        dispatched(&stage, std::slice::from_ref(&job)).await;
        again(&stage, &job, &stage.only_preview()).await;
        ended_once(&stage, &job).await;
    }
    let stage = Stage::new();
    let job = stored(&stage, &["the-only-one"], "flux-dev")
        .await
        .remove(0);
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Unknown));
    stage.preview.script(Scripted::Answer(busy));
    stage.clock.set(at(1));
    dispatched(&stage, std::slice::from_ref(&job)).await;
    again(&stage, &job, &stage.both()).await;
    assert_eq!(stage.row(&job.key).await.backend.as_str(), "pod");
    let mut all = counted(&stage).await;
    all.sort();
    assert_eq!(
        all,
        ["1 end at preview", "1 start at pod", "1 start at preview"]
    );
}

/// The dispatcher has claimed it; before its word of the backend's refusal is written somebody else's is.
async fn refused_late(outcome: StartOutcome, cancel: bool) -> (Stage, Job) {
    let stage = Stage::new();
    let job = stored(&stage, &["the-only-one"], "flux-dev")
        .await
        .remove(0);
    stage.preview.script(Scripted::Answer(outcome));
    stage.clock.set(at(1));
    let (clock, key) = (Arc::clone(&stage.clock), job.key.clone());
    let other = stage.ports().cancel(&stage.settings);
    let sweep = stage.sweeper(&stage.only_preview());
    let mut ports = stage.ports_before_write(1, async move {
        if cancel {
            other.run(&key).await.unwrap();
        } else {
            clock.set(at(1_000));
            sweep.run(Scope::Due).await;
        }
        clock.set(at(62));
    });
    ports.endpoints = Arc::clone(&stage.endpoints) as _;
    let settings = Arc::new(stage.settings.clone());
    let dispatch = ports.dispatch(&settings, &stage.only_preview());
    let handled = dispatch.handle(&start_of(&job), &claim("mine")).await;
    assert_eq!(handled, Handled::Done);
    (stage, job)
}

#[tokio::test]
async fn an_attempt_that_others_end_before_its_refusal_is_known_has_a_beginning_too() {
    let refused = StartOutcome::Refused(Code::InvalidInput);
    let busy = StartOutcome::Unavailable {
        code: Code::BackendUnreachable,
        retry_after: None,
    };
    for outcome in [refused, busy] {
        let (stage, job) = refused_late(outcome.clone(), true).await;
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceling);
        stop(&stage, &job).await;
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceled);
        ended_once(&stage, &job).await;
        // It began when it was claimed, which is before anybody can have ended it.
        let minute = stage.endpoints.ticks(Minute::of(at(1))).await.unwrap();
        let second = second_of(at(1));
        assert_eq!(minute[0].seconds[&second].arrivals, 1);

        let (stage, job) = refused_late(outcome, false).await;
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Failed);
        ended_once(&stage, &job).await;
    }
}

#[tokio::test]
async fn a_job_that_was_never_sent_has_no_end() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.sweep_at(&stage.only_preview(), 2_000).await;
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Failed);
    let [busy, refused] = [
        StartOutcome::Unavailable {
            code: Code::BackendUnreachable,
            retry_after: None,
        },
        StartOutcome::Refused(Code::InvalidInput),
    ]
    .map(Scripted::Answer);
    for (outcome, name) in [(busy, "not-taken"), (refused, "refused-one")] {
        let jobs = stored(&stage, &[name], "flux-dev").await;
        stage.clock.set(at(1));
        stage.preview.script(outcome);
        dispatched(&stage, &jobs).await;
    }
    assert_eq!(stage.endpoints.adds(), 0);
}

#[tokio::test]
async fn an_end_that_cannot_be_counted_holds_up_no_sweep() {
    let stage = Stage::new();
    let job = sent(&stage, NEVER_BOOTS).await;
    let mut ports = stage.ports();
    ports.endpoints = Arc::new(Broken);
    stage.clock.set(at(250));
    let mut sweep = ports.sweep(&stage.settings, &stage.only_preview());
    sweep.complete.route = stage.only_preview().route();
    let tally = sweep.run(Scope::Due).await;
    assert_eq!((tally.moved, tally.failed), (1, 0));
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Accepted);
}
