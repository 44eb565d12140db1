//! The moves: what each begins with, what it leaves, and why it is refused.

use super::{AttemptEnd, Beat, Claim, DeadlineBy, Due, Illegal, Job, Origin, Start, StoredInput};
use crate::failure::Code;
use crate::id::BackendId;
use crate::output::Output;
use crate::price::cost_usd_micros;
use crate::report::Report;
use crate::state::{Accepted, CancelReason, Canceling, Dispatching, Ended, Hold, Running, State};
use crate::time::{Ms, UnixMs};

impl Job {
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
            // It is the deadline that forbids another attempt, often by stopping this one.
            Some(_) if self.deadline.at <= end.at => self.expire_with(end.report, end.at),
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
                let measured = outputs.iter().filter_map(|output| {
                    let likeness = report.likeness_of(output.slot)?;
                    Some((output.slot, likeness))
                });
                let measured: Vec<_> = measured.collect();
                let mut ended = self.end(report, now)?;
                ended.report.likeness = measured;
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
        // The sweep has nothing to do here before that; not the earlier of two times, since a sweep
        // may just be moving the entry.
        let at = self.deadline.at.min(now + limit);
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
    pub fn expire(self, now: UnixMs) -> Result<Self, Illegal> {
        self.expire_with(Report::default(), now)
    }

    /// The same, with what the worker said of the run that the deadline stopped.
    fn expire_with(mut self, report: Report, now: UnixMs) -> Result<Self, Illegal> {
        if let State::Canceling(_) = &self.state {
            return self.confirm_cancel(report, now);
        }
        match self.deadline.by {
            DeadlineBy::System => {
                let code = self.held_code().unwrap_or(Code::Timeout);
                self.fail(code, report, now)
            }
            DeadlineBy::Caller => {
                let ended = self.end(report, now)?;
                self.state = State::Canceled {
                    ended,
                    reason: CancelReason::Deadline,
                };
                Ok(self.written())
            }
        }
    }

    /// Nothing that the sweep tried has helped: the job ends as our failure, or as canceled where
    /// that was wanted.
    pub fn give_up(self, now: UnixMs) -> Result<Self, Illegal> {
        if let State::Canceling(_) = &self.state {
            return self.confirm_cancel(Report::default(), now);
        }
        let code = self.held_code().unwrap_or(Code::Internal);
        self.fail(code, Report::default(), now)
    }

    /// Why a job ends that no backend has taken.
    const fn held_code(&self) -> Option<Code> {
        match &self.state {
            State::Accepted(Accepted {
                hold: Some(Hold::Backend { .. }),
                ..
            }) => Some(Code::BackendUnreachable),
            _ => None,
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
    fn end(&mut self, mut report: Report, now: UnixMs) -> Result<Ended, Illegal> {
        self.refuse_if_ended()?;
        self.due = None;
        // A picture that is not delivered is not spoken of.
        report.likeness.clear();
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
