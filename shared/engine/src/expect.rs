//! What a write expects of the row. Every condition of the table is built from these fences: the
//! memory store judges them here, the DynamoDB adapter turns the same list into an expression.

use ryla_domain::job::{Job, Origin};
use ryla_domain::state::State;
use ryla_domain::time::UnixMs;

/// One condition on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fence {
    /// There is no row, or one that has expired.
    AbsentAt(UnixMs),
    /// The row's version is one that this build reads.
    Readable,
    /// Nobody has written since it was read.
    Rev(u64),
    /// Accepted, or claimed with a lease that is over.
    Claimable(UnixMs),
    /// The deadline lies ahead.
    BeforeDeadline(UnixMs),
    /// It is claimed and no worker has begun.
    Dispatching,
    /// A worker is on it.
    Running,
    /// The event comes from the current attempt on the current backend.
    From(Origin),
    /// The last stored event has a smaller sequence number.
    After(u64),
    /// The due entry has not been moved.
    DueAt(UnixMs),
}

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect(pub Vec<Fence>);

impl Expect {
    /// For a new row.
    pub fn absent(now: UnixMs) -> Self {
        Self(vec![Fence::AbsentAt(now)])
    }

    /// For moving an entry of the due index.
    pub fn due_at(seen: UnixMs) -> Self {
        Self(vec![Fence::DueAt(seen)])
    }

    /// Whether all hold for a row of this build's version, or for no row. This is what the DynamoDB
    /// expression must agree with.
    pub fn holds(&self, row: Option<&Job>) -> bool {
        self.0.iter().all(|fence| fence.holds(row))
    }
}

impl Fence {
    /// Whether it holds for a row of this build's version, or for no row.
    pub fn holds(&self, row: Option<&Job>) -> bool {
        let Some(job) = row else {
            return matches!(self, Self::AbsentAt(_));
        };
        match self {
            Self::AbsentAt(now) => job.expires_at < *now,
            Self::Readable => true,
            Self::Rev(seen) => job.rev == *seen,
            Self::Claimable(now) => match &job.state {
                State::Accepted(_) => true,
                State::Dispatching(s) => s.lease_until < *now,
                _ => false,
            },
            Self::BeforeDeadline(now) => job.deadline.at > *now,
            Self::Dispatching => matches!(job.state, State::Dispatching(_)),
            Self::Running => matches!(job.state, State::Running(_)),
            Self::From(origin) => job.origin() == *origin,
            Self::After(seq) => match &job.state {
                State::Running(s) => s.seq < *seq,
                _ => false,
            },
            Self::DueAt(seen) => job.due.is_some_and(|due| due.at == *seen),
        }
    }
}
