//! What goes wrong in a run: planned faults one by one, or a storm that strikes anywhere.

use super::fault::Fault;
use ryla_domain::time::Ms;
use ryla_engine::expect::Guard;

/// How far a clock may be off in the family `Live`.
pub const LIVE_SKEW: Ms = Ms::seconds(5);

/// How far a clock may be off in the family `Hostile`.
pub const HOSTILE_SKEW: Ms = Ms::seconds(600);

/// What goes wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Faults at their places: the family `Live`, as long as they are at most three.
    pub faults: Vec<Fault>,
    /// Faults anywhere: the family `Hostile`.
    pub storm: Option<Storm>,
    /// How far the clock of each process may be off, both ways.
    pub skew: Ms,
    /// The trace is kept, for somebody to read it.
    pub traced: bool,
    /// The fence that the table forgets: no weather of ours, but what shows that the promises bite.
    pub without: Option<Guard>,
}

/// Faults at any call, message and callback, until it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Of a thousand places how many it strikes.
    pub per_mille: u64,
    /// Until then no sweep comes, counted from the beginning.
    pub no_sweep_until: Ms,
    /// From then on nothing goes wrong and every clock is right, counted from the beginning.
    pub over_at: Ms,
}

impl Weather {
    /// Exactly these faults.
    pub fn of(faults: &[Fault]) -> Self {
        Self {
            faults: faults.to_vec(),
            traced: true,
            ..Self::default()
        }
    }

    /// The same on a table that forgets that fence.
    #[must_use]
    pub fn without(self, guard: Option<Guard>) -> Self {
        Self {
            without: guard,
            ..self
        }
    }

    /// The same, with a trace.
    #[must_use]
    pub fn traced(self) -> Self {
        Self {
            traced: true,
            ..self
        }
    }
}
