//! What can go wrong, and where. A plan is a list of faults; each names the one call, message or
//! callback that it hits, by number, so that a failing run can be repeated and made smaller.

use super::process::Kind;
use crate::SeededEntropy;

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
}

impl Harm {
    /// Every harm.
    pub const ALL: [Self; 4] = [
        Self::DeathBefore,
        Self::DeathAfter,
        Self::Error,
        Self::LostReply,
    ];
}

impl Fate {
    /// Every fate.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Doubled, Self::Late];
}

impl Fault {
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
                fate: Fate::ALL[below(Fate::ALL.len())],
            },
            1 => Self::Callback {
                nth: below(6),
                fate: Fate::ALL[below(Fate::ALL.len())],
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
