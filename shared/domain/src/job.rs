//! The job and every legal move of it. A move consumes the job and returns the next one, or says why
//! it is not legal; it never changes anything by halves. Which process may make which move is in
//! docs/STATES.md.

use crate::failure::Code;
use crate::id::{
    AccountId, Attempt, BackendId, CallId, ClaimId, JobId, JobKey, OutputToken, Run, TraceId,
};
use crate::output::{Format, ObjectKey, Output, Retention};
use crate::price::cost_usd_micros;
use crate::report::Report;
use crate::state::{
    Accepted, CancelReason, Canceling, Dispatching, Ended, Hold, Phase, Running, State,
};
use crate::time::{Ms, UnixMs};
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
    /// In the bucket, at [`ObjectKey::input`] of the job's token.
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

    /// How many pictures the job makes.
    pub const fn slots(&self) -> u8 {
        1
    }

    /// `Accepted | Dispatching (lease over) -> Dispatching`. A second claim keeps the attempt number,
    /// since it is the backend's idempotency key.
    pub fn claim(mut self, claim: Claim) -> Result<Self, Illegal> {
        self.refuse_if_ended()?;
        if self.deadline.at <= claim.at {
            return Err(Illegal::Late);
        }
        let (attempt, claims, dispatched_at) = match &self.state {
            State::Accepted(s) => (s.attempt, 0, claim.at),
            State::Dispatching(s) if s.lease_until < claim.at => {
                (s.attempt, s.claims, s.dispatched_at)
            }
            State::Dispatching(_) => return Err(Illegal::Held),
            other => return Err(Illegal::NotFrom(other.phase())),
        };
        self.state = State::Dispatching(Dispatching {
            attempt,
            claim: claim.claim,
            claims: claims + 1,
            dispatched_at,
            lease_until: claim.lease_until,
        });
        Ok(self.written())
    }

    /// `Dispatching -> Running`: a worker has begun.
    pub fn start(mut self, start: Start) -> Result<Self, Illegal> {
        self.refuse_if_stale(&start.origin)?;
        let State::Dispatching(s) = &self.state else {
            return Err(Illegal::NotFrom(self.state.phase()));
        };
        self.state = State::Running(Running {
            attempt: s.attempt,
            dispatched_at: s.dispatched_at,
            started_at: start.at,
            seen_at: start.at,
            seq: start.seq,
            call: start.call,
            progress: None,
        });
        Ok(self.written())
    }

    /// `Running -> Running`: a sign of life, worth storing.
    pub fn beat(mut self, beat: &Beat) -> Result<Self, Illegal> {
        self.refuse_if_stale(&beat.origin)?;
        let phase = self.state.phase();
        let State::Running(s) = &mut self.state else {
            return Err(Illegal::NotFrom(phase));
        };
        if beat.seq <= s.seq {
            return Err(Illegal::OutOfOrder);
        }
        s.seq = beat.seq;
        s.seen_at = beat.at;
        if beat.progress.is_some() {
            s.progress = beat.progress;
        }
        Ok(self.written())
    }

    /// `Running -> Running`: the backend, asked, says that the run lives.
    pub fn seen(mut self, now: UnixMs) -> Result<Self, Illegal> {
        let phase = self.state.phase();
        let State::Running(s) = &mut self.state else {
            return Err(Illegal::NotFrom(phase));
        };
        s.seen_at = s.seen_at.max(now);
        Ok(self.progressed())
    }

    /// `Dispatching -> Accepted`: no backend took it, and it is known that none runs it. The attempt
    /// number stays, since nothing ran under it.
    pub fn hold(mut self, hold: Hold, backend: BackendId) -> Result<Self, Illegal> {
        self.refuse_if_ended()?;
        let State::Dispatching(s) = &self.state else {
            return Err(Illegal::NotFrom(self.state.phase()));
        };
        self.state = State::Accepted(Accepted {
            attempt: s.attempt,
            hold: Some(hold),
        });
        self.backend = backend;
        Ok(self.written())
    }

    /// `Dispatching -> Dispatching` on another backend, since it is known that nothing runs on this one.
    pub fn hand_over(mut self, to: BackendId) -> Result<Self, Illegal> {
        self.refuse_if_ended()?;
        if !matches!(self.state, State::Dispatching(_)) {
            return Err(Illegal::NotFrom(self.state.phase()));
        }
        self.backend = to;
        Ok(self.written())
    }

    /// `Dispatching | Running -> Accepted (next attempt) | Failed`: the attempt is proven to be over.
    pub fn end_attempt(mut self, origin: &Origin, end: AttemptEnd) -> Result<Self, Illegal> {
        self.refuse_if_stale(origin)?;
        let attempt = origin.attempt;
        match &self.state {
            State::Dispatching(_) | State::Running(_) => {}
            other => return Err(Illegal::NotFrom(other.phase())),
        }
        match end.next {
            Some(backend) if attempt.number() < end.max_attempts && end.at < self.deadline.at => {
                self.state = State::Accepted(Accepted {
                    attempt: attempt.next(),
                    hold: None,
                });
                self.backend = backend;
                // The process that learns this may not be allowed to send messages; the next sweep is.
                self.due = Some(Due {
                    at: end.at,
                    tries: 0,
                });
                Ok(self.written())
            }
            _ => self.fail(end.code, end.report, end.at),
        }
    }

    /// Any open state `-> Failed`.
    pub fn fail(mut self, code: Code, report: Report, now: UnixMs) -> Result<Self, Illegal> {
        let ended = self.end(report, now)?;
        self.state = State::Failed { ended, code };
        Ok(self.written())
    }

    /// `Dispatching | Running -> Succeeded`; the worker may be faster than our own note that it began.
    /// A job being cancelled ends as `Canceled`: nobody waits for the picture any more.
    pub fn succeed(
        mut self,
        origin: &Origin,
        outputs: Vec<Output>,
        report: Report,
        now: UnixMs,
    ) -> Result<Self, Illegal> {
        self.refuse_if_stale(origin)?;
        match &self.state {
            State::Dispatching(_) | State::Running(_) if !outputs.is_empty() => {
                let ended = self.end(report, now)?;
                self.state = State::Succeeded { ended, outputs };
                Ok(self.written())
            }
            State::Canceling(_) => self.confirm_cancel(report, now),
            other => Err(Illegal::NotFrom(other.phase())),
        }
    }

    /// `Accepted -> Canceled`; `Dispatching | Running -> Canceling`. A job that has ended, or is being
    /// cancelled, comes back as it was: its `rev` is then unchanged and nothing is to be written.
    #[must_use]
    pub fn cancel(mut self, reason: CancelReason, now: UnixMs, limit: Ms) -> Self {
        let (attempt, dispatched_at, started_at) = match &self.state {
            State::Accepted(_) => {
                if let Ok(ended) = self.end(Report::default(), now) {
                    self.state = State::Canceled { ended, reason };
                    return self.written();
                }
                return self;
            }
            State::Dispatching(s) => (s.attempt, s.dispatched_at, None),
            State::Running(s) => (s.attempt, s.dispatched_at, Some(s.started_at)),
            _ => return self,
        };
        self.state = State::Canceling(Canceling {
            attempt,
            dispatched_at,
            started_at,
            since: now,
            reason,
        });
        let at = self.due.map_or(now + limit, |due| due.at.min(now + limit));
        self.due = Some(Due { at, tries: 0 });
        self.written()
    }

    /// `Canceling -> Canceled`: the backend confirmed, or the time for that is over.
    pub fn confirm_cancel(mut self, report: Report, now: UnixMs) -> Result<Self, Illegal> {
        self.refuse_if_ended()?;
        let State::Canceling(s) = &self.state else {
            return Err(Illegal::NotFrom(self.state.phase()));
        };
        let reason = s.reason;
        let ended = self.end(report, now)?;
        self.state = State::Canceled { ended, reason };
        Ok(self.written())
    }

    /// The deadline has passed: ours fails the job, the caller's cancels it.
    pub fn expire(mut self, now: UnixMs) -> Result<Self, Illegal> {
        if let State::Canceling(_) = &self.state {
            return self.confirm_cancel(Report::default(), now);
        }
        match self.deadline.by {
            DeadlineBy::System => {
                let held = matches!(
                    &self.state,
                    State::Accepted(Accepted {
                        hold: Some(Hold::Backend),
                        ..
                    })
                );
                let code = if held {
                    Code::BackendUnreachable
                } else {
                    Code::Timeout
                };
                self.fail(code, Report::default(), now)
            }
            DeadlineBy::Caller => {
                let ended = self.end(Report::default(), now)?;
                self.state = State::Canceled {
                    ended,
                    reason: CancelReason::Deadline,
                };
                Ok(self.written())
            }
        }
    }

    /// An ended job forgets its input and its outputs' place; the outcome stays as it was.
    pub fn remove_data(mut self) -> Result<Self, Illegal> {
        if !self.state.phase().is_terminal() {
            return Err(Illegal::NotFrom(self.state.phase()));
        }
        self.input = StoredInput::Removed;
        self.data_removed = true;
        Ok(self.written())
    }

    fn refuse_if_ended(&self) -> Result<(), Illegal> {
        let phase = self.state.phase();
        if phase.is_terminal() {
            return Err(Illegal::Ended(phase));
        }
        Ok(())
    }

    /// Whether an event from there still concerns this job.
    pub fn refuse_if_stale(&self, origin: &Origin) -> Result<(), Illegal> {
        self.refuse_if_ended()?;
        if *origin != self.origin() {
            return Err(Illegal::Stale);
        }
        Ok(())
    }

    /// What every terminal state carries; the job leaves the due index with it.
    fn end(&mut self, report: Report, now: UnixMs) -> Result<Ended, Illegal> {
        self.refuse_if_ended()?;
        self.due = None;
        Ok(Ended {
            attempt: self.state.attempt(),
            dispatched_at: self.state.dispatched_at(),
            started_at: self.state.started_at(),
            completed_at: now.max(self.created_at),
            cost_usd_micros: cost_usd_micros(report.gpu.as_deref(), report.timings.as_ref()),
            report,
        })
    }

    fn written(mut self) -> Self {
        self.rev += 1;
        self
    }

    fn progressed(mut self) -> Self {
        if let Some(due) = &mut self.due {
            due.tries = 0;
        }
        self.written()
    }
}
