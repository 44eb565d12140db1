//! What each move leaves in the row, and where its limits lie.

use crate::failure::Code;
use crate::id::Attempt;
use crate::job::{AttemptEnd, DeadlineBy, Due, Illegal, Job, Origin};
use crate::output::Output;
use crate::report::{Likeness, Report};
use crate::sample::{
    LEASE, accepted, at, backend, beat_at, claim_at, gpu_error, in_phase, picture, report, start_at,
};
use crate::state::{CancelReason, Hold, Phase, State};
use crate::time::{Ms, UnixMs};

fn ended_at(job: &Job) -> UnixMs {
    job.state.ended().unwrap().completed_at
}

fn code_of(job: &Job) -> Code {
    match &job.state {
        State::Failed { code, .. } => *code,
        other => panic!("{} has no code", other.phase().name()),
    }
}

fn by_caller(mut job: Job) -> Job {
    job.deadline.by = DeadlineBy::Caller;
    job
}

/// Every origin that is not the job's: earlier and later attempt, another backend.
fn strangers(job: &Job) -> Vec<Origin> {
    let here = job.origin();
    let attempts = [Attempt::FIRST, Attempt::FIRST.next(), here.attempt.next()];
    let backends = ["modal", "pod", "elsewhere"].map(backend);
    let all = attempts.into_iter().flat_map(|attempt| {
        backends
            .iter()
            .cloned()
            .map(move |backend| Origin { attempt, backend })
    });
    all.filter(|origin| *origin != here).collect()
}

#[test]
fn a_claim_may_be_taken_over_only_after_its_lease() {
    let job = in_phase(Phase::Dispatching);
    let lease_until = at(1) + LEASE;
    assert_eq!(
        job.clone().claim(claim_at(lease_until)),
        Err(Illegal::Held),
        "at its last moment"
    );
    let again = job.claim(claim_at(lease_until + Ms(1))).unwrap();
    let State::Dispatching(s) = &again.state else {
        panic!("a claimed job is dispatching")
    };
    assert_eq!(s.attempt, Attempt::FIRST, "the backend's idempotency key");
    assert_eq!((s.claims, s.dispatched_at), (2, at(1)));
    assert_eq!(s.lease_until, lease_until + Ms(1) + LEASE);
}

#[test]
fn a_job_is_claimed_before_its_deadline_or_not_at_all() {
    let deadline = accepted().deadline.at;
    assert!(accepted().claim(claim_at(deadline - Ms(1))).is_ok());
    assert_eq!(accepted().claim(claim_at(deadline)), Err(Illegal::Late));
}

#[test]
fn the_happy_path_never_moves_the_due_entry() {
    let due = accepted().due;
    for phase in [Phase::Dispatching, Phase::Running] {
        assert_eq!(in_phase(phase).due, due, "{}", phase.name());
    }
    let job = in_phase(Phase::Running);
    assert_eq!(job.clone().beat(&beat_at(&job, 2, at(9))).unwrap().due, due);
}

#[test]
fn strangers_change_nothing() {
    let second_attempt = |job: Job| {
        let origin = job.origin();
        let job = job.end_attempt(&origin, gpu_error(at(4))).unwrap();
        let job = job.claim(claim_at(at(5))).unwrap();
        let start = start_at(&job, at(6));
        job.start(start).unwrap()
    };
    for job in [
        in_phase(Phase::Dispatching),
        in_phase(Phase::Running),
        second_attempt(in_phase(Phase::Running)),
    ] {
        for origin in strangers(&job) {
            let mut start = start_at(&job, at(30));
            start.origin = origin.clone();
            let mut beat = beat_at(&job, 99, at(30));
            beat.origin = origin.clone();
            let stale = Err(Illegal::Stale);
            assert_eq!(job.clone().start(start), stale, "start, {origin:?}");
            assert_eq!(job.clone().beat(&beat), stale, "beat, {origin:?}");
            let ended = job.clone().end_attempt(&origin, gpu_error(at(30)));
            assert_eq!(ended, stale, "end of attempt, {origin:?}");
            let pictures = vec![picture()];
            let succeeded = job.clone().succeed(&origin, pictures, report(), at(30));
            assert_eq!(succeeded, stale, "success, {origin:?}");
        }
    }
}

#[test]
fn an_event_counts_only_if_its_number_is_higher_than_the_last_ones() {
    let job = in_phase(Phase::Running);
    for seq in [0, 1] {
        let beat = beat_at(&job, seq, at(30));
        assert_eq!(job.clone().beat(&beat), Err(Illegal::OutOfOrder), "{seq}");
    }
    let next = job.clone().beat(&beat_at(&job, 2, at(30))).unwrap();
    let State::Running(s) = &next.state else {
        panic!("a running job stays so")
    };
    assert_eq!((s.seq, s.seen_at, s.progress), (2, at(30), Some(40)));
    let mut silent = beat_at(&next, 3, at(31));
    silent.progress = None;
    let State::Running(s) = next.beat(&silent).unwrap().state else {
        panic!("a running job stays so")
    };
    assert_eq!(
        s.progress,
        Some(40),
        "a beat without progress keeps the last one"
    );
}

#[test]
fn what_the_backend_vouches_for_is_progress_and_time_never_runs_back() {
    let mut job = in_phase(Phase::Running);
    job.due = Some(Due {
        at: at(200),
        tries: 7,
    });
    let seen = job.seen(at(2)).unwrap();
    assert_eq!(
        seen.due,
        Some(Due {
            at: at(200),
            tries: 0
        })
    );
    let State::Running(s) = seen.seen(at(50)).unwrap().state else {
        panic!("a running job stays so")
    };
    assert_eq!((s.started_at, s.seen_at), (at(3), at(50)));
}

#[test]
fn an_attempt_that_ended_makes_the_job_due_at_once_for_the_next() {
    let job = in_phase(Phase::Running);
    let next = job
        .clone()
        .end_attempt(&job.origin(), gpu_error(at(30)))
        .unwrap();
    assert_eq!(next.origin().attempt.number(), 2);
    assert_eq!(next.backend, backend("pod"));
    assert_eq!(
        next.due,
        Some(Due {
            at: at(30),
            tries: 0
        })
    );
}

#[test]
fn the_last_attempt_ends_the_job_with_its_own_code_and_report() {
    let mut job = in_phase(Phase::Running);
    for attempt in 2..=3 {
        job = job
            .clone()
            .end_attempt(&job.origin(), gpu_error(at(30)))
            .unwrap();
        assert_eq!(job.origin().attempt.number(), attempt);
        job = job.claim(claim_at(at(31))).unwrap();
    }
    let ended = job
        .clone()
        .end_attempt(&job.origin(), gpu_error(at(60)))
        .unwrap();
    assert_eq!(code_of(&ended), Code::GpuError);
    assert_eq!(ended.state.attempt().number(), 3);
    // 10 s on an L40S at 0.000542 dollars a second.
    assert_eq!(ended.state.ended().unwrap().cost_usd_micros, Some(5_420));
}

#[test]
fn a_failure_that_no_other_attempt_may_cure_ends_the_job_at_once() {
    let job = in_phase(Phase::Running);
    let end = AttemptEnd {
        code: Code::Unsafe,
        next: None,
        ..gpu_error(at(30))
    };
    let ended = job.clone().end_attempt(&job.origin(), end).unwrap();
    assert_eq!((code_of(&ended), ended_at(&ended)), (Code::Unsafe, at(30)));
}

#[test]
fn no_attempt_begins_at_the_deadline_and_it_is_the_deadline_that_ends_the_job() {
    let deadline = accepted().deadline.at;
    let job = in_phase(Phase::Running);
    let before = job
        .clone()
        .end_attempt(&job.origin(), gpu_error(deadline - Ms(1)));
    assert_eq!(before.unwrap().state.phase(), Phase::Accepted);

    let ended = job
        .clone()
        .end_attempt(&job.origin(), gpu_error(deadline))
        .unwrap();
    assert_eq!(code_of(&ended), Code::Timeout);
    assert_eq!(ended.state.ended().unwrap().report, report());

    // The run was stopped for the caller's deadline, and its word of that came first.
    let job = by_caller(job);
    let ended = job
        .clone()
        .end_attempt(&job.origin(), gpu_error(deadline))
        .unwrap();
    assert!(matches!(
        &ended.state,
        State::Canceled {
            reason: CancelReason::Deadline,
            ended
        } if ended.report == report()
    ));
}

#[test]
fn a_held_job_waits_under_the_same_attempt_number() {
    let job = in_phase(Phase::Dispatching);
    let held = job
        .hold(Hold::Backend { again_at: None }, backend("pod"))
        .unwrap();
    assert_eq!(held.origin().attempt, Attempt::FIRST);
    assert_eq!(held.backend, backend("pod"));
    assert_eq!(held.state.dispatched_at(), None);
    let claimed = held.claim(claim_at(at(9))).unwrap();
    assert!(matches!(&claimed.state, State::Dispatching(s) if s.claims == 1));
}

#[test]
fn handing_over_keeps_attempt_and_claim() {
    let job = in_phase(Phase::Dispatching);
    let handed = job.clone().hand_over(backend("pod")).unwrap();
    assert_eq!(handed.state, job.state);
    assert_eq!(handed.backend, backend("pod"));
}

#[test]
fn the_systems_deadline_fails_a_job_and_the_callers_cancels_it() {
    let deadline = accepted().deadline.at;
    let held = in_phase(Phase::Dispatching)
        .hold(Hold::Backend { again_at: None }, backend("modal"))
        .unwrap();
    let of_account = in_phase(Phase::Dispatching)
        .hold(Hold::Account, backend("modal"))
        .unwrap();
    for (job, code) in [
        (accepted(), Code::Timeout),
        (in_phase(Phase::Dispatching), Code::Timeout),
        (in_phase(Phase::Running), Code::Timeout),
        (held, Code::BackendUnreachable),
        (of_account, Code::Timeout),
    ] {
        assert_eq!(code_of(&job.clone().expire(deadline).unwrap()), code);
        let canceled = by_caller(job).expire(deadline).unwrap();
        assert!(matches!(
            canceled.state,
            State::Canceled {
                reason: CancelReason::Deadline,
                ..
            }
        ));
    }
    let cancelling = in_phase(Phase::Canceling).expire(deadline).unwrap();
    assert!(
        matches!(
            cancelling.state,
            State::Canceled {
                reason: CancelReason::User,
                ..
            }
        ),
        "what the user wanted stays the reason"
    );
}

#[test]
fn a_job_is_given_up_as_our_failure_unless_no_backend_took_it() {
    let held = in_phase(Phase::Dispatching)
        .hold(Hold::Backend { again_at: None }, backend("modal"))
        .unwrap();
    assert_eq!(
        code_of(&accepted().give_up(at(30)).unwrap()),
        Code::Internal
    );
    assert_eq!(
        code_of(&held.give_up(at(30)).unwrap()),
        Code::BackendUnreachable
    );
}

#[test]
fn a_cancelled_run_is_due_after_the_cancel_limit_and_at_the_deadline_at_the_latest() {
    let limit = Ms::seconds(60);
    for (now, due) in [(at(5), at(65)), (at(860), at(900)), (at(950), at(900))] {
        for phase in [Phase::Dispatching, Phase::Running] {
            let job = in_phase(phase).cancel(CancelReason::User, now, limit);
            assert_eq!(job.due, Some(Due { at: due, tries: 0 }), "{}", phase.name());
        }
    }
}

#[test]
fn a_picture_that_nobody_waits_for_any_more_ends_the_cancellation_and_is_paid() {
    let job = in_phase(Phase::Canceling);
    let origin = job.origin();
    let ended = job
        .succeed(&origin, vec![picture()], report(), at(20))
        .unwrap();
    let State::Canceled { ended, reason } = ended.state else {
        panic!("a cancelled job never succeeds")
    };
    assert_eq!(reason, CancelReason::User);
    assert_eq!(ended.cost_usd_micros, Some(5_420));
}

#[test]
fn a_likeness_is_kept_of_the_pictures_that_are_delivered_and_of_no_other() {
    let alike = |share| Likeness::of_share(share).unwrap();
    let told = || report().with_likeness([(7, alike(0.9)), (1, alike(0.5)), (1, alike(0.6))]);
    let pictures = [0, 1].map(|slot| Output { slot, ..picture() });
    let job = in_phase(Phase::Running);
    let origin = job.origin();
    let ended = job
        .clone()
        .succeed(&origin, pictures.to_vec(), told(), at(20));
    let report = ended.unwrap().state.ended().unwrap().report.clone();
    assert_eq!(report.likeness, [(1, alike(0.5))]);
    let failed = job.clone().fail(Code::NoOutput, told(), at(20)).unwrap();
    let cancelled = in_phase(Phase::Canceling);
    let origin = cancelled.origin();
    let cancelled = cancelled.succeed(&origin, vec![picture()], told(), at(20));
    for ended in [failed, cancelled.unwrap()] {
        assert_eq!(ended.state.ended().unwrap().report.likeness, []);
    }
}

#[test]
fn the_end_keeps_the_times_of_the_last_attempt() {
    let ended = in_phase(Phase::Succeeded).state.ended().unwrap().clone();
    assert_eq!(ended.dispatched_at, Some(at(1)));
    assert_eq!(ended.started_at, Some(at(3)));
    assert_eq!(ended.completed_at, at(20));
    let early = accepted()
        .fail(Code::Internal, Report::default(), at(0) - Ms(50))
        .unwrap();
    assert_eq!(
        ended_at(&early),
        accepted().created_at,
        "no job ends before it was accepted, whatever a machine's clock says"
    );
}
