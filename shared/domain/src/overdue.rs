//! What the sweep makes of a job that is due: first from the row alone, then from what the backend
//! says of the run. Pure: the engine carries the verdicts out.

use crate::failure::Code;
use crate::id::{BackendId, CallId};
use crate::job::{AttemptEnd, Illegal, Job, Start};
use crate::model::Media;
use crate::report::Report;
use crate::state::{Hold, State};
use crate::time::UnixMs;
use crate::timers::Timers;

/// What the row alone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Everything is within its time.
    Leave,
    /// Its message was lost: send it again.
    Resend,
    /// Ask the backend what became of the run.
    Ask,
    /// Stop the run at the backend, then confirm the cancellation.
    Cancel,
    /// The deadline has passed and nothing runs: end it.
    End,
}

/// What a backend says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It does not know the run.
    Unknown,
    /// It waits for a GPU there.
    Pending,
    /// A worker is on it.
    Running {
        /// The backend's own name for the run.
        call: Option<CallId>,
    },
    /// It is done; whether the pictures are there is for the bucket to say.
    Done(Report),
    /// It failed there.
    Failed {
        /// Why.
        code: Code,
        /// What the worker said of its run.
        report: Report,
    },
    /// It was cancelled there.
    Canceled,
    /// The backend cannot be asked, or cannot tell.
    Unreachable,
}

/// What is to be done after the backend answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it goes on there.
    Leave,
    /// Send the start message again: nothing runs.
    Resend,
    /// Look at the bucket and complete the job.
    Complete(Report),
    /// Write this next state; the run is over at the backend.
    Write(Box<Job>),
    /// Stop the run at the backend, then write this next state.
    StopThenWrite(Box<Job>),
}

/// What the row alone asks for at `now`.
pub fn look(job: &Job, now: UnixMs, timers: &Timers, media: Media) -> Look {
    let late = job.deadline.at <= now;
    match &job.state {
        State::Succeeded { .. } | State::Failed { .. } | State::Canceled { .. } => Look::Leave,
        State::Accepted(_) if late => Look::End,
        // Its message is on the way; a second one would ask the same backends in between.
        State::Accepted(s) if waits(s.hold, now, timers) => Look::Leave,
        State::Accepted(_) => Look::Resend,
        State::Canceling(_) => Look::Cancel,
        State::Dispatching(_) | State::Running(_) if late => Look::Ask,
        State::Dispatching(s) if s.lease_until >= now => Look::Leave,
        State::Dispatching(_) => Look::Ask,
        State::Running(s) => {
            let silent = now.since(s.seen_at) > timers.silence;
            let over = now.since(s.started_at) > timers.run_limit_of(media);
            if silent || over {
                Look::Ask
            } else {
                Look::Leave
            }
        }
    }
}

/// Whether a held job's message is yet to come: a queue may hand it over a little late.
fn waits(hold: Option<Hold>, now: UnixMs, timers: &Timers) -> bool {
    matches!(hold, Some(Hold::Backend { again_at: Some(at) }) if now < at + timers.sweep_period)
}

/// What follows from the backend's answer. `next` is the backend for another attempt after a failure
/// of that code, or `None` where none may help.
pub fn after_answer(
    job: &Job,
    answer: Answer,
    now: UnixMs,
    timers: &Timers,
    media: Media,
    next: impl Fn(Code) -> Option<BackendId>,
) -> Result<Verdict, Illegal> {
    let late = job.deadline.at <= now;
    let end = |code: Code, report: Report| {
        job.clone().end_attempt(
            &job.origin(),
            AttemptEnd {
                code,
                report,
                next: next(code),
                max_attempts: timers.max_attempts,
                at: now,
            },
        )
    };
    Ok(match answer {
        Answer::Done(report) => Verdict::Complete(report),
        // At the deadline the job ends whatever the backend says; a run that may live is stopped.
        Answer::Pending | Answer::Running { .. } | Answer::Unreachable if late => {
            Verdict::StopThenWrite(Box::new(job.clone().expire(now)?))
        }
        _ if late => Verdict::Write(Box::new(job.clone().expire(now)?)),
        Answer::Failed { code, report } => Verdict::Write(Box::new(end(code, report)?)),
        Answer::Canceled => Verdict::Write(Box::new(end(Code::GpuError, Report::default())?)),
        Answer::Unknown => match &job.state {
            // It takes starts and loses them: stopped there for good, then begun elsewhere.
            State::Dispatching(s) if now.since(s.dispatched_at) > timers.start_limit => {
                Verdict::StopThenWrite(Box::new(end(Code::BackendUnreachable, Report::default())?))
            }
            // Nothing runs under this attempt: the same one may begin again.
            State::Dispatching(_) => Verdict::Resend,
            _ => Verdict::Write(Box::new(end(Code::GpuError, Report::default())?)),
        },
        Answer::Pending | Answer::Unreachable => match &job.state {
            State::Dispatching(s) if now.since(s.dispatched_at) > timers.start_limit => {
                let code = if answer == Answer::Pending {
                    Code::Timeout
                } else {
                    Code::BackendUnreachable
                };
                Verdict::StopThenWrite(Box::new(end(code, Report::default())?))
            }
            State::Dispatching(_) => Verdict::Leave,
            _ => overrun(job, now, timers, media, Vouched::No, &end)?,
        },
        Answer::Running { call } => match &job.state {
            // The worker's `started` was lost: take the backend's word for it.
            State::Dispatching(_) => Verdict::Write(Box::new(job.clone().start(Start {
                origin: job.origin(),
                call,
                seq: 0,
                at: now,
            })?)),
            _ => match overrun(job, now, timers, media, Vouched::Yes, &end)? {
                Verdict::Leave => Verdict::Write(Box::new(job.clone().seen(now)?)),
                stop => stop,
            },
        },
    })
}

/// Whether the backend says that a worker is on the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vouched {
    Yes,
    No,
}

/// A running attempt is stopped once it is over its run limit, or after twice the silence limit at a
/// backend that does not vouch for it.
fn overrun(
    job: &Job,
    now: UnixMs,
    timers: &Timers,
    media: Media,
    vouched: Vouched,
    end: &impl Fn(Code, Report) -> Result<Job, Illegal>,
) -> Result<Verdict, Illegal> {
    let State::Running(s) = &job.state else {
        return Ok(Verdict::Leave);
    };
    let over = now.since(s.started_at) > timers.run_limit_of(media);
    let gone =
        vouched == Vouched::No && now.since(s.seen_at).0 > timers.silence.0.saturating_mul(2);
    if over || gone {
        let code = if over { Code::Timeout } else { Code::GpuError };
        return Ok(Verdict::StopThenWrite(Box::new(end(
            code,
            Report::default(),
        )?)));
    }
    Ok(Verdict::Leave)
}

#[cfg(test)]
mod tests;
