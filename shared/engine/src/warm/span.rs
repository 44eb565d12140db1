//! Which minutes a tick looks at: those that no other has looked at, as far as clocks can be believed.

use ryla_domain::warm::Minute;

/// Missed minutes that are caught up with. After more, requests and containers are forgotten.
const CATCH_UP: i64 = 5;
/// Minutes by which the clock of one invocation may be behind that of another, below 0.
const BEHIND: i64 = -10;

/// Which minutes are still to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// None: another tick has looked at them.
    Done,
    /// None: the clock of another tick was ahead. Until the time has come leases are renewed as they are.
    Ahead,
    /// From that one on.
    From(Minute),
    /// Too many, or a clock that went back: the last one alone.
    Gap,
}

impl Span {
    /// `next` is the first that has not been looked at, `this` the one under way.
    pub(super) const fn of(next: Minute, this: Minute) -> Self {
        match this.0.saturating_sub(next.0) {
            0 => Self::Done,
            BEHIND..=-1 => Self::Ahead,
            1..=CATCH_UP => Self::From(next),
            _ => Self::Gap,
        }
    }

    /// Those minutes, in order.
    pub(super) fn minutes(self, this: Minute) -> impl Iterator<Item = Minute> {
        let first = match self {
            Self::Done | Self::Ahead => this,
            Self::From(first) => first,
            Self::Gap => this.previous(),
        };
        (first.0..this.0).map(Minute)
    }
}
