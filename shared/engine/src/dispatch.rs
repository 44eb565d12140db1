//! Takes one message of the queue: claims the job and starts it on a backend, or stops a run whose
//! job is being cancelled. The message is a hint; the row decides.

mod files;

use crate::complete::{Complete, CompleteError};
use crate::count::{Count, Started, ends_attempt};
use crate::log;
use crate::message::{Body, Do, Message};
use crate::port::{
    Backend, Backends, CallbackTarget, Cancelled, Clock, Consistency, ImageError, ImageStore,
    JobStore, OutputSlot, Queue, RunRequest, StartOutcome, StoreError, TickShard, Work, Write,
    Written,
};
use crate::settings::Settings;
use futures_util::future::join_all;
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, ClaimId};
use ryla_domain::job::{Claim, Illegal, Job, Start, StoredInput};
use ryla_domain::model::{self, Media};
use ryla_domain::overdue::Answer;
use ryla_domain::report::Report;
use ryla_domain::state::{Hold, Phase, State};
use ryla_domain::time::{Ms, UnixMs};
use std::sync::Arc;

/// How long a message of a newer build waits for one.
const NEWER_DELAY: Ms = Ms::seconds(60);

/// What is to be done with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Remove it.
    Done,
    /// Leave it in the queue: a port failed on the way.
    Again,
    /// Leave it in the queue until it ends in the dead-letter queue: nobody can read it.
    Poison,
}

/// Why a message could not be carried out now.
#[derive(Debug, thiserror::Error)]
enum DispatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Images(#[from] ImageError),
    #[error(transparent)]
    Complete(#[from] CompleteError),
    #[error(transparent)]
    Queue(#[from] crate::port::QueueError),
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

/// Starts and stops runs.
#[derive(Clone)]
pub struct Dispatch {
    /// Where jobs lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where pictures will lie.
    pub images: Arc<dyn ImageStore>,
    /// For messages to come back later.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For backends that hand over the picture at once.
    pub complete: Complete,
    /// Where runs are started.
    pub backends: Backends,
    /// Limits, secrets and our own address.
    pub settings: Arc<Settings>,
    /// Counts starts for `warm`; `None` where nothing is kept warm.
    pub count: Option<Count>,
    /// The newest version of a message that is carried out; a newer one is left to a newer build.
    pub newest: u32,
}

impl Dispatch {
    /// Carries out one message. `claim` names this invocation and message.
    pub async fn handle(&self, body: &str, claim: &ClaimId) -> Handled {
        let message = (body.to_owned(), claim.clone());
        let handled = self.handle_all(&[message]).await;
        handled.first().copied().unwrap_or(Handled::Again)
    }

    /// Carries out a batch of messages side by side, and counts what it started.
    pub async fn handle_all(&self, messages: &[(String, ClaimId)]) -> Vec<Handled> {
        let started = Started::default();
        let each = messages
            .iter()
            .map(|(body, claim)| self.carry_out(body, claim, &started));
        let handled = join_all(each).await;
        if let Some(count) = &self.count {
            // Invocations spread over the parts; one batch goes to one of them.
            let byte = messages.first().map_or(0, |(_, claim)| {
                claim.as_str().bytes().fold(0, u8::wrapping_add)
            });
            count.starts(started, TickShard::of(byte)).await;
        }
        handled
    }

    async fn carry_out(&self, body: &str, claim: &ClaimId, started: &Started) -> Handled {
        let message = match Body::read_by(self.newest, body) {
            Body::Message(message) => message,
            Body::Newer => {
                return match self.queue.send(body, NEWER_DELAY).await {
                    Ok(()) => Handled::Done,
                    Err(_) => Handled::Again,
                };
            }
            Body::Garbage => {
                tracing::error!(event = "poison", claim = %claim, "message is not one of ours");
                return Handled::Poison;
            }
        };
        let carried_out = match message.what {
            Do::Start => self.start(&message, claim, started).await,
            Do::Cancel => self.cancel(&message).await,
        };
        match carried_out {
            Ok(()) => Handled::Done,
            // Left to a newer build, or to the sweep, which parks what nobody can read.
            Err(DispatchError::Store(StoreError::Newer(_) | StoreError::NewerValue(_))) => {
                match self.queue.send(body, NEWER_DELAY).await {
                    Ok(()) => Handled::Done,
                    Err(_) => Handled::Again,
                }
            }
            Err(error) => {
                log::port_failed(
                    "dispatch",
                    &message.run.to_string(),
                    message.trace.as_str(),
                    &error,
                );
                match error {
                    DispatchError::Store(StoreError::Corrupt(_)) => Handled::Done,
                    _ => Handled::Again,
                }
            }
        }
    }

    async fn start(
        &self,
        message: &Message,
        claim: &ClaimId,
        started: &Started,
    ) -> Result<(), DispatchError> {
        let now = self.clock.now();
        let claim = Claim {
            claim: claim.clone(),
            at: now,
            lease_until: now + self.settings.timers.lease(),
        };
        let written = self
            .jobs
            .write(Write::Claim(&message.run.key, &claim))
            .await?;
        let job = match written {
            Written::Done(job) => *job,
            // Our own claim, whose reply was lost.
            Written::Refused(Some(job)) if holds(&job, &claim) => *job,
            // Ended, running, or somebody else holds it: the hint was late.
            Written::Refused(_) => return Ok(()),
        };
        if !claimed_before(&job) {
            log::moved(Phase::Accepted, &job);
        }
        self.start_claimed(job, message, now, started).await
    }

    /// Tries the backends in turn, beginning with the job's own, until one takes it.
    async fn start_claimed(
        &self,
        mut job: Job,
        message: &Message,
        now: UnixMs,
        started: &Started,
    ) -> Result<(), DispatchError> {
        let route = self.backends.route();
        let mut tried: Vec<BackendId> = Vec::new();
        let mut wait = None;
        // Where no start of this attempt was sent to this backend before, this one is to be counted, and nothing ends that
        // the backend does not take.
        let mut unsent = (!claimed_before(&job)).then_some(started);
        loop {
            let outcome = match self.backends.get(&job.backend) {
                Some(backend) => self.start_on(backend.as_ref(), &job, unsent).await?,
                // Accepted for a backend that is not configured any more.
                None => StartOutcome::Unavailable {
                    code: Code::NoBackend,
                    retry_after: None,
                },
            };
            match outcome {
                StartOutcome::Unavailable { code, retry_after } => {
                    tracing::warn!(event = "unavailable", trace_id = %job.trace, run = %job.run(), backend = %job.backend, %code, "backend does not take the run");
                    wait = wait.max(retry_after);
                    tried.push(job.backend.clone());
                    let other = route.backends().iter().find(|b| !tried.contains(b));
                    let Some(other) = other else {
                        return self.hold(job, message, wait, unsent).await;
                    };
                    let next = job.clone().hand_over(other.clone())?;
                    match self.replace(&job, &next, unsent).await? {
                        Some(next) => (job, unsent) = (next, Some(started)),
                        None => return Ok(()),
                    }
                }
                outcome => return self.after_start(job, outcome, message, now, unsent).await,
            }
        }
    }

    async fn start_on(
        &self,
        backend: &dyn Backend,
        job: &Job,
        started: Option<&Started>,
    ) -> Result<StartOutcome, DispatchError> {
        // An earlier holder of the claim may have started it here: what this request hears is then
        // not the whole truth, and nothing may be started elsewhere before the backend was asked.
        let claimed_before = claimed_before(job);
        if claimed_before
            && !backend.capabilities().idempotent_start
            && let Some(known) = self.known_to(backend, job).await
        {
            return Ok(known);
        }
        let request = self.request(job).await?;
        let at = self.clock.now();
        let outcome = backend.start(&request).await;
        let unsent = matches!(
            outcome,
            StartOutcome::Unavailable { .. } | StartOutcome::Refused(_)
        );
        // A repeated start is the same run.
        if let Some(started) = started.filter(|_| !unsent) {
            started.add(&job.backend, &job.model, at);
        }
        if claimed_before && matches!(outcome, StartOutcome::Unavailable { .. }) {
            return Ok(self.known_to(backend, job).await.unwrap_or(outcome));
        }
        Ok(outcome)
    }

    /// What an earlier start of the same attempt came to; `None` where the backend says that it does
    /// not know the run.
    async fn known_to(&self, backend: &dyn Backend, job: &Job) -> Option<StartOutcome> {
        match backend.check(&job.run(), &job.trace).await {
            Answer::Unknown => None,
            Answer::Unreachable => Some(StartOutcome::Unknown),
            _ => Some(StartOutcome::Started { call: None }),
        }
    }

    async fn after_start(
        &self,
        job: Job,
        outcome: StartOutcome,
        message: &Message,
        now: UnixMs,
        unsent: Option<&Started>,
    ) -> Result<(), DispatchError> {
        match outcome {
            StartOutcome::Started { call } => {
                let by_name = self
                    .backends
                    .get(&job.backend)
                    .is_some_and(|backend| backend.capabilities().idempotent_start);
                if by_name {
                    // The run is its own handle; that it has begun is for the worker to say.
                    return Ok(());
                }
                let start = Start {
                    origin: job.origin(),
                    call,
                    seq: 0,
                    at: self.clock.now(),
                };
                let written = self.jobs.write(Write::Start(&job.key, &start)).await?;
                if let Written::Done(job) = written {
                    log::moved(Phase::Dispatching, &job);
                }
                Ok(())
            }
            StartOutcome::Finished { bytes, report } => self.finish(job, bytes, &report).await,
            StartOutcome::Refused(code) => {
                let next = self
                    .complete
                    .after_failure(&job, code, &Report::default(), now)?;
                self.replace(&job, &next, unsent).await?;
                Ok(())
            }
            // It may run: look again once the lease is over, under the same attempt number.
            StartOutcome::Unknown | StartOutcome::Unavailable { .. } => {
                let delay = Ms(self.settings.timers.lease().0 + 1000);
                self.queue.send(&message.body(), delay).await?;
                Ok(())
            }
        }
    }

    /// A synchronous backend's picture goes into the bucket from here.
    async fn finish(&self, job: Job, bytes: Vec<u8>, report: &Report) -> Result<(), DispatchError> {
        let put = self
            .images
            .put(&job.output_key(0), job.format.content_type(), bytes)
            .await;
        match put {
            // An earlier run of this attempt was faster; its picture counts.
            Ok(()) | Err(ImageError::Exists) => {}
            Err(error) => return Err(error.into()),
        }
        if self.complete.deliver(&job, report).await?.is_none() {
            let now = self.clock.now();
            let next = self
                .complete
                .after_failure(&job, Code::NoOutput, report, now)?;
            self.replace(&job, &next, None).await?;
        }
        Ok(())
    }

    /// No backend takes it: back into the queue, a little later each time.
    async fn hold(
        &self,
        job: Job,
        message: &Message,
        wait: Option<Ms>,
        unsent: Option<&Started>,
    ) -> Result<(), DispatchError> {
        let route = self.backends.route();
        let backend = route.first().unwrap_or(&job.backend).clone();
        let backoff = self.settings.timers.hold_backoff().wait(message.tries);
        let delay = wait.map_or(backoff, |wait| wait.max(backoff));
        let again_at = Some(self.clock.now() + delay);
        let next = job.clone().hold(Hold::Backend { again_at }, backend)?;
        if self.replace(&job, &next, unsent).await?.is_none() {
            return Ok(());
        }
        let later = Message {
            tries: message.tries.saturating_add(1),
            ..message.clone()
        };
        self.queue.send(&later.body(), delay).await?;
        Ok(())
    }

    async fn cancel(&self, message: &Message) -> Result<(), DispatchError> {
        let now = self.clock.now();
        let read = self
            .jobs
            .read(&message.run.key, now, Consistency::Strong)
            .await?;
        let Some(job) = read.filter(|job| job.state.phase() == Phase::Canceling) else {
            return Ok(());
        };
        let Some(backend) = self.backends.get(&job.backend) else {
            return Ok(());
        };
        // Anything but a confirmation leaves the job to the worker's word and the sweep's limit.
        if backend.cancel(&job.run(), &job.trace).await == Cancelled::Confirmed {
            let now = self.clock.now();
            let next = |job: &Job| job.clone().confirm_cancel(Report::default(), now).ok();
            self.complete.rewrite_from(job, next, None).await?;
        }
        Ok(())
    }

    /// Writes `next` over `seen`; `None` where somebody else was faster, whose word then counts. Where the
    /// attempt was sent to its backend and is over with it, that is counted. Who was faster does not know
    /// that it was `unsent`, and counts its end: then it has begun with its claim.
    async fn replace(
        &self,
        seen: &Job,
        next: &Job,
        unsent: Option<&Started>,
    ) -> Result<Option<Job>, StoreError> {
        let job = match self.jobs.write(Write::Replace { seen, next }).await? {
            Written::Done(job) => {
                if seen.state.phase() != job.state.phase() {
                    log::moved(seen.state.phase(), &job);
                }
                *job
            }
            Written::Refused(Some(job)) if *job == *next => *job,
            Written::Refused(_) => {
                if let (Some(started), State::Dispatching(state)) = (unsent, &seen.state) {
                    started.add(&seen.backend, &seen.model, state.dispatched_at);
                }
                return Ok(None);
            }
        };
        if unsent.is_none() && ends_attempt(seen, &job) {
            let report = job.state.ended().map(|ended| &ended.report);
            self.complete.count_over(seen, report).await;
        }
        Ok(Some(job))
    }

    async fn request(&self, job: &Job) -> Result<RunRequest, ImageError> {
        let run = job.run();
        let presign = self.settings.timers.presign;
        let model = model::find("ryla", &job.model);
        let mut outputs = Vec::new();
        for slot in 0..job.slots() {
            let put = self
                .images
                .sign_put(&job.output_key(slot), job.format.content_type(), presign)
                .await?;
            outputs.push(OutputSlot {
                slot,
                format: job.format,
                put,
            });
        }
        let work = match &job.input {
            StoredInput::Inline(input) => Work::Params(input.clone()),
            _ => Work::ParamsAt(self.images.sign_get(&job.input_key(), presign).await?),
        };
        let inputs = files::of(self.images.as_ref(), model, job, presign).await?;
        let (kid, key) = self.settings.secrets.run_key(&run);
        let media = model.map_or(Media::Picture, |model| model.media);
        Ok(RunRequest {
            workflow: model
                .map_or(job.model.as_str(), |model| model.workflow)
                .to_owned(),
            work,
            inputs,
            outputs,
            callback: CallbackTarget {
                url: format!(
                    "{}/v1/callbacks/{}/{}/{}/{}",
                    self.settings.public_url, job.backend, run.key.account, run.key.id, run.attempt
                ),
                kid,
                key,
            },
            deadline_at: job.deadline.at,
            run_limit: self.settings.run_limit(&job.backend, media),
            trace: job.trace.clone(),
            run,
        })
    }
}

/// An earlier holder of the claim may have sent the attempt to its backend.
fn claimed_before(job: &Job) -> bool {
    matches!(&job.state, State::Dispatching(s) if s.claims > 1)
}

fn holds(job: &Job, claim: &Claim) -> bool {
    matches!(&job.state, State::Dispatching(s) if s.claim == claim.claim)
}
