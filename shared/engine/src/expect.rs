//! What a write expects of the row. Every condition of the table is built from these fences: the
//! memory store judges them here, the DynamoDB adapter turns the same list into an expression.
//! `tests/fences` takes each one away and wants to see that something breaks.

use ryla_domain::job::{Job, Origin};
use ryla_domain::state::State;
use ryla_domain::time::UnixMs;
use std::fmt;
use std::str::FromStr;

/// Declares [`Fence`] and, from the same list, its kinds: no kind can be left out of
/// [`FenceKind::ALL`].
macro_rules! fences {
    ($($(#[$doc:meta])* $name:ident $(($data:ty))?,)+) => {
        /// One condition on a row.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Fence {
            $($(#[$doc])* $name $(($data))?,)+
        }

        /// A [`Fence`] without its data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FenceKind {
            $(#[doc = concat!("[`Fence::", stringify!($name), "`]")] $name,)+
        }

        impl Fence {
            /// Its kind.
            pub const fn kind(&self) -> FenceKind {
                match self {
                    $(Self::$name { .. } => FenceKind::$name,)+
                }
            }
        }

        impl FenceKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name, as `tests/fences` prints and reads it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
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

    /// The same without the fences of that kind.
    #[must_use]
    pub fn without(mut self, kind: Option<FenceKind>) -> Self {
        self.0.retain(|fence| Some(fence.kind()) != kind);
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

impl fmt::Display for FenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No fence has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fence is called {0:?}")]
pub struct UnknownFence(String);

impl FromStr for FenceKind {
    type Err = UnknownFence;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownFence(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_by_its_name() {
        for kind in FenceKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
        assert!("rev".parse::<FenceKind>().is_err());
    }

    #[test]
    fn an_expectation_without_a_kind_keeps_the_others() {
        let expect = Expect(vec![Fence::Readable, Fence::Rev(1), Fence::Dispatching]);
        let left = Expect(vec![Fence::Readable, Fence::Dispatching]);
        assert_eq!(expect.clone().without(Some(FenceKind::Rev)), left);
        assert_eq!(expect.clone().without(None), expect);
    }
}
