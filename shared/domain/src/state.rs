//! The states of a job. Each variant carries exactly what exists in that state; the moves between
//! them are methods of [`crate::job::Job`]. Terminal states are `Succeeded`, `Failed` and `Canceled`:
//! no move leaves them.

use crate::failure::Code;
use crate::id::{Attempt, CallId, ClaimId};
use crate::output::Output;
use crate::report::Report;
use crate::time::UnixMs;

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Durable, waiting to be claimed.
    Accepted(Accepted),
    /// Claimed: handed, or about to be handed, to the backend.
    Dispatching(Dispatching),
    /// A worker has said that it works on it.
    Running(Running),
    /// The caller wants it ended; the backend has not confirmed yet.
    Canceling(Canceling),
    /// Terminal: every picture is in the bucket.
    Succeeded {
        /// When and how it ended.
        ended: Ended,
        /// The pictures in slot order, never empty.
        outputs: Vec<Output>,
    },
    /// Terminal: it will not be made.
    Failed {
        /// When and how it ended.
        ended: Ended,
        /// Why.
        code: Code,
    },
    /// Terminal: the caller did not want it any more, or not any later.
    Canceled {
        /// When and how it ended.
        ended: Ended,
        /// Who or what ended it.
        reason: CancelReason,
    },
}

/// Data of [`State::Accepted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The attempt that the next claim begins.
    pub attempt: Attempt,
    /// What it waits for besides a free dispatcher.
    pub hold: Option<Hold>,
}

/// What an accepted job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The account runs as many jobs as it may.
    Account,
    /// No backend takes it at the moment.
    Backend {
        /// When the message comes back that asks them again; `None` in rows of builds that did not
        /// note it.
        again_at: Option<UnixMs>,
    },
}

/// Data of [`State::Dispatching`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatching {
    /// The attempt under way.
    pub attempt: Attempt,
    /// Who holds the claim.
    pub claim: ClaimId,
    /// How many claims this attempt has seen: above 1, an earlier holder may have started it.
    pub claims: u32,
    /// The attempt's first claim.
    pub dispatched_at: UnixMs,
    /// Until then nobody else may claim.
    pub lease_until: UnixMs,
}

/// Data of [`State::Running`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The attempt under way.
    pub attempt: Attempt,
    /// The attempt's first claim.
    pub dispatched_at: UnixMs,
    /// When we learnt that a worker had begun.
    pub started_at: UnixMs,
    /// The last stored sign of life.
    pub seen_at: UnixMs,
    /// Sequence number of the last stored callback.
    pub seq: u64,
    /// The backend's name for the run, where it told us one.
    pub call: Option<CallId>,
    /// Percent done, 0 to 100, where the backend says.
    pub progress: Option<u8>,
}

/// Data of [`State::Canceling`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canceling {
    /// The attempt to be stopped.
    pub attempt: Attempt,
    /// The attempt's first claim.
    pub dispatched_at: UnixMs,
    /// When a worker had begun, if one had.
    pub started_at: Option<UnixMs>,
    /// When the end was asked for.
    pub since: UnixMs,
    /// Who asked.
    pub reason: CancelReason,
}

/// Who or what cancelled a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// A cancel request.
    User,
    /// The caller's own deadline (`Cancel-After`).
    Deadline,
}

impl CancelReason {
    /// The reason as clients read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Deadline => "deadline",
        }
    }
}

/// When and how a job ended; never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The attempt that was under way, or would have been next.
    pub attempt: Attempt,
    /// The last attempt's first claim, if there was one.
    pub dispatched_at: Option<UnixMs>,
    /// When the last attempt's worker had begun, if one had.
    pub started_at: Option<UnixMs>,
    /// When the job ended.
    pub completed_at: UnixMs,
    /// What the worker said of its run.
    pub report: Report,
    /// What the run took from us, in micro-dollars; `None` where it is not known.
    pub cost_usd_micros: Option<u64>,
}

/// The state without its data: what errors, logs and rows name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// [`State::Accepted`]
    Accepted,
    /// [`State::Dispatching`]
    Dispatching,
    /// [`State::Running`]
    Running,
    /// [`State::Canceling`]
    Canceling,
    /// [`State::Succeeded`]
    Succeeded,
    /// [`State::Failed`]
    Failed,
    /// [`State::Canceled`]
    Canceled,
}

impl Phase {
    /// Every phase, in the order in which a job may pass them.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Dispatching,
        Self::Running,
        Self::Canceling,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// The name in rows and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Dispatching => "dispatching",
            Self::Running => "running",
            Self::Canceling => "canceling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// No move leaves it.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

impl State {
    /// The state without its data.
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Accepted(_) => Phase::Accepted,
            Self::Dispatching(_) => Phase::Dispatching,
            Self::Running(_) => Phase::Running,
            Self::Canceling(_) => Phase::Canceling,
            Self::Succeeded { .. } => Phase::Succeeded,
            Self::Failed { .. } => Phase::Failed,
            Self::Canceled { .. } => Phase::Canceled,
        }
    }

    /// The current attempt; in `Accepted` the one that the next claim begins.
    pub const fn attempt(&self) -> Attempt {
        match self {
            Self::Accepted(s) => s.attempt,
            Self::Dispatching(s) => s.attempt,
            Self::Running(s) => s.attempt,
            Self::Canceling(s) => s.attempt,
            Self::Succeeded { ended, .. }
            | Self::Failed { ended, .. }
            | Self::Canceled { ended, .. } => ended.attempt,
        }
    }

    /// The current attempt's first claim.
    pub const fn dispatched_at(&self) -> Option<UnixMs> {
        match self {
            Self::Accepted(_) => None,
            Self::Dispatching(s) => Some(s.dispatched_at),
            Self::Running(s) => Some(s.dispatched_at),
            Self::Canceling(s) => Some(s.dispatched_at),
            Self::Succeeded { ended, .. }
            | Self::Failed { ended, .. }
            | Self::Canceled { ended, .. } => ended.dispatched_at,
        }
    }

    /// When the current attempt's worker had begun.
    pub const fn started_at(&self) -> Option<UnixMs> {
        match self {
            Self::Accepted(_) | Self::Dispatching(_) => None,
            Self::Running(s) => Some(s.started_at),
            Self::Canceling(s) => s.started_at,
            Self::Succeeded { ended, .. }
            | Self::Failed { ended, .. }
            | Self::Canceled { ended, .. } => ended.started_at,
        }
    }

    /// How the job ended, where it has.
    pub const fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Succeeded { ended, .. }
            | Self::Failed { ended, .. }
            | Self::Canceled { ended, .. } => Some(ended),
            _ => None,
        }
    }
}
