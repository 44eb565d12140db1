//! What can go wrong, and where. A plan is a list of faults; each names the one call, message or
//! callback that it hits, by number, so that a failing run can be repeated and made smaller.

use super::process::Kind;
use crate::SeededEntropy;

/// The calls that may read what was true a moment before.
pub(super) const STALE_READS: [&str; 3] = ["jobs.due", "jobs.read eventual", "jobs.list"];

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At the `nth` port call (from 0) of all processes of that kind.
    Call {
        /// Whose call.
        kind: Kind,
        /// Which one.
        nth: usize,
        /// What happens there.
        harm: Harm,
    },
    /// To the `nth` message that is sent.
    Message {
        /// Which one.
        nth: usize,
        /// What becomes of it.
        fate: Fate,
    },
    /// To the `nth` callback that a worker makes.
    Callback {
        /// Which one.
        nth: usize,
        /// What becomes of it.
        fate: Fate,
    },
}

/// What happens at a port call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The process dies before the call has an effect.
    DeathBefore,
    /// The process dies after the effect, before it hears of it.
    DeathAfter,
    /// The call fails and has no effect.
    Error,
    /// The call has its effect and fails all the same.
    LostReply,
    /// The callee is busy: no effect, and it says so.
    Throttled,
    /// The call is made, and has its effect, 25 s later: a process that was stopped for a while, a request
    /// that was under way for long. What it was decided on may be over by then.
    Slow,
    /// A read that may be a moment old is: an index or an eventually consistent get shows the table
    /// as it was some seconds before.
    Stale,
}

/// What becomes of a message or callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives, and its sender does not know.
    Lost,
    /// It arrives twice.
    Doubled,
    /// It arrives 100 s late.
    Late,
    /// A message that the one sent after it overtakes.
    Reordered,
    /// A callback that a worker of an attempt before makes as well, or again long after.
    Stale,
    /// A callback that somebody else makes as well, who does not have the run's key.
    Forged,
}

impl Harm {
    /// Every harm.
    pub const ALL: [Self; 7] = [
        Self::DeathBefore,
        Self::DeathAfter,
        Self::Error,
        Self::LostReply,
        Self::Throttled,
        Self::Slow,
        Self::Stale,
    ];

    /// Whether it can happen at the call of that name.
    pub fn fits(self, name: &str) -> bool {
        self != Self::Stale || STALE_READS.contains(&name)
    }
}

impl Fate {
    /// Every fate of a message.
    pub const OF_MESSAGES: [Self; 4] = [Self::Lost, Self::Doubled, Self::Late, Self::Reordered];

    /// Every fate of a callback.
    pub const OF_CALLBACKS: [Self; 5] = [
        Self::Lost,
        Self::Doubled,
        Self::Late,
        Self::Stale,
        Self::Forged,
    ];
}

impl Fault {
    /// Its kind, as reports count it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Call { harm, .. } => match harm {
                Harm::DeathBefore => "call: death before",
                Harm::DeathAfter => "call: death after",
                Harm::Error => "call: error",
                Harm::LostReply => "call: lost reply",
                Harm::Throttled => "call: throttled",
                Harm::Slow => "call: slow",
                Harm::Stale => "call: stale read",
            },
            Self::Message { fate, .. } => match fate {
                Fate::Lost => "message: lost",
                Fate::Doubled => "message: doubled",
                Fate::Late => "message: late",
                Fate::Reordered | Fate::Stale | Fate::Forged => "message: reordered",
            },
            Self::Callback { fate, .. } => match fate {
                Fate::Lost => "callback: lost",
                Fate::Doubled => "callback: doubled",
                Fate::Late => "callback: late",
                Fate::Stale | Fate::Reordered => "callback: stale attempt",
                Fate::Forged => "callback: forged",
            },
        }
    }

    /// A fault somewhere among that many calls, messages and callbacks; a little beyond the last,
    /// since a run with faults is longer than one without.
    pub fn drawn(entropy: &SeededEntropy, calls: &[(Kind, usize)], messages: usize) -> Self {
        let below = |n: usize| {
            let n = u64::try_from(n.max(1)).unwrap_or(1);
            usize::try_from(entropy.draw() % n).unwrap_or(0)
        };
        match below(4) {
            0 => Self::Message {
                nth: below(messages + 2),
                fate: Fate::OF_MESSAGES[below(Fate::OF_MESSAGES.len())],
            },
            1 => Self::Callback {
                nth: below(6),
                fate: Fate::OF_CALLBACKS[below(Fate::OF_CALLBACKS.len())],
            },
            _ => {
                let (kind, made) = calls[below(calls.len())];
                Self::Call {
                    kind,
                    nth: below(made + made / 4 + 1),
                    harm: Harm::ALL[below(Harm::ALL.len())],
                }
            }
        }
    }
}
