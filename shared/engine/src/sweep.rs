//! Looks at every open job that is due: re-sends a lost message, asks the backend what became of the
//! run, moves to the next attempt, or ends the job. Works through the due index only.

use crate::complete::{Complete, CompleteError};
use crate::log;
use crate::message::{Do, Message};
use crate::port::{
    Backends, Cancelled, Clock, Consistency, DueEntry, DueMove, JobStore, Queue, QueueError, Shard,
    StoreError,
};
use crate::rewrite::Rewritten;
use crate::settings::Settings;
use futures_util::future::join_all;
use ryla_domain::failure::Code;
use ryla_domain::id::JobKey;
use ryla_domain::job::{Illegal, Job};
use ryla_domain::model::{self, Media};
use ryla_domain::overdue::{Answer, Look, Verdict, after_answer, look};
use ryla_domain::report::Report;
use ryla_domain::state::{Phase, State};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::timers::Timers;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How long one sweep may take before it leaves the rest to the next one.
const BUDGET: Ms = Ms::seconds(40);

/// Entries of one shard that are looked at side by side: one that hangs at its backend holds up a few.
const SIDE_BY_SIDE: usize = 8;

/// The most messages that one sweep sends again.
const MAX_RESENDS: u32 = 1000;

/// No look is put off to later than that many periods after the deadline, whatever the clock of the
/// sweep that leased the entry said: from then on every sweep looks, until the job has ended.
const LATE_PERIODS: u64 = 4;

/// What a sweep looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What is due now.
    Due,
    /// Every open job: after a start with an empty queue, where every message is lost and a run that
    /// was under way may be gone as well, so that its backend is asked at once.
    Everything,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that it leased.
    pub leased: u32,
    /// Messages that it sent again.
    pub resent: u32,
    /// Jobs that it moved to another state.
    pub moved: u32,
    /// Rows that nobody can read, taken out of the line.
    pub dead: u32,
    /// Entries at which a port failed; the next sweep looks at them again.
    pub failed: u32,
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Complete(#[from] CompleteError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

enum Done {
    Nothing,
    /// All was well, or for somebody else to see to.
    Left,
    /// This sweep has sent enough messages.
    NotYet,
    Resent,
    Moved,
    Dead,
}

/// Looks at what is due.
#[derive(Clone)]
pub struct Sweep {
    /// Where jobs lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where lost messages are sent again.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For runs that turn out to be done.
    pub complete: Complete,
    /// Who is asked.
    pub backends: Backends,
    /// When what is overdue.
    pub settings: Arc<Settings>,
}

impl Sweep {
    /// One sweep over all shards, in parallel, until nothing is due or the time for it is over.
    pub async fn run(&self, scope: Scope) -> Tally {
        let began = self.clock.now();
        let until = match scope {
            Scope::Due => began,
            Scope::Everything => began + Ms(u64::from(u32::MAX) * 1000),
        };
        let resends = AtomicU32::new(0);
        let shards = Shard::all().map(|shard| self.shard(shard, scope, (began, until), &resends));
        join_all(shards)
            .await
            .into_iter()
            .fold(Tally::default(), Tally::plus)
    }

    async fn shard(
        &self,
        shard: Shard,
        scope: Scope,
        (began, until): (UnixMs, UnixMs),
        resends: &AtomicU32,
    ) -> Tally {
        let mut tally = Tally::default();
        let mut from: Option<String> = None;
        // An entry that was leased stands further back in the line: once is enough.
        let mut looked_at = HashSet::new();
        loop {
            let page = match self.jobs.due(shard, until, from.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    log::port_failed("jobs.due", "", "", &error);
                    tally.failed += 1;
                    return tally;
                }
            };
            let mut fresh = page.entries;
            fresh.retain(|entry| looked_at.insert(entry.raw_key.clone()));
            for few in fresh.chunks(SIDE_BY_SIDE) {
                if self.clock.now().since(began) > BUDGET {
                    return tally;
                }
                let looks = few.iter().map(|entry| self.entry(entry, scope, resends));
                tally = join_all(looks).await.into_iter().fold(tally, Tally::plus);
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return tally,
            }
        }
    }

    /// Leases the entry from the index alone, then looks at the row: neither an overlapping sweep nor
    /// an unreadable row costs more than one write.
    async fn entry(&self, entry: &DueEntry, scope: Scope, resends: &AtomicU32) -> Tally {
        let mut tally = Tally::default();
        let now = self.clock.now();
        let run = entry
            .key
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let leased = match &entry.key {
            Some(_) => self.jobs.reschedule(entry, self.later(entry, now)).await,
            None => Ok(true),
        };
        let looked = match (leased, &entry.key) {
            (Ok(false), _) => return tally,
            (Ok(true), Some(key)) => {
                tally.leased += 1;
                self.look(key, entry, scope, now, resends).await
            }
            (Ok(true), None) => Err(StoreError::Corrupt("key".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        let done = match looked {
            Err(SweepError::Store(StoreError::Corrupt(what))) => {
                tracing::error!(event = "dead", run, what, "row cannot be decoded");
                self.bury(entry, now).await
            }
            Ok(Done::Left) => self.spare(entry, now).await,
            Err(SweepError::Store(error @ (StoreError::Newer(_) | StoreError::NewerValue(_)))) => {
                let late = entry.deadline_at.is_some_and(|deadline| deadline < now);
                left_to_a_newer_build(&run, &error, late);
                if late {
                    self.leave_for_long(entry, now).await
                } else {
                    self.spare(entry, now).await
                }
            }
            // Its turn comes with the next sweep, while those that had theirs wait longer.
            Ok(Done::NotYet) => {
                let leased = self.leased(entry, now);
                let back = self.uncount(entry, &leased, entry.due_at).await;
                back.map(|()| Done::Nothing)
            }
            other => other,
        };
        match done {
            Ok(Done::Nothing | Done::Left | Done::NotYet) => {}
            Ok(Done::Resent) => tally.resent += 1,
            Ok(Done::Moved) => tally.moved += 1,
            Ok(Done::Dead) => tally.dead += 1,
            Err(error) => {
                tally.failed += 1;
                log::port_failed("sweep", &run, "", &error);
            }
        }
        tally
    }

    /// When the entry is looked at next, should this look come to nothing. The deadline is never
    /// skipped, and after it every sweep looks, since the job is to end at once and what kept the last
    /// look from ending it may be over. Half a period early, so that the sweep which comes then does not
    /// just miss it. Never what it was, since of two sweeps that come to one entry one shall have it.
    fn later(&self, entry: &DueEntry, now: UnixMs) -> DueMove {
        let backoff = self.settings.timers.sweep_backoff();
        let half_a_period = Ms(backoff.base.0 / 2);
        let next = |wait: Ms| now + wait - half_a_period;
        let at = match entry.deadline_at {
            Some(deadline) if deadline > now => deadline.min(next(backoff.wait(entry.tries))),
            Some(deadline) => {
                let latest = deadline + Ms(backoff.base.0.saturating_mul(LATE_PERIODS));
                next(backoff.base).min(latest).max(entry.due_at + Ms(1))
            }
            None => next(backoff.wait(entry.tries)),
        };
        DueMove::Later {
            at,
            tries: entry.tries.saturating_add(1),
        }
    }

    /// The entry as [`Sweep::later`] leased it.
    fn leased(&self, entry: &DueEntry, now: UnixMs) -> DueEntry {
        match self.later(entry, now) {
            DueMove::Later { at, tries } if entry.key.is_some() => DueEntry {
                due_at: at,
                tries,
                ..entry.clone()
            },
            _ => entry.clone(),
        }
    }

    /// Out of the line: from its leased place, or from where it was found if it has no key.
    async fn bury(&self, entry: &DueEntry, now: UnixMs) -> Result<Done, SweepError> {
        let leased = self.leased(entry, now);
        let buried = self.jobs.reschedule(&leased, DueMove::Dead).await?;
        Ok(if buried { Done::Dead } else { Done::Nothing })
    }

    /// The lease spaces our looks at a job that needs none of us, be it within its time or a newer
    /// build's. They are not looks without progress: the job would be given up for them.
    async fn spare(&self, entry: &DueEntry, now: UnixMs) -> Result<Done, SweepError> {
        let leased = self.leased(entry, now);
        if leased.tries >= self.settings.timers.max_due_tries {
            self.uncount(entry, &leased, leased.due_at).await?;
        }
        Ok(Done::Nothing)
    }

    /// A newer build's row past its deadline: nothing that this build can do ends it, so it is not looked
    /// at by every sweep, ahead of all others in its shard's line.
    async fn leave_for_long(&self, entry: &DueEntry, now: UnixMs) -> Result<Done, SweepError> {
        let leased = self.leased(entry, now);
        let longest = self.settings.timers.sweep_backoff().ceiling;
        self.uncount(entry, &leased, leased.due_at.max(now + longest))
            .await?;
        Ok(Done::Nothing)
    }

    /// Due again at `at`, as if nobody had looked.
    async fn uncount(
        &self,
        entry: &DueEntry,
        leased: &DueEntry,
        at: UnixMs,
    ) -> Result<(), SweepError> {
        let tries = entry.tries;
        self.jobs
            .reschedule(leased, DueMove::Later { at, tries })
            .await?;
        Ok(())
    }

    async fn look(
        &self,
        key: &JobKey,
        entry: &DueEntry,
        scope: Scope,
        now: UnixMs,
        resends: &AtomicU32,
    ) -> Result<Done, SweepError> {
        let Some(job) = self.jobs.read(key, now, Consistency::Strong).await? else {
            return Ok(Done::Nothing);
        };
        let media = model::find("ryla", &job.model).map_or(Media::Picture, |model| model.media);
        let timers = self.settings.timers_on(&job.backend);
        let look = look(&job, now, &timers, media);
        let ends_or_goes_on = matches!(look, Look::Leave | Look::End);
        if !ends_or_goes_on && entry.tries >= timers.max_due_tries {
            return self.give_up(job, now).await;
        }
        let running = job.state.phase() == Phase::Running;
        match look {
            Look::Leave if running && scope == Scope::Everything => {
                self.ask(job, now, &timers, media, resends).await
            }
            Look::Leave => Ok(Done::Left),
            Look::End => self.write(job, |job| job.clone().expire(now)).await,
            Look::Resend => self.resend(&job, resends).await,
            Look::Cancel => self.cancel(job, now).await,
            Look::Ask => self.ask(job, now, &timers, media, resends).await,
        }
    }

    /// Enough looks have come to nothing: the job ends, and what may run of it is stopped.
    async fn give_up(&self, job: Job, now: UnixMs) -> Result<Done, SweepError> {
        if !matches!(job.state, State::Accepted(_)) {
            self.stop(&job).await;
            // The last look: a bucket that cannot be asked holds it up no longer.
            if self.found_in_the_bucket(&job).await.unwrap_or(false) {
                return Ok(Done::Moved);
            }
        }
        let next = job.clone().give_up(now)?;
        self.write_once(job, next).await
    }

    async fn resend(&self, job: &Job, resends: &AtomicU32) -> Result<Done, SweepError> {
        if resends.fetch_add(1, Ordering::Relaxed) >= MAX_RESENDS {
            return Ok(Done::NotYet);
        }
        let message = Message::new(Do::Start, job.run(), job.trace.clone());
        self.queue.send(&message.body(), Ms(0)).await?;
        tracing::info!(event = "resent", trace_id = %job.trace, run = %job.run(), "message sent again");
        Ok(Done::Resent)
    }

    async fn cancel(&self, job: Job, now: UnixMs) -> Result<Done, SweepError> {
        let State::Canceling(s) = &job.state else {
            return Ok(Done::Nothing);
        };
        let over =
            now.since(s.since) >= self.settings.timers.cancel_limit || job.deadline.at <= now;
        let answer = self.stop(&job).await;
        if over || answer == Cancelled::Confirmed {
            return self
                .write(job, |job| {
                    job.clone().confirm_cancel(Report::default(), now)
                })
                .await;
        }
        Ok(Done::Nothing)
    }

    async fn stop(&self, job: &Job) -> Cancelled {
        match self.backends.get(&job.backend) {
            Some(backend) => backend.cancel(&job.run(), &job.trace).await,
            None => Cancelled::Unreachable,
        }
    }

    async fn ask(
        &self,
        job: Job,
        now: UnixMs,
        timers: &Timers,
        media: Media,
        resends: &AtomicU32,
    ) -> Result<Done, SweepError> {
        let answer = match self.backends.get(&job.backend) {
            Some(backend) => backend.check(&job.run(), &job.trace).await,
            None => Answer::Unreachable,
        };
        let no_word = matches!(answer, Answer::Unknown | Answer::Unreachable);
        let route = self.backends.route();
        let verdict = after_answer(&job, answer, now, timers, media, |code| {
            route.after(&job.backend, code)
        })?;
        match verdict {
            Verdict::Leave => Ok(Done::Nothing),
            Verdict::Complete(report) => self.complete(job, &report, now).await,
            Verdict::Resend | Verdict::Write(_)
                if no_word && self.found_in_the_bucket(&job).await? =>
            {
                Ok(Done::Moved)
            }
            Verdict::Resend => self.resend(&job, resends).await,
            Verdict::Write(next) => self.write_once(job, *next).await,
            Verdict::StopThenWrite(next) => {
                self.stop(&job).await;
                // It may have ended while we asked, and been stopped no more.
                if self.found_in_the_bucket(&job).await? {
                    return Ok(Done::Moved);
                }
                self.write_once(job, *next).await
            }
        }
    }

    async fn complete(&self, job: Job, report: &Report, now: UnixMs) -> Result<Done, SweepError> {
        if self.complete.deliver(&job, report).await?.is_some() {
            return Ok(Done::Moved);
        }
        if job.deadline.at <= now {
            return self.write(job, |job| job.clone().expire(now)).await;
        }
        let next = self
            .complete
            .after_failure(&job, Code::NoOutput, report, now)?;
        self.write_once(job, next).await
    }

    /// The run may be done although its backend has no word of it: a picture that was paid for is not
    /// thrown away for that.
    async fn found_in_the_bucket(&self, job: &Job) -> Result<bool, SweepError> {
        let delivered = self.complete.deliver(job, &Report::default()).await?;
        Ok(delivered.is_some())
    }

    /// Writes a next state that was decided on this very row; where somebody else was faster, the next
    /// sweep decides anew.
    async fn write_once(&self, seen: Job, next: Job) -> Result<Done, SweepError> {
        let rev = seen.rev;
        self.write(seen, |job| {
            if job.rev == rev {
                Ok(next.clone())
            } else {
                Err(Illegal::Stale)
            }
        })
        .await
    }

    async fn write(
        &self,
        job: Job,
        next: impl Fn(&Job) -> Result<Job, Illegal> + Send + Sync,
    ) -> Result<Done, SweepError> {
        let next = |job: &Job| next(job).ok();
        Ok(match self.complete.rewrite_from(job, next, None).await? {
            Rewritten::Changed(_) => Done::Moved,
            Rewritten::Left(_) | Rewritten::Absent => Done::Nothing,
        })
    }
}

/// A row that stays behind after a return to this build would wait for ever: past its deadline somebody
/// has to look at it.
fn left_to_a_newer_build(run: &str, error: &StoreError, late: bool) {
    let what = error.newer().unwrap_or_default();
    if late {
        tracing::error!(
            event = "newer",
            run,
            what,
            "row of a newer build is past its deadline"
        );
    } else {
        tracing::info!(event = "newer", run, what, "row is left to a newer build");
    }
}

impl Tally {
    const fn plus(self, other: Self) -> Self {
        Self {
            leased: self.leased + other.leased,
            resent: self.resent + other.resent,
            moved: self.moved + other.moved,
            dead: self.dead + other.dead,
            failed: self.failed + other.failed,
        }
    }
}
