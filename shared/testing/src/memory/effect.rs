//! What a write does to a row, whatever it stands in: a table changes the attributes that an update
//! names and knows no states. Where every fence holds that is the domain's move, and the store checks it;
//! where one is missing it is what would happen to us.

use ryla_domain::job::{Beat, Claim, Due, Job, Start};
use ryla_domain::state::{Dispatching, Running, State};

/// A claim: what the attempt has seen of claims counts on, where the row says so.
pub(super) fn claimed(here: &Job, claim: &Claim) -> Job {
    let claims = match &here.state {
        State::Dispatching(s) => s.claims,
        _ => 0,
    };
    written(Job {
        state: State::Dispatching(Dispatching {
            attempt: here.state.attempt(),
            claim: claim.claim.clone(),
            claims: claims + 1,
            dispatched_at: here.state.dispatched_at().unwrap_or(claim.at),
            lease_until: claim.lease_until,
        }),
        ..here.clone()
    })
}

/// A start; `None` where no claim has left its time, so that nobody can read the row any more.
pub(super) fn started(here: &Job, start: &Start) -> Option<Job> {
    let (call, progress) = match &here.state {
        State::Running(s) => (s.call.clone(), s.progress),
        _ => (None, None),
    };
    let state = State::Running(Running {
        attempt: here.state.attempt(),
        dispatched_at: here.state.dispatched_at()?,
        started_at: start.at,
        seen_at: start.at,
        seq: start.seq,
        call: start.call.clone().or(call),
        progress,
    });
    let here = here.clone();
    Some(written(Job { state, ..here }))
}

/// A sign of life. In a row that is not running nobody reads what it leaves but the revision.
pub(super) fn beaten(here: &Job, beat: &Beat) -> Job {
    let mut next = here.clone();
    if let State::Running(s) = &mut next.state {
        s.seq = beat.seq;
        s.seen_at = beat.at;
        s.progress = beat.progress.or(s.progress);
    }
    written(next)
}

/// What differs between the two, in a row that may be neither: a due entry that was moved after
/// `seen` was read, and that `next` leaves alone, stays where it is. The state counts as one value here,
/// while a table writes its attributes one by one.
pub(super) fn replaced(here: &Job, seen: &Job, next: &Job) -> Job {
    fn merged<T: Clone + PartialEq>(here: &T, seen: &T, next: &T) -> T {
        if seen == next { here } else { next }.clone()
    }
    let due = match (here.due, seen.due, next.due) {
        (Some(here), Some(seen), Some(next)) => Some(Due {
            at: merged(&here.at, &seen.at, &next.at),
            tries: merged(&here.tries, &seen.tries, &next.tries),
        }),
        (here, seen, next) => merged(&here, &seen, &next),
    };
    Job {
        rev: merged(&here.rev, &seen.rev, &next.rev),
        deadline: merged(&here.deadline, &seen.deadline, &next.deadline),
        expires_at: merged(&here.expires_at, &seen.expires_at, &next.expires_at),
        input: merged(&here.input, &seen.input, &next.input),
        backend: merged(&here.backend, &seen.backend, &next.backend),
        state: merged(&here.state, &seen.state, &next.state),
        data_removed: merged(&here.data_removed, &seen.data_removed, &next.data_removed),
        due,
        // No move changes what it was accepted as.
        ..here.clone()
    }
}

fn written(mut job: Job) -> Job {
    job.rev += 1;
    job
}
