//! Writes of what was read: every other move of the domain.

use super::{Case, done, due_entry, fresh_job, put, refused};
use crate::sample::{CREATED_AT, a_report, an_output};
use ryla_domain::failure::Code;
use ryla_domain::job::{AttemptEnd, DeadlineBy, Due, Job};
use ryla_domain::report::Report;
use ryla_domain::state::{CancelReason, Hold, Phase};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{DueMove, JobStore, Write};

pub(super) fn cases() -> Vec<Case> {
    cases![
        every_move_leaves_its_row,
        a_moved_due_entry_stays_where_it_is,
        an_ended_job_leaves_the_due_index,
    ]
}

const LATER: UnixMs = UnixMs(CREATED_AT.0 + 20_000);
const FAR: UnixMs = UnixMs(CREATED_AT.0 + 86_400_000);

/// Every move that is not made blind, from every phase in which it begins.
fn moves() -> Vec<(Job, Job)> {
    use Phase::{Accepted, Canceling, Dispatching, Running};
    let limit = Ms::seconds(60);
    let mut moves = Vec::new();
    let mut add = |phase, next: &dyn Fn(Job) -> Job| {
        let seen = fresh_job("move").in_phase(phase);
        moves.push((seen.clone(), next(seen)));
    };
    let fail = |job: Job| job.fail(Code::Internal, a_report(), LATER).unwrap();
    let succeed = |job: Job| {
        let origin = job.origin();
        let outputs = vec![an_output(), an_output()];
        job.succeed(&origin, outputs, a_report(), LATER).unwrap()
    };
    let end_attempt = |job: Job| {
        let origin = job.origin();
        let end = AttemptEnd {
            code: Code::GpuOom,
            report: Report::default(),
            next: Some("other".parse().unwrap()),
            max_attempts: 3,
            at: LATER,
        };
        job.end_attempt(&origin, end).unwrap()
    };
    for phase in [Accepted, Dispatching, Running, Canceling] {
        add(phase, &fail);
        add(phase, &|job| job.expire(LATER).unwrap());
        add(phase, &|mut job| {
            job.deadline.by = DeadlineBy::Caller;
            job.expire(LATER).unwrap()
        });
    }
    for phase in [Accepted, Dispatching, Running] {
        add(phase, &|job| {
            job.cancel(CancelReason::Deadline, LATER, limit)
        });
    }
    for phase in [Dispatching, Running] {
        add(phase, &succeed);
        add(phase, &end_attempt);
    }
    add(Dispatching, &|job| {
        job.hold(Hold::Account, "other".parse().unwrap()).unwrap()
    });
    add(Running, &|job| job.seen(LATER).unwrap());
    add(Canceling, &succeed);
    add(Canceling, &|job| {
        job.confirm_cancel(a_report(), LATER).unwrap()
    });
    for phase in [Phase::Succeeded, Phase::Failed, Phase::Canceled] {
        add(phase, &|job| job.remove_data().unwrap());
    }
    moves
}

async fn every_move_leaves_its_row(store: &dyn JobStore) {
    for (seen, next) in moves() {
        put(store, &seen).await;
        let row = done(
            store,
            Write::Replace {
                seen: &seen,
                next: &next,
            },
        )
        .await;
        let (from, to) = (seen.state.phase().name(), next.state.phase().name());
        assert_eq!(row, next, "row after {from} -> {to}");
        assert!(row == next, "its input as well, after {from} -> {to}");
        // The same write again is one of a row that has moved on.
        refused(
            store,
            Write::Replace {
                seen: &seen,
                next: &next,
            },
            &next,
        )
        .await;
    }
}

/// A sweep leased the row after it was read: a write that says nothing of the due time keeps the
/// lease; one that sets it anew wins.
async fn a_moved_due_entry_stays_where_it_is(store: &dyn JobStore) {
    let seen = fresh_job("leased").in_phase(Phase::Dispatching);
    put(store, &seen).await;
    let entry = due_entry(store, &seen.key, FAR).await.unwrap();
    let at = LATER + Ms::seconds(600);
    let moved = store
        .reschedule(&entry, DueMove::Later { at, tries: 3 })
        .await;
    assert!(moved.unwrap(), "move of an entry as it was seen");

    let next = seen
        .clone()
        .hold(
            Hold::Backend {
                again_at: Some(LATER),
            },
            "other".parse().unwrap(),
        )
        .unwrap();
    assert_eq!(next.due, seen.due);
    let row = done(
        store,
        Write::Replace {
            seen: &seen,
            next: &next,
        },
    )
    .await;
    assert_eq!(
        row.due,
        Some(Due { at, tries: 3 }),
        "a lease that the write says nothing of"
    );
    let expected = Job {
        due: row.due,
        ..next
    };
    assert_eq!(row, expected, "the rest of the row");

    let mut again = row.clone();
    again.rev += 1;
    again.due = Some(Due {
        at: LATER,
        tries: 0,
    });
    let row = done(
        store,
        Write::Replace {
            seen: &row,
            next: &again,
        },
    )
    .await;
    assert_eq!(row, again, "a due time that the write sets");
}

async fn an_ended_job_leaves_the_due_index(store: &dyn JobStore) {
    for leased in [false, true] {
        let seen = fresh_job("ended").in_phase(Phase::Running);
        put(store, &seen).await;
        let entry = due_entry(store, &seen.key, FAR).await;
        let entry = entry.unwrap_or_else(|| panic!("an open job is due"));
        if leased {
            let at = entry.due_at + Ms::seconds(60);
            let moved = store
                .reschedule(&entry, DueMove::Later { at, tries: 1 })
                .await;
            assert!(moved.unwrap(), "move of an entry as it was seen");
        }
        let next = seen
            .clone()
            .fail(Code::Timeout, Report::default(), LATER)
            .unwrap();
        let row = done(
            store,
            Write::Replace {
                seen: &seen,
                next: &next,
            },
        )
        .await;
        assert_eq!(row.due, None, "an ended job is not due");
        assert_eq!(
            due_entry(store, &seen.key, FAR).await,
            None,
            "its entry is gone"
        );
        let moved = store
            .reschedule(&entry, DueMove::Later { at: FAR, tries: 1 })
            .await;
        assert!(!moved.unwrap(), "move of the entry of an ended job");
        let row = super::stored(store, &seen.key).await;
        assert_eq!(row, Some(next), "row after that");
    }
}
