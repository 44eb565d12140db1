//! No sequence of events, whoever they come from and whenever, leaves a terminal state, revives a
//! stale attempt, or changes an outcome.

use crate::failure::Code;
use crate::id::Attempt;
use crate::job::{AttemptEnd, Beat, DeadlineBy, Illegal, Job, Origin, Start};
use crate::report::Report;
use crate::sample::{MAX_ATTEMPTS, accepted, at, backend, claim_at, picture, report};
use crate::state::{CancelReason, Hold};
use crate::time::{Ms, UnixMs};
use proptest::prelude::*;

/// Anything that any process may try on a job.
#[derive(Clone, Debug)]
enum Event {
    Claim,
    Start(Origin, u64),
    Beat(Origin, u64),
    Seen,
    Hold(bool),
    HandOver(&'static str),
    EndAttempt(Origin, Option<&'static str>),
    Fail,
    Succeed(Origin, bool),
    Cancel,
    ConfirmCancel,
    Expire,
    GiveUp,
    RemoveData,
}

const BACKENDS: [&str; 2] = ["modal", "pod"];

fn any_backend() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&BACKENDS[..])
}

fn any_origin() -> impl Strategy<Value = Origin> {
    (1..=4_u64, any_backend()).prop_map(|(attempt, name)| Origin {
        attempt: Attempt::try_from(attempt).unwrap(),
        backend: backend(name),
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Claim),
        4 => (any_origin(), 0..20_u64).prop_map(|(origin, seq)| Event::Start(origin, seq)),
        2 => (any_origin(), 0..20_u64).prop_map(|(origin, seq)| Event::Beat(origin, seq)),
        1 => Just(Event::Seen),
        1 => any::<bool>().prop_map(Event::Hold),
        1 => any_backend().prop_map(Event::HandOver),
        4 => (any_origin(), prop::option::of(any_backend()))
            .prop_map(|(origin, next)| Event::EndAttempt(origin, next)),
        1 => Just(Event::Fail),
        2 => (any_origin(), any::<bool>())
            .prop_map(|(origin, picture)| Event::Succeed(origin, picture)),
        1 => Just(Event::Cancel),
        1 => Just(Event::ConfirmCancel),
        1 => Just(Event::Expire),
        1 => Just(Event::GiveUp),
        1 => Just(Event::RemoveData),
    ]
}

/// Times lie anywhere around a job's life, in any order: clocks differ and messages are late.
fn any_time() -> impl Strategy<Value = UnixMs> {
    (-100_000..1_200_000_i64).prop_map(|ms| UnixMs(at(0).0 + ms))
}

fn any_job() -> impl Strategy<Value = Job> {
    any::<bool>().prop_map(|caller| {
        let mut job = accepted();
        if caller {
            job.deadline.by = DeadlineBy::Caller;
        }
        job
    })
}

fn apply(job: Job, event: &Event, now: UnixMs) -> Result<Job, Illegal> {
    match event {
        Event::Claim => job.claim(claim_at(now)),
        Event::Start(origin, seq) => job.start(Start {
            origin: origin.clone(),
            call: None,
            seq: *seq,
            at: now,
        }),
        Event::Beat(origin, seq) => job.beat(&Beat {
            origin: origin.clone(),
            seq: *seq,
            progress: Some(1),
            at: now,
        }),
        Event::Seen => job.seen(now),
        Event::Hold(account) => {
            let hold = if *account {
                Hold::Account
            } else {
                Hold::Backend { again_at: None }
            };
            job.hold(hold, backend("modal"))
        }
        Event::HandOver(to) => job.hand_over(backend(to)),
        Event::EndAttempt(origin, next) => job.end_attempt(
            origin,
            AttemptEnd {
                code: Code::GpuError,
                report: report(),
                next: next.map(backend),
                max_attempts: MAX_ATTEMPTS,
                at: now,
            },
        ),
        Event::Fail => job.fail(Code::Internal, Report::default(), now),
        Event::Succeed(origin, with_picture) => {
            let pictures = with_picture.then(picture).into_iter().collect();
            job.succeed(origin, pictures, report(), now)
        }
        Event::Cancel => Ok(job.cancel(CancelReason::User, now, Ms::seconds(60))),
        Event::ConfirmCancel => job.confirm_cancel(Report::default(), now),
        Event::Expire => job.expire(now),
        Event::GiveUp => job.give_up(now),
        Event::RemoveData => job.remove_data(),
    }
}

fn origin_of(event: &Event) -> Option<&Origin> {
    match event {
        Event::Start(origin, _)
        | Event::Beat(origin, _)
        | Event::EndAttempt(origin, _)
        | Event::Succeed(origin, _) => Some(origin),
        _ => None,
    }
}

/// What must hold between a job and what an event made of it.
fn judge(before: &Job, event: &Event, after: &Job) -> Result<(), TestCaseError> {
    let ended = before.state.phase().is_terminal();
    if after.rev == before.rev {
        prop_assert_eq!(after, before, "a move that is not written changes nothing");
        return Ok(());
    }
    prop_assert_eq!(after.rev, before.rev + 1, "one write, one revision");
    if ended {
        prop_assert!(
            matches!(event, Event::RemoveData),
            "{event:?} moved an ended job"
        );
        prop_assert_eq!(&after.state, &before.state, "an outcome never changes");
    }
    if let Some(origin) = origin_of(event) {
        prop_assert_eq!(origin, &before.origin(), "a stale event changed the job");
    }
    let (was, is) = (before.state.attempt(), after.state.attempt());
    prop_assert!(is == was || is == was.next(), "attempt {was} became {is}");
    prop_assert!(is.number() <= MAX_ATTEMPTS);
    prop_assert_eq!(
        after.due.is_some(),
        !after.state.phase().is_terminal(),
        "due exactly while it is open"
    );
    if let Some(end) = after.state.ended() {
        prop_assert!(end.completed_at >= after.created_at);
    }
    let unchanged = Job {
        rev: before.rev,
        backend: before.backend.clone(),
        state: before.state.clone(),
        due: before.due,
        input: before.input.clone(),
        data_removed: before.data_removed,
        ..after.clone()
    };
    prop_assert_eq!(
        &unchanged,
        before,
        "everything else is written once, at acceptance"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_sequence_of_events_gets_around_the_rules(
        mut job in any_job(),
        events in prop::collection::vec((any_event(), any_time()), 1..80),
    ) {
        for (event, now) in events {
            if let Ok(next) = apply(job.clone(), &event, now) {
                judge(&job, &event, &next)?;
                job = next;
            }
        }
    }

    /// Random strangers seldom hit: here every event is told by whoever is current, so that jobs get
    /// to their last attempt and their end.
    #[test]
    fn no_life_that_the_current_worker_tells_gets_around_the_rules(
        mut job in any_job(),
        events in prop::collection::vec((any_event(), any_time()), 1..80),
    ) {
        for (event, now) in events {
            let current = job.origin();
            let event = match event {
                Event::Start(_, seq) => Event::Start(current, seq),
                Event::Beat(_, seq) => Event::Beat(current, seq),
                Event::EndAttempt(_, next) => Event::EndAttempt(current, next),
                Event::Succeed(_, with_picture) => Event::Succeed(current, with_picture),
                other => other,
            };
            if let Ok(next) = apply(job.clone(), &event, now) {
                judge(&job, &event, &next)?;
                job = next;
            }
        }
    }
}
