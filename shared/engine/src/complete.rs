//! Takes a worker's word about its run, after looking at the bucket where it claims a picture. Called
//! by the callback function, and by dispatch and sweep with what a backend said when asked.

mod made;

use crate::count::{Count, ends_attempt};
use crate::log;
use crate::port::{
    Clock, Consistency, ImageError, ImageStore, JobStore, SignedPut, StoreError, Write, Written,
};
use crate::rewrite::{Rewritten, rewrite_from};
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, CallId, Run};
use ryla_domain::job::{AttemptEnd, Beat, Illegal, Job, Origin, Start};
use ryla_domain::output::Output;
use ryla_domain::report::Report;
use ryla_domain::route::Route;
use ryla_domain::state::{Phase, State};
use ryla_domain::time::UnixMs;
use ryla_domain::timers::Timers;
use std::sync::Arc;

/// What a worker says happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It has begun.
    Started {
        /// The backend's own name for the run.
        call: Option<CallId>,
        /// The callback's sequence number.
        seq: u64,
    },
    /// It lives.
    Progress {
        /// The callback's sequence number.
        seq: u64,
        /// Percent done.
        progress: Option<u8>,
        /// Its upload URLs have run out: it asks for new ones.
        renew: bool,
    },
    /// The pictures are in the bucket.
    Succeeded {
        /// What the worker says of its run.
        report: Report,
        /// Slot and entity tag of each picture that it put itself; none where an earlier run of the
        /// same attempt had put it.
        etags: Vec<(u8, String)>,
    },
    /// It failed.
    Failed {
        /// Why, from the closed table.
        code: Code,
        /// What the worker says of its run.
        report: Report,
    },
    /// It was stopped.
    Cancelled {
        /// What the worker says of its run.
        report: Report,
    },
    /// It came too late to be begun.
    Expired,
}

/// A worker's callback, its signature verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Which run.
    pub run: Run,
    /// On which backend.
    pub backend: BackendId,
    /// What happened.
    pub event: Event,
}

/// What the worker is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Whether it shall go on.
    pub go_on: bool,
    /// The callback changed nothing: it was late, doubled, or of a stale attempt.
    pub ignored: bool,
    /// New permissions to put pictures, by slot.
    pub put_urls: Vec<(u8, SignedPut)>,
}

/// The callback could not be taken; the worker shall send it again.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// It claims a picture that is not in the bucket yet.
    #[error("the picture is not in the bucket yet")]
    NotThereYet,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Images(#[from] ImageError),
}

/// What the bucket holds of a job's pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// All of them, as they are.
    All(Vec<Output>),
    /// At least one is not there.
    Missing,
    /// At least one is not what it should be.
    Wrong,
}

/// Takes callbacks.
#[derive(Clone)]
pub struct Complete {
    /// Where jobs lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where pictures lie.
    pub images: Arc<dyn ImageStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How often and how long attempts are made.
    pub timers: Timers,
    /// Where the next attempt may run.
    pub route: Route,
    /// Counts ends for `warm`; `None` where nothing is kept warm.
    pub count: Option<Count>,
}

impl Complete {
    /// Takes one callback. `Ok` with `ignored` for everything that must not change the job.
    pub async fn run(&self, callback: &Callback) -> Result<Reply, CompleteError> {
        let origin = Origin {
            attempt: callback.run.attempt,
            backend: callback.backend.clone(),
        };
        let now = self.clock.now();
        match &callback.event {
            Event::Started { call, seq } => {
                let start = Start {
                    origin,
                    call: call.clone(),
                    seq: *seq,
                    at: now,
                };
                Ok(self.started(&callback.run, &start).await?)
            }
            Event::Progress {
                seq,
                progress,
                renew,
            } => {
                let beat = Beat {
                    origin,
                    seq: *seq,
                    progress: *progress,
                    at: now,
                };
                self.beat(&callback.run, &beat, *renew).await
            }
            Event::Succeeded { report, etags } => {
                self.succeeded(&callback.run, &origin, report, etags).await
            }
            Event::Failed { code, report } => {
                self.ended(&callback.run, &origin, *code, report).await
            }
            Event::Cancelled { report } => {
                self.ended(&callback.run, &origin, Code::GpuError, report)
                    .await
            }
            Event::Expired => {
                let report = Report::default();
                self.ended(&callback.run, &origin, Code::Timeout, &report)
                    .await
            }
        }
    }

    /// Completes a job whose backend says that the run is done. `None` where the bucket does not bear
    /// that out; the job is then as it was.
    pub async fn deliver(&self, job: &Job, report: &Report) -> Result<Option<Job>, CompleteError> {
        match self.delivered(job, &[]).await? {
            Delivered::All(outputs) => {
                let origin = job.origin();
                let now = self.clock.now();
                let next = |job: &Job| {
                    job.clone()
                        .succeed(&origin, outputs.clone(), report.clone(), now)
                        .ok()
                };
                let rewritten = self.rewrite_from(job.clone(), next, Some(report)).await?;
                Ok(match rewritten {
                    Rewritten::Absent => None,
                    Rewritten::Left(job) | Rewritten::Changed(job) => Some(*job),
                })
            }
            Delivered::Missing | Delivered::Wrong => Ok(None),
        }
    }

    /// The next state of a job whose current attempt failed.
    pub fn after_failure(
        &self,
        job: &Job,
        code: Code,
        report: &Report,
        now: UnixMs,
    ) -> Result<Job, Illegal> {
        job.clone().end_attempt(
            &job.origin(),
            AttemptEnd {
                code,
                report: report.clone(),
                next: self.route.after(&job.backend, code),
                max_attempts: self.timers.max_attempts,
                at: now,
            },
        )
    }

    async fn started(&self, run: &Run, start: &Start) -> Result<Reply, StoreError> {
        match self.jobs.write(Write::Start(&run.key, start)).await? {
            Written::Done(job) => {
                log::moved(Phase::Dispatching, &job);
                Ok(Reply::going_on())
            }
            Written::Refused(row) => Ok(reply_to_stray(row.as_deref(), &start.origin)),
        }
    }

    /// A sign of life costs one read, and one write where the last stored one is old enough.
    async fn beat(&self, run: &Run, beat: &Beat, renew: bool) -> Result<Reply, CompleteError> {
        let now = beat.at;
        let Some(job) = self.jobs.read(&run.key, now, Consistency::Strong).await? else {
            return Ok(Reply::ignored());
        };
        if job.refuse_if_stale(&beat.origin).is_err() {
            return Ok(Reply::ignored());
        }
        let mut reply = Reply::default();
        match &job.state {
            State::Running(s) => {
                let old = now.since(s.seen_at) >= self.timers.progress_interval;
                if old && beat.seq > s.seq {
                    let written = self.jobs.write(Write::Beat(&run.key, beat)).await?;
                    if let Written::Refused(row) = written {
                        reply = reply_to_stray(row.as_deref(), &beat.origin);
                    } else {
                        reply.go_on = true;
                    }
                } else {
                    reply.go_on = true;
                }
            }
            // Its `started` was lost: this is as good.
            State::Dispatching(_) => {
                let start = Start {
                    origin: beat.origin.clone(),
                    call: None,
                    seq: beat.seq,
                    at: now,
                };
                reply = self.started(run, &start).await?;
            }
            _ => {}
        }
        if renew && reply.go_on {
            reply.put_urls = self.renewed(&job).await?;
        }
        Ok(reply)
    }

    async fn renewed(&self, job: &Job) -> Result<Vec<(u8, SignedPut)>, ImageError> {
        let mut urls = Vec::new();
        for slot in 0..job.slots() {
            let put = self
                .images
                .sign_put(
                    &job.output_key(slot),
                    job.format.content_type(),
                    self.timers.presign,
                )
                .await?;
            urls.push((slot, put));
        }
        Ok(urls)
    }

    async fn succeeded(
        &self,
        run: &Run,
        origin: &Origin,
        report: &Report,
        etags: &[(u8, String)],
    ) -> Result<Reply, CompleteError> {
        let now = self.clock.now();
        let Some(job) = self.jobs.read(&run.key, now, Consistency::Strong).await? else {
            return Ok(Reply::ignored());
        };
        if job.refuse_if_stale(origin).is_err() {
            return Ok(Reply::ignored());
        }
        let delivered = match job.state.phase() {
            Phase::Canceling => Delivered::All(Vec::new()),
            _ => self.delivered(&job, etags).await?,
        };
        if delivered == Delivered::Missing {
            return Err(CompleteError::NotThereYet);
        }
        let next = |job: &Job| {
            if let Delivered::All(outputs) = &delivered {
                return job
                    .clone()
                    .succeed(origin, outputs.clone(), report.clone(), now);
            }
            job.refuse_if_stale(origin)?;
            self.after_failure(job, Code::NoOutput, report, now)
        };
        self.rewrite(job, report, next).await
    }

    /// The attempt is over without a picture.
    async fn ended(
        &self,
        run: &Run,
        origin: &Origin,
        code: Code,
        report: &Report,
    ) -> Result<Reply, CompleteError> {
        let now = self.clock.now();
        let Some(job) = self.jobs.read(&run.key, now, Consistency::Strong).await? else {
            return Ok(Reply::ignored());
        };
        let next = |job: &Job| {
            job.refuse_if_stale(origin)?;
            if job.state.phase() == Phase::Canceling {
                return job.clone().confirm_cancel(report.clone(), now);
            }
            self.after_failure(job, code, report, now)
        };
        self.rewrite(job, report, next).await
    }

    /// Writes the end of a run.
    async fn rewrite(
        &self,
        job: Job,
        report: &Report,
        next: impl Fn(&Job) -> Result<Job, Illegal> + Send + Sync,
    ) -> Result<Reply, CompleteError> {
        let next = |job: &Job| next(job).ok();
        Ok(match self.rewrite_from(job, next, Some(report)).await? {
            Rewritten::Changed(_) => Reply::default(),
            Rewritten::Left(_) | Rewritten::Absent => Reply::ignored(),
        })
    }

    /// Rewrites a row, and counts the end of the attempt that this write of all has ended, with what the
    /// worker said of it; without, with what the row says.
    pub(crate) async fn rewrite_from(
        &self,
        seen: Job,
        mut decide: impl FnMut(&Job) -> Option<Job> + Send,
        report: Option<&Report>,
    ) -> Result<Rewritten, StoreError> {
        let mut over = None;
        let rewritten = rewrite_from(self.jobs.as_ref(), seen, |job| {
            let next = decide(job)?;
            over = ends_attempt(job, &next).then(|| job.clone());
            Some(next)
        })
        .await?;
        if let (Rewritten::Changed(job), Some(over)) = (&rewritten, &over) {
            let stored = || job.state.ended().map(|ended| &ended.report);
            self.count_over(over, report.or_else(stored)).await;
        }
        Ok(rewritten)
    }

    /// Counts the end of the attempt that this job was in.
    pub(crate) async fn count_over(&self, job: &Job, report: Option<&Report>) {
        if let Some(count) = &self.count {
            let unknown = Report::default();
            count.end(job, report.unwrap_or(&unknown)).await;
        }
    }

    /// Looks at each picture of the current attempt: one GET of its first 4 KiB.
    async fn delivered(&self, job: &Job, etags: &[(u8, String)]) -> Result<Delivered, ImageError> {
        let mut outputs = Vec::new();
        for slot in 0..job.slots() {
            let Some(glimpse) = self.images.glimpse(&job.output_key(slot)).await? else {
                return Ok(Delivered::Missing);
            };
            let told = etags
                .iter()
                .find(|(of, _)| *of == slot)
                .map(|(_, etag)| etag);
            match made::output_of(&glimpse, job.format, slot, told.map(String::as_str)) {
                Some(output) => outputs.push(output),
                None => return Ok(Delivered::Wrong),
            }
        }
        Ok(Delivered::All(outputs))
    }
}

/// What a worker is told whose event changed nothing: go on only if it is the current one at work.
fn reply_to_stray(row: Option<&Job>, origin: &Origin) -> Reply {
    let current = row.is_some_and(|job| {
        job.refuse_if_stale(origin).is_ok()
            && matches!(job.state, State::Dispatching(_) | State::Running(_))
    });
    Reply {
        go_on: current,
        ignored: true,
        put_urls: Vec::new(),
    }
}

impl Reply {
    fn going_on() -> Self {
        Self {
            go_on: true,
            ..Self::default()
        }
    }

    fn ignored() -> Self {
        Self {
            ignored: true,
            ..Self::default()
        }
    }
}

/// Reads and writes the callbacks of one protocol; its adapter knows the wire, the router does not.
pub trait CallbackWire: Send + Sync {
    /// What a callback's body says.
    fn decode(&self, body: &[u8]) -> Result<Event, Unread>;
    /// The reply as it travels.
    fn encode(&self, reply: &Reply) -> Vec<u8>;
}

/// A callback's body that cannot be acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A newer version of the protocol: for a newer build.
    #[error("a newer version of the protocol")]
    Newer,
    /// Not a callback.
    #[error("not a callback")]
    Garbage,
}
