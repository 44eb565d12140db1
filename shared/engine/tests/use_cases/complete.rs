//! Complete: a worker's word counts once, from the current attempt on the current backend, and only
//! as far as the bucket bears it out.

mod beats;
mod pictures;

use crate::stage::{Quirk, Stage, at};
use ryla_domain::failure::Code;
use ryla_domain::id::{Attempt, BackendId};
use ryla_domain::job::{Due, Job};
use ryla_domain::state::{Phase, State};
use ryla_engine::complete::{Callback, Complete, CompleteError, Event, Reply};
use ryla_engine::port::{JobStore, Write};
use ryla_engine::wiring::Ports;
use ryla_testing::backend::a_jpeg;
use ryla_testing::sample::{a_claim, a_job, a_report, key};
use std::sync::Arc;

fn complete(stage: &Stage) -> Complete {
    let mut complete = stage.ports().complete(&stage.settings);
    complete.route = stage.only_preview().route();
    complete
}

fn says(job: &Job, event: Event) -> Callback {
    Callback {
        run: job.run(),
        backend: job.backend.clone(),
        event,
    }
}

async fn tell(stage: &Stage, job: &Job, event: Event) -> Result<Reply, CompleteError> {
    complete(stage).run(&says(job, event)).await
}

/// The pictures of those jobs are in the bucket, and their workers say so, so many times each.
pub(crate) async fn deliver_all(stage: &Stage, jobs: &[Job], times: usize) {
    deliver_with(&stage.ports(), stage, jobs, times).await;
}

/// The same, through other ports.
pub(crate) async fn deliver_with(ports: &Ports, stage: &Stage, jobs: &[Job], times: usize) {
    let mut complete = ports.complete(&stage.settings);
    complete.route = stage.only_preview().route();
    for job in jobs {
        let job = stage.row(&job.key).await;
        stage.put_picture(&job);
        for _ in 0..times {
            complete.run(&says(&job, succeeded())).await.unwrap();
        }
    }
}

fn started() -> Event {
    Event::Started {
        call: Some("fc-1".parse().unwrap()),
        seq: 1,
    }
}

fn progress(seq: u64, progress: u8) -> Event {
    Event::Progress {
        seq,
        progress: Some(progress),
        renew: false,
    }
}

fn succeeded() -> Event {
    Event::Succeeded {
        report: a_report(),
        etags: Vec::new(),
    }
}

fn failed(code: Code) -> Event {
    Event::Failed {
        code,
        report: a_report(),
    }
}

fn cancelled() -> Event {
    Event::Cancelled { report: a_report() }
}

fn every_event() -> [Event; 6] {
    [
        started(),
        progress(50, 90),
        succeeded(),
        failed(Code::GpuError),
        cancelled(),
        Event::Expired,
    ]
}

/// The job after its first run failed for a reason that the GPU may get over.
const NEXT_ATTEMPT: (Phase, u8) = (Phase::Accepted, 2);

#[tokio::test]
async fn every_event_in_every_state_leads_where_the_table_says() {
    use Phase::{Accepted, Canceled, Canceling, Dispatching, Running, Succeeded};
    const RUNNING: (Phase, u8) = (Running, 1);
    let stay = |phase| (phase, 1);
    // started, progress, succeeded, failed, cancelled, expired; go on after the first two.
    let table = [
        (Accepted, [stay(Accepted); 6], false),
        (
            Dispatching,
            [
                RUNNING,
                RUNNING,
                (Succeeded, 1),
                NEXT_ATTEMPT,
                NEXT_ATTEMPT,
                NEXT_ATTEMPT,
            ],
            true,
        ),
        (
            Running,
            [
                RUNNING,
                RUNNING,
                (Succeeded, 1),
                NEXT_ATTEMPT,
                NEXT_ATTEMPT,
                NEXT_ATTEMPT,
            ],
            true,
        ),
        (
            Canceling,
            [
                stay(Canceling),
                stay(Canceling),
                (Canceled, 1),
                (Canceled, 1),
                (Canceled, 1),
                (Canceled, 1),
            ],
            false,
        ),
        (Succeeded, [stay(Succeeded); 6], false),
        (Phase::Failed, [stay(Phase::Failed); 6], false),
        (Canceled, [stay(Canceled); 6], false),
    ];
    for (phase, leads, goes_on) in table {
        for (n, (event, lead)) in every_event().into_iter().zip(leads).enumerate() {
            let stage = Stage::new();
            let job = stage.store(a_job().in_phase(phase)).await;
            stage.put_picture(&job);
            stage.clock.set(at(30));
            let what = format!("{event:?} while {}", phase.name());
            let reply = tell(&stage, &job, event).await.unwrap();
            let row = stage.row(&job.key).await;
            let led = (row.state.phase(), row.state.attempt().number());
            assert_eq!(led, lead, "{what}");
            assert_eq!(reply.go_on, n < 2 && goes_on, "{what}: {reply:?}");
            if phase.is_terminal() {
                assert_eq!(row, job, "{what}: not a byte changes");
                assert!(reply.ignored, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_worker_of_another_attempt_backend_or_account_changes_nothing_and_stops() {
    for phase in [Phase::Dispatching, Phase::Running, Phase::Canceling] {
        for event in every_event() {
            let stage = Stage::new();
            let job = stage.store(a_job().in_phase(phase)).await;
            stage.put_picture(&job);
            stage.clock.set(at(30));
            let honest = says(&job, event);
            let mut forged = vec![honest.clone(), honest.clone(), honest];
            forged[0].run.attempt = Attempt::FIRST.next();
            forged[1].backend = BackendId::try_from("pod".to_owned()).unwrap();
            forged[2].run.key = key("evil", job.key.id.as_str());
            for callback in forged {
                let told = complete(&stage).run(&callback).await.unwrap();
                let silent = Reply {
                    ignored: true,
                    ..Reply::default()
                };
                assert_eq!(told, silent, "{callback:?}");
            }
            assert_eq!(stage.row(&job.key).await, job, "{}", phase.name());
            assert_eq!(stage.jobs.jobs().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_second_success_changes_nothing() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.put_picture(&job);
    stage.clock.set(at(30));
    let first = tell(&stage, &job, succeeded()).await.unwrap();
    assert!(!first.ignored);
    let row = stage.row(&job.key).await;
    stage.clock.set(at(60));
    for event in every_event() {
        let again = tell(&stage, &job, event).await.unwrap();
        assert!(again.ignored && !again.go_on);
    }
    assert_eq!(stage.row(&job.key).await, row, "not a byte");
}

#[tokio::test]
async fn a_failure_ends_the_job_only_where_no_other_attempt_may_help() {
    for code in Code::ALL {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(Phase::Running)).await;
        stage.clock.set(at(30));
        tell(&stage, &job, failed(code)).await.unwrap();
        let row = stage.row(&job.key).await;
        if code.meaning().retry {
            assert_eq!(row.origin().attempt.number(), 2, "{code}");
            assert_eq!(
                row.due,
                Some(Due {
                    at: at(30),
                    tries: 0
                }),
                "{code}: due at once"
            );
        } else {
            let State::Failed { code: kept, .. } = row.state else {
                panic!("{code}: {:?}", row.state)
            };
            assert_eq!(kept, code);
        }
    }
}

#[tokio::test]
async fn the_next_attempt_goes_to_another_backend_where_there_is_one() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.clock.set(at(30));
    let mut complete = complete(&stage);
    complete.route = stage.both().route();
    complete
        .run(&says(&job, failed(Code::GpuOom)))
        .await
        .unwrap();
    let row = stage.row(&job.key).await;
    assert_eq!(
        (row.state.phase(), row.backend.as_str()),
        (Phase::Accepted, "pod")
    );
}

#[tokio::test]
async fn a_user_who_was_faster_than_the_success_has_cancelled() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.put_picture(&job);
    let cancel = stage.ports().cancel(&stage.settings);
    let key = job.key.clone();
    let ports = stage.ports_before_write(0, async move {
        cancel.run(&key).await.unwrap();
    });
    stage.clock.set(at(30));
    let complete = ports.complete(&stage.settings);
    complete.run(&says(&job, succeeded())).await.unwrap();
    let row = stage.row(&job.key).await;
    assert_eq!(row.state.phase(), Phase::Canceled);
    assert_eq!(row.state.ended().unwrap().cost_usd_micros, Some(9_216));
}

#[tokio::test]
async fn a_success_that_the_next_attempt_overtook_is_stale_whether_it_is_true_or_not() {
    for picture in [a_jpeg("a lighthouse"), b"<html>".to_vec()] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(Phase::Running)).await;
        stage
            .images
            .place(&job.output_key(0), "image/jpeg", picture);
        stage.clock.set(at(30));
        let next = complete(&stage)
            .after_failure(&job, Code::Timeout, &a_report(), at(30))
            .unwrap();
        let next = next.claim(a_claim("next", at(31))).unwrap();
        let (jobs, seen, written) = (Arc::clone(&stage.jobs), job.clone(), next.clone());
        let ports = stage.ports_before_write(0, async move {
            let write = Write::Replace {
                seen: &seen,
                next: &written,
            };
            jobs.write(write).await.unwrap();
        });
        let complete = ports.complete(&stage.settings);
        let reply = complete.run(&says(&job, succeeded())).await.unwrap();
        assert!(reply.ignored);
        assert_eq!(stage.row(&job.key).await, next);
    }
}

#[tokio::test]
async fn a_success_whose_write_was_answered_only_the_second_time_has_counted() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.put_picture(&job);
    stage.clock.set(at(30));
    let complete = stage.ports_with(Quirk::Twice).complete(&stage.settings);
    let reply = complete.run(&says(&job, succeeded())).await.unwrap();
    assert!(!reply.ignored);
    assert_eq!(stage.row(&job.key).await.rev, job.rev + 1);
}

#[tokio::test]
async fn a_table_or_bucket_that_is_down_asks_the_worker_to_come_again() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.put_picture(&job);
    stage.clock.set(at(30));
    let ports = stage.ports_with(Quirk::Down);
    let complete = ports.complete(&stage.settings);
    let told = complete.run(&says(&job, succeeded())).await;
    assert!(matches!(told, Err(CompleteError::Store(_))), "{told:?}");
    assert_eq!(stage.row(&job.key).await, job);
}
