//! What each answer of a backend leads to.

use super::{dispatch_on, handle, started_on, started_on_pod, unavailable};
use crate::stage::{NoQueue, Stage, at, claim, start_of};
use ryla_domain::failure::Code;
use ryla_domain::report::Report;
use ryla_domain::state::{Hold, Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::dispatch::Handled;
use ryla_engine::port::StartOutcome;
use ryla_testing::backend::{Course, Scripted, a_jpeg};
use ryla_testing::sample::a_job;
use std::sync::Arc;

#[tokio::test]
async fn a_refusal_is_final_where_no_other_attempt_may_help() {
    let stage = Stage::new();
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Refused(Code::Unsafe)));
    let job = started_on(&stage, &stage.both()).await;
    assert!(matches!(
        job.state,
        State::Failed {
            code: Code::Unsafe,
            ..
        }
    ));
    assert!(stage.pod.calls().is_empty());
}

#[tokio::test]
async fn a_refusal_for_want_of_a_model_file_goes_to_the_next_backend() {
    let stage = Stage::new();
    let refused = StartOutcome::Refused(Code::ModelMissing);
    stage.preview.script(Scripted::Answer(refused));
    let job = started_on(&stage, &stage.both()).await;
    assert_eq!(
        (job.state.phase(), job.backend.as_str()),
        (Phase::Accepted, "pod")
    );
    assert_eq!(job.origin().attempt.number(), 2);
}

#[tokio::test]
async fn where_one_backend_is_not_available_the_next_takes_the_run_at_once() {
    let stage = Stage::new();
    stage.preview.script(unavailable());
    let job = started_on(&stage, &stage.both()).await;
    assert_eq!(
        (job.state.phase(), job.backend.as_str()),
        (Phase::Running, "pod")
    );
    assert_eq!(job.origin().attempt.number(), 1, "nothing ran on the first");
    assert_eq!(stage.pod.calls(), [format!("start {}", job.run())]);
    let url = stage.pod.requests().remove(0).callback.url;
    assert!(
        url.contains("/callbacks/pod/"),
        "the worker reports under its own backend"
    );
    assert_eq!(stage.sent(), []);
}

#[tokio::test]
async fn a_backend_that_is_not_configured_any_more_is_passed_over() {
    let stage = Stage::new();
    let job = started_on(&stage, &stage.only_pod()).await;
    assert_eq!(
        (job.state.phase(), job.backend.as_str()),
        (Phase::Running, "pod")
    );
}

#[tokio::test]
async fn where_no_backend_takes_it_the_job_is_held_and_tried_again_ever_later() {
    let stage = Stage::new();
    stage.preview.unavailable_until(at(1_000));
    stage.pod.unavailable_until(at(1_000));
    let job = stage.store(a_job().build()).await;
    let mut body = start_of(&job);
    let mut delays = Vec::new();
    for _ in 0..7 {
        assert_eq!(handle(&stage, &stage.both(), &body).await, Handled::Done);
        let row = stage.row(&job.key).await;
        let State::Accepted(s) = &row.state else {
            panic!("held: {:?}", row.state)
        };
        assert_eq!(
            row.backend.as_str(),
            "preview",
            "it begins with the best again"
        );
        assert_eq!(row.origin().attempt.number(), 1);
        let (message, delay) = stage.sent().pop().unwrap();
        let again_at = Some(at(0) + delay);
        assert_eq!(s.hold, Some(Hold::Backend { again_at }));
        delays.push(delay.0 / 1_000);
        body = message.body();
    }
    assert_eq!(delays, [2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test]
async fn a_backend_that_says_when_is_not_asked_before() {
    let stage = Stage::new();
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Unavailable {
            code: Code::BackendUnreachable,
            retry_after: Some(Ms::seconds(30)),
        }));
    started_on(&stage, &stage.only_preview()).await;
    let (_, delay) = stage.sent().pop().unwrap();
    assert_eq!(delay, Ms::seconds(30));
}

#[tokio::test]
async fn a_hold_whose_message_cannot_be_sent_leaves_the_old_one_in_the_queue() {
    let stage = Stage::new();
    stage.preview.script(unavailable());
    let job = stage.store(a_job().build()).await;
    let mut ports = stage.ports();
    ports.queue = Arc::new(NoQueue);
    let dispatch = dispatch_on(&stage, &ports, &stage.only_preview());
    let handled = dispatch.handle(&start_of(&job), &claim("mine")).await;
    assert_eq!(handled, Handled::Again);
}

#[tokio::test]
async fn what_may_run_is_looked_at_again_once_the_lease_is_over() {
    for scripted in [
        Scripted::UnknownButStarted,
        Scripted::Answer(StartOutcome::Unknown),
    ] {
        let stage = Stage::new();
        stage.preview.script(scripted);
        let job = started_on(&stage, &stage.both()).await;
        assert_eq!(job.state.phase(), Phase::Dispatching);
        assert!(stage.pod.calls().is_empty(), "nothing else is started");
        let (message, delay) = stage.sent().pop().unwrap();
        assert_eq!((message.run.clone(), delay), (job.run(), Ms::seconds(46)));
        // By its name the run can be started again without being made twice.
        stage.clock.set(at(1 + 46));
        handle(&stage, &stage.both(), &message.body()).await;
        assert_eq!(stage.preview.runs().len(), 1);
        assert_eq!(stage.row(&job.key).await.origin(), job.origin());
    }
}

#[tokio::test]
async fn a_backend_with_handles_is_asked_before_anything_is_started_twice() {
    for scripted in [
        Scripted::UnknownButStarted,
        Scripted::Answer(StartOutcome::Unknown),
    ] {
        let stage = Stage::new();
        stage.pod.script(scripted);
        stage.pod.next_course(Course {
            boot: Ms::seconds(100),
            ..Course::USUAL
        });
        let job = started_on_pod(&stage).await;
        let (message, _) = stage.sent().pop().unwrap();
        stage.clock.set(at(1 + 46));
        handle(&stage, &stage.only_pod(), &message.body()).await;
        assert_eq!(stage.pod.calls()[1], format!("check {}", job.run()));
        assert_eq!(stage.pod.runs().len(), 1);
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Running);
    }
}

#[tokio::test]
async fn a_backend_with_handles_that_cannot_tell_is_not_started_again() {
    let stage = Stage::new();
    stage.pod.script(Scripted::Answer(StartOutcome::Unknown));
    let job = started_on_pod(&stage).await;
    stage.pod.set_unreachable(true);
    stage.clock.set(at(1 + 46));
    handle(&stage, &stage.only_pod(), &start_of(&job)).await;
    let started = stage
        .pod
        .calls()
        .iter()
        .filter(|call| call.starts_with("start"))
        .count();
    assert_eq!(started, 1);
    assert_eq!(stage.sent().len(), 2, "it is asked again later");
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Dispatching);
}

#[tokio::test]
async fn a_repeated_start_that_is_not_taken_does_not_lose_the_run_of_the_first() {
    let stage = Stage::new();
    stage.preview.script(Scripted::UnknownButStarted);
    stage.preview.next_course(Course {
        boot: Ms::seconds(100),
        ..Course::USUAL
    });
    let job = started_on(&stage, &stage.both()).await;
    stage.preview.unavailable_until(at(500));
    stage.clock.set(at(1 + 46));
    handle(&stage, &stage.both(), &start_of(&job)).await;
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.backend.as_str()),
        (Phase::Dispatching, "preview")
    );
    assert!(
        stage.pod.calls().is_empty(),
        "it is still the first backend's"
    );
}

#[tokio::test]
async fn a_synchronous_backends_picture_goes_into_the_bucket_and_ends_the_job() {
    let stage = Stage::new();
    stage.preview.script(Scripted::Finished);
    let job = started_on(&stage, &stage.only_preview()).await;
    assert_eq!(job.state.phase(), Phase::Succeeded);
    let object = stage.images.object(&job.output_key(0)).unwrap();
    assert_eq!(object.content_type, "image/jpeg");
}

#[tokio::test]
async fn an_earlier_picture_of_the_same_attempt_counts() {
    let stage = Stage::new();
    let job = a_job().build();
    let key = job.output_key(0);
    stage
        .images
        .place(&key, "image/jpeg", a_jpeg("the first one"));
    stage.preview.script(Scripted::Finished);
    let job = started_on(&stage, &stage.only_preview()).await;
    assert_eq!(job.state.phase(), Phase::Succeeded);
    let object = stage.images.object(&key).unwrap();
    assert_eq!(object.bytes, a_jpeg("the first one"));
}

#[tokio::test]
async fn bytes_that_are_no_picture_end_the_attempt() {
    let stage = Stage::new();
    stage
        .preview
        .script(Scripted::Answer(StartOutcome::Finished {
            bytes: b"<html>".to_vec(),
            report: Report::default(),
        }));
    let job = started_on(&stage, &stage.only_preview()).await;
    assert_eq!(
        (job.state.phase(), job.origin().attempt.number()),
        (Phase::Accepted, 2)
    );
}
