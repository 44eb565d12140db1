//! What was lost on the way is found, sent again or begun anew.

use super::{NEVER_ENDS, NOTHING, running, taken};
use crate::stage::{Stage, at};
use async_trait::async_trait;
use ryla_domain::id::{BackendId, Run, TraceId};
use ryla_domain::job::{Due, Job};
use ryla_domain::output::ObjectKey;
use ryla_domain::overdue::Answer;
use ryla_domain::state::{CancelReason, Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::message::Do;
use ryla_engine::port::{
    Backend, Backends, Cancelled, Capabilities, JobStore, RunRequest, Shard, StartOutcome,
};
use ryla_engine::sweep::{Scope, Tally};
use ryla_testing::MemoryImageStore;
use ryla_testing::backend::{Course, End, FakeBackend, a_jpeg};
use ryla_testing::sample::a_job;
use std::sync::Arc;

#[tokio::test]
async fn what_is_not_due_is_not_touched() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.clock.set(at(120) - Ms(1));
    let tally = stage.sweeper(&stage.only_preview()).run(Scope::Due).await;
    assert_eq!(tally, NOTHING);
    assert_eq!(stage.row(&job.key).await, job);
}

#[tokio::test]
async fn a_lost_message_is_sent_again_and_the_next_look_is_later() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let tally = stage.sweep_at(&stage.only_preview(), 120).await;
    let wanted = Tally {
        leased: 1,
        resent: 1,
        ..NOTHING
    };
    assert_eq!(tally, wanted);
    let (message, delay) = stage.sent().remove(0);
    assert_eq!(
        (message.what, message.run, delay),
        (Do::Start, job.run(), Ms(0))
    );
    let row = stage.row(&job.key).await;
    assert_eq!(
        row.due,
        Some(Due {
            at: at(150),
            tries: 1
        })
    );
    assert_eq!(
        Job {
            due: job.due,
            ..row
        },
        job,
        "nothing else is written"
    );
}

#[tokio::test]
async fn overlapping_sweeps_look_at_a_job_once() {
    let stage = Stage::new();
    stage.store(a_job().build()).await;
    stage.clock.set(at(120));
    let shard = |job: &Job| Shard::of(&job.key);
    let job = stage.jobs.jobs().remove(0);
    let page = stage.jobs.due(shard(&job), at(120), None).await.unwrap();
    let sweep = stage.sweeper(&stage.only_preview());
    assert_eq!(sweep.run(Scope::Due).await.resent, 1);
    assert_eq!(sweep.run(Scope::Due).await, NOTHING);
    // The other sweep had read the index before.
    let late = ryla_engine::port::DueMove::Later {
        at: at(200),
        tries: 1,
    };
    let leased = stage.jobs.reschedule(&page.entries[0], late).await.unwrap();
    assert!(!leased);
}

#[tokio::test]
async fn a_picture_whose_callback_was_lost_is_found() {
    for phase in [
        taken(&Stage::new(), Course::USUAL).await.state.phase(),
        Phase::Running,
    ] {
        let stage = Stage::new();
        let job = match phase {
            Phase::Running => running(&stage, Course::USUAL).await,
            _ => taken(&stage, Course::USUAL).await,
        };
        stage.clock.set(at(60));
        stage.preview.work().await;
        let tally = stage.sweep_at(&stage.only_preview(), 120).await;
        assert_eq!(tally.moved, 1, "{}", phase.name());
        let row = stage.row(&job.key).await;
        assert_eq!(row.state.phase(), Phase::Succeeded);
        assert_eq!(row.due, None);
    }
}

#[tokio::test]
async fn a_backend_that_says_done_without_a_picture_ends_the_attempt() {
    let stage = Stage::new();
    let job = running(&stage, Course::USUAL).await;
    stage.clock.set(at(60));
    stage.preview.work().await;
    let picture = job.output_key(0);
    ryla_engine::port::ImageStore::delete(stage.images.as_ref(), &[picture])
        .await
        .unwrap();
    stage.sweep_at(&stage.only_preview(), 120).await;
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.origin().attempt.number()),
        (Phase::Accepted, 2)
    );
}

#[tokio::test]
async fn a_run_that_the_backend_vouches_for_goes_on_as_progress() {
    let stage = Stage::new();
    let job = running(&stage, NEVER_ENDS).await;
    stage.sweep_at(&stage.only_preview(), 120).await;
    let row = stage.row(&job.key).await;
    let State::Running(s) = &row.state else {
        panic!("it goes on")
    };
    assert_eq!(s.seen_at, at(120));
    assert_eq!(row.due.unwrap().tries, 0);
}

#[tokio::test]
async fn a_picture_counts_although_its_backend_has_no_word_of_it() {
    let forgotten = Course {
        end: End::Vanishes,
        ..Course::USUAL
    };
    for (course, unreachable, looks) in [
        (forgotten, false, 10),
        // Its run limit has passed.
        (NEVER_ENDS, true, 10),
        // The last look.
        (NEVER_ENDS, true, 0),
    ] {
        let mut stage = Stage::new();
        stage.settings.timers.max_due_tries = looks;
        let job = running(&stage, course).await;
        stage.put_picture(&job);
        stage.clock.set(at(60));
        stage.preview.work().await;
        stage.preview.set_unreachable(unreachable);
        stage.sweep_at(&stage.only_preview(), 500).await;
        let row = stage.row(&job.key).await;
        let State::Succeeded { ended, .. } = &row.state else {
            panic!("{course:?}, {looks} looks: {:?}", row.state)
        };
        assert_eq!(ended.cost_usd_micros, None, "nobody said what it took");
    }
}

/// Its run puts the picture into the bucket between our question and our word to stop.
struct EndsWhileStopped {
    id: BackendId,
    answer: Answer,
    images: Arc<MemoryImageStore>,
    picture: ObjectKey,
}

#[async_trait]
impl Backend for EndsWhileStopped {
    fn id(&self) -> &BackendId {
        &self.id
    }

    fn capabilities(&self) -> Capabilities {
        FakeBackend::BY_NAME
    }

    async fn start(&self, _: &RunRequest) -> StartOutcome {
        StartOutcome::Unknown
    }

    async fn check(&self, _: &Run, _: &TraceId) -> Answer {
        self.answer.clone()
    }

    async fn cancel(&self, _: &Run, _: &TraceId) -> Cancelled {
        let bytes = a_jpeg("a lighthouse");
        self.images.place(&self.picture, "image/jpeg", bytes);
        Cancelled::Confirmed
    }
}

/// Nobody pays for the same picture twice because its run ended a moment too late to be asked about it.
#[tokio::test]
async fn a_run_that_ends_while_it_is_stopped_has_made_the_picture() {
    let is_running = Answer::Running { call: None };
    for (answer, looks, second) in [
        (is_running.clone(), 0, 240),
        (Answer::Pending, 0, 240),
        (Answer::Unreachable, 0, 240),
        (is_running.clone(), 0, 901),
        (is_running, 10, 120),
    ] {
        let stage = Stage::new();
        let mut job = running(&stage, NEVER_ENDS).await;
        let due = at(120);
        job.due = Some(Due {
            at: due,
            tries: looks,
        });
        stage.jobs.upgrade(&job);
        let backend = EndsWhileStopped {
            id: job.backend.clone(),
            answer: answer.clone(),
            images: Arc::clone(&stage.images),
            picture: job.output_key(0),
        };
        let backends = Backends::new(vec![Arc::new(backend) as Arc<dyn Backend>]);
        stage.sweep_at(&backends, second).await;
        let phase = stage.row(&job.key).await.state.phase();
        assert_eq!(phase, Phase::Succeeded, "{answer:?} after {second} s");
    }
}

#[tokio::test]
async fn a_claimed_run_that_its_backend_has_forgotten_is_not_sent_again_where_its_picture_lies() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Dispatching)).await;
    stage.put_picture(&job);
    let tally = stage.sweep_at(&stage.only_preview(), 120).await;
    assert_eq!((tally.moved, tally.resent), (1, 0));
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Succeeded);
}

#[tokio::test]
async fn a_run_that_is_gone_begins_anew_as_the_next_attempt() {
    let stage = Stage::new();
    let vanishes = Course {
        end: End::Vanishes,
        ..Course::USUAL
    };
    let job = running(&stage, vanishes).await;
    stage.clock.set(at(60));
    stage.preview.work().await;
    stage.sweep_at(&stage.both(), 120).await;
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.origin().attempt.number()),
        (Phase::Accepted, 2)
    );
    assert_eq!(row.backend.as_str(), "pod", "elsewhere, where there is one");
    assert_eq!(
        row.due,
        Some(Due {
            at: at(120),
            tries: 0
        })
    );
    assert_eq!(
        stage.sweep_at(&stage.both(), 121).await.resent,
        1,
        "due at once"
    );
}

#[tokio::test]
async fn a_run_that_the_backend_does_not_know_gets_its_message_again() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Dispatching)).await;
    let tally = stage.sweep_at(&stage.only_preview(), 120).await;
    assert_eq!(tally.resent, 1);
    assert_eq!(
        stage.row(&job.key).await.state,
        job.state,
        "the same attempt"
    );
}

#[tokio::test]
async fn a_cancel_message_that_was_lost_stops_the_run_all_the_same() {
    let stage = Stage::new();
    let job = running(&stage, NEVER_ENDS).await;
    stage.clock.set(at(10));
    let cancel = stage.ports().cancel(&stage.settings);
    cancel.run(&job.key).await.unwrap();
    stage.sweep_at(&stage.only_preview(), 70).await;
    let row = stage.row(&job.key).await;
    assert!(matches!(
        row.state,
        State::Canceled {
            reason: CancelReason::User,
            ..
        }
    ));
    let status = stage.preview.runs()[0].status;
    assert_eq!(status, ryla_testing::backend::Status::Canceled);
}

/// Its first look would be at 120 s.
#[tokio::test]
async fn after_a_start_with_an_empty_queue_a_claimed_job_is_looked_at_as_soon_as_its_lease_is_over()
{
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Dispatching)).await;
    stage.clock.set(at(10));
    let sweeper = stage.sweeper(&stage.only_preview());
    assert_eq!(sweeper.run(Scope::Everything).await.resent, 0);
    let tally = stage.sweep_at(&stage.only_preview(), 70).await;
    assert_eq!(tally.resent, 1);
    assert_eq!(stage.row(&job.key).await.state, job.state);
}

#[tokio::test]
async fn after_a_start_with_an_empty_queue_a_running_job_is_asked_about_at_once() {
    let stage = Stage::new();
    let job = running(&stage, NEVER_ENDS).await;
    let empty = Stage::new().only_preview();
    assert_eq!(stage.sweeper(&empty).run(Scope::Due).await, NOTHING);
    assert_eq!(stage.sweeper(&empty).run(Scope::Everything).await.moved, 1);
    let row = stage.row(&job.key).await;
    assert_eq!(
        row.state.phase(),
        Phase::Accepted,
        "its backend knows no such run"
    );
    assert_eq!(row.state.attempt(), job.state.attempt().next());
}
