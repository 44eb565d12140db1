//! What a write expects of the row. Every condition of the table is built from these fences: the
//! memory store judges them here, the DynamoDB adapter turns the same list into an expression.
//! `tests/fences` takes each one away and wants to see that something breaks.

use ryla_domain::job::{Job, Origin};
use ryla_domain::state::State;
use ryla_domain::time::UnixMs;
use std::fmt;

/// Declares an enum of names together with the list of all of them, so that none can be left out.
macro_rules! names {
    ($(#[$type_doc:meta])* $type:ident { $($(#[$doc:meta])* $name:ident,)+ }) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$doc])* $name,)+
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name, as `tests/fences` prints and reads it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

/// Declares [`Fence`] and, from the same list, its kinds.
macro_rules! fences {
    ($($(#[$doc:meta])* $name:ident $(($data:ty))?,)+) => {
        /// One condition on a row.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Fence {
            $($(#[$doc])* $name $(($data))?,)+
        }

        names! {
            /// A [`Fence`] without its data.
            FenceKind {
                $(#[doc = concat!("[`Fence::", stringify!($name), "`]")] $name,)+
            }
        }

        impl Fence {
            /// Its kind.
            pub const fn kind(&self) -> FenceKind {
                match self {
                    $(Self::$name { .. } => FenceKind::$name,)+
                }
            }
        }
    };
}

names! {
    /// The writes of the table; each expects something of its own.
    WriteKind {
        /// `JobStore::create`
        Create,
        /// `Write::Claim`
        Claim,
        /// `Write::Start`
        Start,
        /// `Write::Beat`
        Beat,
        /// `Write::Replace`
        Replace,
        /// `JobStore::reschedule`
        Reschedule,
    }
}

fences! {
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
    /// The event comes from the current attempt on the current backend.
    From(Origin),
    /// A worker is on it, and the last stored event has a smaller sequence number. One condition, since
    /// only a running job has such a number.
    After(u64),
    /// The due entry has not been moved.
    DueAt(UnixMs),
}

/// Conditions of one write that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Whose they are.
    pub write: WriteKind,
    /// What they are.
    pub fences: Vec<Fence>,
}

/// One fence of one write: what `tests/fences` takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guard {
    /// The write that is guarded.
    pub write: WriteKind,
    /// What guards it.
    pub fence: FenceKind,
}

impl Expect {
    /// For a new row.
    pub fn absent(now: UnixMs) -> Self {
        Self {
            write: WriteKind::Create,
            fences: vec![Fence::AbsentAt(now)],
        }
    }

    /// For moving an entry of the due index.
    pub fn due_at(seen: UnixMs) -> Self {
        Self {
            write: WriteKind::Reschedule,
            fences: vec![Fence::DueAt(seen)],
        }
    }

    /// That fence, as one of this write.
    pub const fn guard(&self, fence: &Fence) -> Guard {
        Guard {
            write: self.write,
            fence: fence.kind(),
        }
    }

    /// Whether all hold for a row of this build's version, or for no row. This is what the DynamoDB
    /// expression must agree with.
    pub fn holds(&self, row: Option<&Job>) -> bool {
        self.fences.iter().all(|fence| fence.holds(row))
    }

    /// The same without that fence, if the write is its own.
    #[must_use]
    pub fn without(mut self, guard: Option<Guard>) -> Self {
        if guard.is_some_and(|guard| guard.write == self.write) {
            let fence = guard.map(|guard| guard.fence);
            self.fences.retain(|kept| Some(kept.kind()) != fence);
        }
        self
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
            Self::From(origin) => job.origin() == *origin,
            Self::After(seq) => match &job.state {
                State::Running(s) => s.seq < *seq,
                _ => false,
            },
            Self::DueAt(seen) => job.due.is_some_and(|due| due.at == *seen),
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.write, self.fence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_without_a_fence_of_its_write_keeps_the_others() {
        let expect = Expect {
            write: WriteKind::Start,
            fences: vec![Fence::Readable, Fence::Rev(1), Fence::Dispatching],
        };
        let left = Expect {
            write: WriteKind::Start,
            fences: vec![Fence::Readable, Fence::Dispatching],
        };
        let guard = |write| Guard {
            write,
            fence: FenceKind::Rev,
        };
        let without = |guard| expect.clone().without(guard);
        assert_eq!(without(Some(guard(WriteKind::Start))), left);
        assert_eq!(without(Some(guard(WriteKind::Claim))), expect);
        assert_eq!(without(None), expect);
        assert_eq!(guard(WriteKind::Start).to_string(), "Start.Rev");
    }
}
