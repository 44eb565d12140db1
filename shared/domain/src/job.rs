//! The job and every legal move of it. A move consumes the job and returns the next one, or says why
//! it is not legal; it never changes anything by halves. Which process may make which move is in
//! docs/STATES.md.

mod moves;
#[cfg(test)]
mod tests;

use crate::failure::Code;
use crate::id::{
    AccountId, Attempt, BackendId, CallId, ClaimId, JobId, JobKey, OutputToken, Run, TraceId,
};
use crate::output::{Format, ObjectKey, Retention};
use crate::report::Report;
use crate::state::{Phase, State};
use crate::time::UnixMs;
use std::fmt;

/// A durable request for pictures: one row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose job, and which.
    pub key: JobKey,
    /// Raised by one with every write: what a read-then-write expects unchanged.
    pub rev: u64,
    /// When it was accepted.
    pub created_at: UnixMs,
    /// When it ends at the latest.
    pub deadline: Deadline,
    /// When the row may be removed; from then on it counts as absent.
    pub expires_at: UnixMs,
    /// Name of the model within the owner `ryla`.
    pub model: String,
    /// The resolved input: defaults and seed filled in.
    pub input: StoredInput,
    /// SHA-256 of the request as the client sent it, for idempotency.
    pub request_hash: RequestHash,
    /// The backend of the current attempt.
    pub backend: BackendId,
    /// Follows the request through every process.
    pub trace: TraceId,
    /// The unguessable part of the outputs' URLs.
    pub token: OutputToken,
    /// How long the outputs are kept.
    pub retention: Retention,
    /// The file format asked for.
    pub format: Format,
    /// Where it stands.
    pub state: State,
    /// When the sweep looks at it next; `None` once it has ended.
    pub due: Option<Due>,
    /// The caller had its outputs and input removed.
    pub data_removed: bool,
    /// The job that this one repeats, if it came from a retry.
    pub retry_of: Option<JobId>,
}

/// When a job ends at the latest, and by whose wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The point in time.
    pub at: UnixMs,
    /// Whose.
    pub by: DeadlineBy,
}

/// Whose deadline it is: ours fails the job, the caller's cancels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineBy {
    /// The limit over everything.
    System,
    /// `Cancel-After`.
    Caller,
}

/// An open job's entry in the due index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When the sweep looks at it next.
    pub at: UnixMs,
    /// How often it has looked without progress.
    pub tries: u32,
}

/// SHA-256 over method, model path and the body as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash(pub [u8; 32]);

/// Where a job's resolved input lies. Its text cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredInput {
    /// In the row: JSON of at most [`StoredInput::INLINE_BYTES`].
    Inline(serde_json::Value),
    /// In the bucket, at [`Job::input_key`].
    InBucket,
    /// Removed at the caller's wish.
    Removed,
}

impl StoredInput {
    /// Longer inputs lie in the bucket: a row is read and written too often to carry them, and what
    /// is inline also fits into the message to a backend (docs/adr/0002).
    pub const INLINE_BYTES: usize = 8 * 1024;
}

impl fmt::Debug for StoredInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inline(_) => "Inline(..)",
            Self::InBucket => "InBucket",
            Self::Removed => "Removed",
        })
    }
}

/// A move that the job's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The job has ended; its outcome stands.
    #[error("the job has ended as {}", .0.name())]
    Ended(Phase),
    /// The event comes from an attempt, or a backend, that is not the current one.
    #[error("the attempt is not the current one")]
    Stale,
    /// The job is not where this move begins.
    #[error("not a move from {}", .0.name())]
    NotFrom(Phase),
    /// An older event than the last one stored.
    #[error("an event of an earlier sequence number")]
    OutOfOrder,
    /// The lease on the job has not run out.
    #[error("somebody else holds the claim")]
    Held,
    /// The deadline has passed.
    #[error("the deadline has passed")]
    Late,
}

/// Which attempt on which backend an event comes from: what fences stale workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The attempt.
    pub attempt: Attempt,
    /// The backend.
    pub backend: BackendId,
}

/// A worker's word that it has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Whose word.
    pub origin: Origin,
    /// The backend's own name for the run.
    pub call: Option<CallId>,
    /// The callback's sequence number; 0 where the start was learnt otherwise.
    pub seq: u64,
    /// When we heard of it.
    pub at: UnixMs,
}

/// A worker's sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Whose.
    pub origin: Origin,
    /// The callback's sequence number.
    pub seq: u64,
    /// Percent done, where the worker says.
    pub progress: Option<u8>,
    /// When we heard of it.
    pub at: UnixMs,
}

/// A claim on a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The invocation that claims.
    pub claim: ClaimId,
    /// When it claims.
    pub at: UnixMs,
    /// Until when the claim holds.
    pub lease_until: UnixMs,
}

/// How an attempt ended without a picture, and where the next one may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEnd {
    /// Why.
    pub code: Code,
    /// What the worker said of its run.
    pub report: Report,
    /// The backend for the next attempt; `None` where no other attempt may help.
    pub next: Option<BackendId>,
    /// Attempts that a job may have.
    pub max_attempts: u8,
    /// Now.
    pub at: UnixMs,
}

impl Job {
    /// The owner.
    pub const fn account(&self) -> &AccountId {
        &self.key.account
    }

    /// The current attempt by the name that it has outside the table.
    pub fn run(&self) -> Run {
        Run {
            key: self.key.clone(),
            attempt: self.state.attempt(),
        }
    }

    /// The current attempt and its backend.
    pub fn origin(&self) -> Origin {
        Origin {
            attempt: self.state.attempt(),
            backend: self.backend.clone(),
        }
    }

    /// Where the current attempt puts the picture of that slot.
    pub fn output_key(&self, slot: u8) -> ObjectKey {
        ObjectKey::output(
            self.retention,
            &self.token,
            self.state.attempt(),
            slot,
            self.format.extension(),
        )
    }

    /// Where its input lies, if the row has no room for it.
    pub fn input_key(&self) -> ObjectKey {
        ObjectKey::input(self.retention, &self.token)
    }

    /// Where the file of that input field lies, if it came inside the request.
    pub fn input_file_key(&self, field: &str) -> ObjectKey {
        ObjectKey::input_file(self.retention, &self.token, field)
    }

    /// How many pictures the job makes.
    pub const fn slots(&self) -> u8 {
        1
    }
}
