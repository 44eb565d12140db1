//! Every limit of the sweep, just before and just after.

use super::{NEVER_BOOTS, NEVER_ENDS, NOTHING, code_of, running, taken};
use crate::stage::{Quirk, Stage, at, claim, start_of};
use ryla_domain::failure::Code;
use ryla_domain::job::{DeadlineBy, Due, Job};
use ryla_domain::state::{Hold, Phase};
use ryla_domain::time::Ms;
use ryla_engine::dispatch::Handled;
use ryla_engine::port::Queue;
use ryla_engine::sweep::Scope;
use ryla_testing::backend::Course;
use ryla_testing::sample::a_job;
use std::sync::Arc;

#[tokio::test]
async fn the_looks_of_a_sweep_every_minute_follow_the_back_off_up_to_the_deadline() {
    let stage = Stage::new();
    let job = a_job().deadline(at(6_000), DeadlineBy::System).build();
    let job = stage.store(job).await;
    let mut looks = Vec::new();
    for minute in 1..=101 {
        // No sweep comes at the very second.
        stage.clock.set(at(minute * 60) + Ms(minute % 7));
        let tally = stage.sweeper(&stage.only_preview()).run(Scope::Due).await;
        if tally.leased > 0 {
            looks.push(minute);
        }
    }
    assert_eq!(looks, [2, 3, 5, 9, 17, 32, 47, 62, 77, 92, 100]);
    assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
}

#[tokio::test]
async fn a_lively_run_is_never_given_up_however_often_it_was_looked_at() {
    for scope in [Scope::Due, Scope::Everything] {
        let stage = Stage::new();
        let mut job = running(&stage, NEVER_ENDS).await;
        let tries = 9;
        job.due = Some(Due { at: at(120), tries });
        stage.jobs.upgrade(&job);
        let complete = stage.ports().complete(&stage.settings);
        for second in (10..=110).step_by(10) {
            stage.clock.set(at(second));
            for callback in stage.preview.work().await {
                complete.run(&callback).await.unwrap();
            }
        }
        stage.sweep_at(&stage.only_preview(), 120).await;
        let row = stage.row(&job.key).await;
        assert_eq!(row.state.phase(), Phase::Running);
        assert_eq!(row.due.unwrap().tries, 9, "all was well");
        let asked = |call: &String| call.starts_with("check");
        assert!(!stage.preview.calls().iter().any(asked));

        // Its worker falls silent: it is asked about, and not given up unheard.
        stage.clock.set(at(2_000));
        let mut late = row;
        late.deadline.at = at(9_000);
        stage.jobs.upgrade(&late);
        stage.sweeper(&stage.only_preview()).run(scope).await;
        assert!(stage.preview.calls().iter().any(asked));
    }
}

#[tokio::test]
async fn a_lively_run_is_asked_about_after_a_start_and_not_given_up() {
    let stage = Stage::new();
    let mut job = running(&stage, NEVER_ENDS).await;
    job.due = Some(Due {
        at: at(120),
        tries: 12,
    });
    stage.jobs.upgrade(&job);
    let sweeper = stage.sweeper(&stage.only_preview());
    assert_eq!(sweeper.run(Scope::Everything).await.moved, 1);
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.due.unwrap().tries),
        (Phase::Running, 0)
    );
}

#[tokio::test]
async fn a_run_that_does_not_start_is_stopped_before_the_next_one_begins() {
    let stage = Stage::new();
    let job = taken(&stage, NEVER_BOOTS).await;
    stage.sweep_at(&stage.only_preview(), 120).await;
    assert_eq!(
        stage.row(&job.key).await.state,
        job.state,
        "within its start limit"
    );
    stage.sweep_at(&stage.only_preview(), 242).await;
    let calls = stage.preview.calls();
    assert_eq!(calls.last(), Some(&format!("cancel {}", job.run())));
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.origin().attempt.number()),
        (Phase::Accepted, 2)
    );
}

#[tokio::test]
async fn an_adapters_own_run_limit_is_the_sweeps_as_well() {
    for (limit_s, stopped) in [(100, true), (300, false)] {
        let mut stage = Stage::new();
        let vars = [
            ("MASTER_SECRETS", format!("k1:{}", "x".repeat(32))),
            ("MODAL_JOBS_URL", "https://x.modal.run".to_owned()),
            ("MODAL_TIMEOUT", format!("{limit_s}000")),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value));
        stage.settings = ryla_engine::settings::Settings::from_vars(vars).unwrap();
        stage.settings.modal.as_mut().unwrap().id = "preview".parse().unwrap();
        let job = running(&stage, NEVER_ENDS).await;
        stage.sweep_at(&stage.only_preview(), 210).await;
        let phase = stage.row(&job.key).await.state.phase();
        assert_eq!(
            phase == Phase::Accepted,
            stopped,
            "{limit_s} s: {}",
            phase.name()
        );
    }
}

#[tokio::test]
async fn at_its_deadline_a_job_ends_by_whoever_set_it() {
    for (by, phase) in [
        (DeadlineBy::System, Phase::Failed),
        (DeadlineBy::Caller, Phase::Canceled),
    ] {
        for course in [None, Some(NEVER_BOOTS), Some(NEVER_ENDS)] {
            let stage = Stage::new();
            let mut job = match course {
                None => stage.store(a_job().build()).await,
                Some(course) => running_or_taken(&stage, course).await,
            };
            job.deadline.by = by;
            job.deadline.at = at(130);
            job.due = Some(Due {
                at: at(130),
                tries: 0,
            });
            stage.jobs.upgrade(&job);
            assert_eq!(stage.sweep_at(&stage.only_preview(), 129).await, NOTHING);
            stage.sweep_at(&stage.only_preview(), 130).await;
            let row = stage.row(&job.key).await;
            assert_eq!(row.state.phase(), phase, "{course:?}");
            if course.is_some() {
                let last = stage.preview.calls().pop();
                assert_eq!(
                    last,
                    Some(format!("cancel {}", job.run())),
                    "nothing runs on"
                );
            }
        }
    }
}

async fn running_or_taken(stage: &Stage, course: Course) -> Job {
    if course == NEVER_BOOTS {
        taken(stage, course).await
    } else {
        running(stage, course).await
    }
}

#[tokio::test]
async fn a_picture_that_is_there_at_the_deadline_counts() {
    let stage = Stage::new();
    let mut job = running(&stage, Course::USUAL).await;
    stage.clock.set(at(60));
    stage.preview.work().await;
    job.deadline.at = at(125);
    stage.jobs.upgrade(&job);
    stage.sweep_at(&stage.only_preview(), 126).await;
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Succeeded);
}

#[tokio::test]
async fn a_held_job_ends_as_unreachable_at_its_deadline() {
    let stage = Stage::new();
    let job = a_job().in_phase(Phase::Dispatching);
    let backend = job.backend.clone();
    let job = stage
        .store(job.hold(Hold::Backend { again_at: None }, backend).unwrap())
        .await;
    stage.sweep_at(&stage.only_preview(), 900).await;
    assert_eq!(
        code_of(&stage.row(&job.key).await),
        Some(Code::BackendUnreachable)
    );
}

#[tokio::test]
async fn a_cancellation_ends_with_the_backends_word_or_after_its_limit() {
    // The sample was cancelled after 5 s and is due after 65.
    for (known, unreachable, second, phase) in [
        (false, false, 65, Phase::Canceled),
        (true, true, 64, Phase::Canceling),
        (true, true, 65, Phase::Canceled),
    ] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(Phase::Canceling)).await;
        stage.preview.set_unreachable(unreachable && known);
        stage.sweep_at(&stage.only_preview(), second).await;
        let row = stage.row(&job.key).await;
        assert_eq!(row.state.phase(), phase, "after {second} s");
        let asked = stage
            .preview
            .calls()
            .contains(&format!("cancel {}", job.run()));
        assert_eq!(asked, second == 65);
    }
}

#[tokio::test]
async fn ten_looks_without_progress_end_a_job_as_our_failure() {
    for (phase, tries, ends) in [
        (Phase::Accepted, 9, false),
        (Phase::Accepted, 10, true),
        (Phase::Dispatching, 9, false),
        (Phase::Dispatching, 10, true),
    ] {
        let stage = Stage::new();
        stage.preview.set_unreachable(true);
        let job = a_job().in_phase(phase);
        let due = Some(Due { at: at(120), tries });
        let job = stage.store(Job { due, ..job }).await;
        stage.sweep_at(&stage.only_preview(), 120).await;
        let code = code_of(&stage.row(&job.key).await);
        assert_eq!(
            code == Some(Code::Internal),
            ends,
            "{tries} looks at {}",
            phase.name()
        );
        let stopped = stage
            .preview
            .calls()
            .iter()
            .any(|call| call.starts_with("cancel"));
        assert_eq!(
            stopped,
            ends && phase == Phase::Dispatching,
            "what may run is stopped"
        );
    }
}

#[tokio::test]
async fn the_number_of_looks_is_a_setting() {
    let mut stage = Stage::new();
    stage.settings.timers.max_due_tries = 3;
    let job = stage.store(a_job().build()).await;
    for (second, ended) in [(120, false), (180, false), (300, false), (540, true)] {
        stage.sweep_at(&stage.only_preview(), second).await;
        let row = stage.row(&job.key).await;
        assert_eq!(row.state.phase().is_terminal(), ended, "after {second} s");
    }
}

#[tokio::test]
async fn a_sweep_that_died_at_the_deadline_is_made_up_for_by_the_next() {
    let stage = Stage::new();
    let due = Some(Due {
        at: at(900),
        tries: 6,
    });
    let job = stage
        .store(Job {
            due,
            ..a_job().build()
        })
        .await;
    // The lease was written, and nothing after it.
    stage.clock.set(at(901));
    let mut dead = stage.sweeper(&stage.only_preview());
    dead.jobs = stage.ports_with(Quirk::NoReads).jobs;
    assert_eq!(dead.run(Scope::Due).await.failed, 1);
    stage.sweep_at(&stage.only_preview(), 961).await;
    assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
}

/// No sweep came for an hour after the deadline: what then keeps the first look from ending the job
/// does not put off the next one.
#[tokio::test]
async fn a_job_long_past_its_deadline_is_looked_at_by_every_sweep() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    for second in [4_500, 4_560, 4_620] {
        stage.clock.set(at(second));
        let mut dead = stage.sweeper(&stage.only_preview());
        dead.jobs = stage.ports_with(Quirk::NoReads).jobs;
        assert_eq!(dead.run(Scope::Due).await.failed, 1, "after {second} s");
    }
    stage.sweep_at(&stage.only_preview(), 4_680).await;
    assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
}

/// A sweep whose clock is far ahead takes the job for late, leases it, and dies.
#[tokio::test]
async fn a_clock_that_was_ahead_puts_a_job_off_to_four_periods_after_its_deadline_at_most() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    for ahead in [1_500, 3_000, 90_000] {
        stage.clock.set(at(ahead));
        let mut dead = stage.sweeper(&stage.only_preview());
        dead.jobs = stage.ports_with(Quirk::NoReads).jobs;
        assert_eq!(dead.run(Scope::Due).await.failed, 1, "at {ahead} s");
    }
    stage
        .sweep_at(&stage.only_preview(), 900 + 4 * 60 + 1)
        .await;
    assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
}

#[tokio::test]
async fn a_held_job_has_one_message_under_way_however_often_it_is_looked_at() {
    let stage = Stage::new();
    stage.preview.unavailable_until(at(10_000));
    let job = stage.store(a_job().build()).await;
    let ports = stage.ports();
    let dispatch = ports.dispatch(&Arc::new(stage.settings.clone()), &stage.only_preview());
    stage.queue.send(&start_of(&job), Ms(0)).await.unwrap();
    for second in 0..900 {
        stage.clock.set(at(second));
        for message in stage.queue.receive(10) {
            let handled = dispatch.handle(&message.body, &claim("mine")).await;
            assert_eq!(handled, Handled::Done);
            stage.queue.ack(&message);
        }
        if second % 60 == 0 {
            stage.sweeper(&stage.only_preview()).run(Scope::Due).await;
        }
        assert!(stage.queue.waiting().len() <= 1, "after {second} s");
    }
    let starts = stage.preview.calls().len();
    assert_eq!(
        starts, 19,
        "after 0, 2, 6, 14, 30, 62 s and then each minute"
    );
}
