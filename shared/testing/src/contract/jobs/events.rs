//! Blind writes that happen: each leaves exactly the row that the domain's move makes of it.

use super::{Case, done, fresh_job, put};
use crate::sample::{CREATED_AT, a_beat, a_claim, a_start};
use ryla_domain::failure::Code;
use ryla_domain::job::{AttemptEnd, Job};
use ryla_domain::report::Report;
use ryla_domain::state::{Hold, Phase, State};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{JobStore, Write, Written};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_claim_makes_the_domains_row,
        a_second_claim_counts_on,
        a_new_attempt_counts_anew,
        nothing_of_one_attempt_is_left_in_the_next,
        a_refused_claim_shows_its_own_claim,
        a_start_makes_the_domains_row,
        beats_make_the_domains_row,
        a_write_to_no_row_is_refused,
    ]
}

const fn at(seconds: u64) -> UnixMs {
    UnixMs(CREATED_AT.0 + seconds.cast_signed() * 1000)
}

async fn claim(store: &dyn JobStore, job: &Job, claim: &str, now: UnixMs) -> Job {
    let claim = a_claim(claim, now);
    let next = done(store, Write::Claim(&job.key, &claim)).await;
    assert_eq!(next, job.clone().claim(claim).unwrap(), "row after a claim");
    next
}

async fn a_claim_makes_the_domains_row(store: &dyn JobStore) {
    let job = fresh_job("claim").build();
    put(store, &job).await;
    claim(store, &job, "first", at(1)).await;

    let held = fresh_job("claim-held").in_phase(Phase::Dispatching);
    let again_at = Some(at(1));
    let held = held
        .hold(Hold::Backend { again_at }, "other".parse().unwrap())
        .unwrap();
    put(store, &held).await;
    claim(store, &held, "after-hold", at(2)).await;
}

async fn a_second_claim_counts_on(store: &dyn JobStore) {
    let job = fresh_job("again").build();
    put(store, &job).await;
    let first = claim(store, &job, "first", at(1)).await;
    let second = claim(store, &first, "second", at(47)).await;
    let State::Dispatching(s) = &second.state else {
        panic!("a claimed job is dispatching, not {second:?}")
    };
    assert_eq!(
        (s.claims, s.dispatched_at),
        (2, at(1)),
        "claims, and when the first one was"
    );
    claim(store, &second, "third", at(100)).await;
}

async fn a_new_attempt_counts_anew(store: &dyn JobStore) {
    for phase in [Phase::Dispatching, Phase::Running] {
        let job = fresh_job("attempt").in_phase(phase);
        put(store, &job).await;
        let end = AttemptEnd {
            code: Code::GpuError,
            report: Report::default(),
            next: Some("other".parse().unwrap()),
            max_attempts: 3,
            at: at(30),
        };
        let next = job.clone().end_attempt(&job.origin(), end).unwrap();
        let seen = &job;
        let accepted = done(store, Write::Replace { seen, next: &next }).await;
        assert_eq!(accepted, next, "row after the end of an attempt");
        let again = claim(store, &accepted, "second-attempt", at(31)).await;
        let State::Dispatching(s) = &again.state else {
            panic!("a claimed job is dispatching, not {again:?}")
        };
        assert_eq!(
            (s.attempt.number(), s.claims, s.dispatched_at),
            (2, 1, at(31))
        );
    }
}

/// Three attempts, each by blind writes and ended by a read and a write: what a move leaves out of
/// the row must be gone from it, or a later move finds it again.
async fn nothing_of_one_attempt_is_left_in_the_next(store: &dyn JobStore) {
    let held = fresh_job("life").in_phase(Phase::Dispatching);
    let mut job = held
        .hold(Hold::Account, "preview".parse().unwrap())
        .unwrap();
    put(store, &job).await;
    for (attempt, call) in [(1, Some("call-1".parse().unwrap())), (2, None), (3, None)] {
        let now = at(attempt * 100);
        job = claim(store, &job, "first", now).await;
        job = claim(store, &job, "second", now + Ms::seconds(46)).await;
        let start = a_start(&job, now + Ms::seconds(50));
        let start = ryla_domain::job::Start { call, ..start };
        let running = done(store, Write::Start(&job.key, &start)).await;
        assert_eq!(
            running,
            job.start(start).unwrap(),
            "start of attempt {attempt}"
        );
        let progress = (attempt == 1).then_some(60);
        let beat = a_beat(&running, 2, progress, now + Ms::seconds(55));
        let beaten = done(store, Write::Beat(&running.key, &beat)).await;
        assert_eq!(
            beaten,
            running.beat(&beat).unwrap(),
            "beat of attempt {attempt}"
        );
        let end = AttemptEnd {
            code: Code::GpuError,
            report: Report::default(),
            next: Some("preview".parse().unwrap()),
            max_attempts: 3,
            at: now + Ms::seconds(60),
        };
        let next = beaten.clone().end_attempt(&beaten.origin(), end).unwrap();
        let write = Write::Replace {
            seen: &beaten,
            next: &next,
        };
        job = done(store, write).await;
        assert_eq!(job, next, "end of attempt {attempt}");
    }
    assert_eq!(job.state.phase(), Phase::Failed, "after the last attempt");
}

/// A claim whose reply was lost, and which was sent again, is won: its own id is in the refusal.
async fn a_refused_claim_shows_its_own_claim(store: &dyn JobStore) {
    let job = fresh_job("lost-reply").build();
    put(store, &job).await;
    let claim = a_claim("lost-reply", at(1));
    let row = done(store, Write::Claim(&job.key, &claim)).await;
    let again = store.write(Write::Claim(&job.key, &claim)).await.unwrap();
    let Written::Refused(Some(shown)) = again else {
        panic!("a repeated claim is refused with the row, not {again:?}")
    };
    assert_eq!(*shown, row, "the row that refuses a repeated claim");
    assert!(matches!(&shown.state, State::Dispatching(s) if s.claim == claim.claim));
}

async fn a_start_makes_the_domains_row(store: &dyn JobStore) {
    for call in [None, Some("fc-01J".parse().unwrap())] {
        let job = fresh_job("start").in_phase(Phase::Dispatching);
        put(store, &job).await;
        let start = ryla_domain::job::Start {
            call,
            ..a_start(&job, at(3))
        };
        let next = done(store, Write::Start(&job.key, &start)).await;
        assert_eq!(next, job.start(start).unwrap(), "row after a start");
    }
}

async fn beats_make_the_domains_row(store: &dyn JobStore) {
    let mut job = fresh_job("beat").in_phase(Phase::Running);
    put(store, &job).await;
    for (seq, progress) in [
        (3, Some(50)),
        (4, None),
        (10, Some(99)),
        (u64::MAX, Some(100)),
    ] {
        let beat = a_beat(&job, seq, progress, at(20) + Ms(seq.min(100)));
        let next = done(store, Write::Beat(&job.key, &beat)).await;
        job = job.beat(&beat).unwrap();
        assert_eq!(next, job, "row after beat {seq}");
    }
}

async fn a_write_to_no_row_is_refused(store: &dyn JobStore) {
    let job = fresh_job("absent").in_phase(Phase::Running);
    let (claim, start, beat) = (
        a_claim("nobody", at(1)),
        a_start(&job, at(3)),
        a_beat(&job, 9, None, at(9)),
    );
    let next = job.clone().seen(at(9)).unwrap();
    for write in [
        Write::Claim(&job.key, &claim),
        Write::Start(&job.key, &start),
        Write::Beat(&job.key, &beat),
        Write::Replace {
            seen: &job,
            next: &next,
        },
    ] {
        let text = format!("{write:?}");
        let written = store.write(write).await.unwrap();
        assert_eq!(written, Written::Refused(None), "{text} of no row");
    }
    assert_eq!(
        super::stored(store, &job.key).await,
        None,
        "no write makes a row"
    );
}
