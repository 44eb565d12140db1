//! Accepts a request: validates it, makes it durable with one conditional put, sends the dispatcher a
//! hint. A repeated request gets the job of the first one.

use crate::log;
use crate::message::{Do, Message};
use crate::port::{
    Clock, Consistency, Created, Entropy, ImageError, ImageStore, JobStore, Queue, StoreError,
};
use crate::signature::MasterSecrets;
use ryla_domain::id::{AccountId, BackendId, JobId, JobKey, OutputToken, TraceId};
use ryla_domain::input::InvalidInput;
use ryla_domain::job::{Deadline, DeadlineBy, Due, Job, RequestHash, StoredInput};
use ryla_domain::model::{Model, Parsed};
use ryla_domain::output::{ObjectKey, Retention};
use ryla_domain::route::Route;
use ryla_domain::state::{Accepted, State};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::timers::Timers;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Twins of one request within a minute that are told apart by counting; more get random ids.
const COUNTED_TWINS: u32 = 32;

/// Rows outlive their outputs by this, so that a key holds at least 24 hours in any case.
const ROW_GRACE: Ms = Ms::seconds(3600);

/// How a request names itself, if it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `Idempotency-Key`: the id is derived from it.
    Key(String),
    /// The client chose the id.
    Chosen(JobId),
    /// The client counts its own retries and sends nothing else (`x-stainless-retry-count`).
    Counted {
        /// 0 for a first try.
        retry: u32,
    },
    /// Nothing: two equal requests are two jobs.
    Random,
}

/// A request for a prediction.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub account: &'a AccountId,
    /// For which model.
    pub model: &'static Model,
    /// The `input` object as the client sent it.
    pub input: &'a Map<String, Value>,
    /// How the request names itself.
    pub identity: Identity,
    /// SHA-256 over what the client sent.
    pub hash: RequestHash,
    /// The caller's own deadline.
    pub cancel_after: Option<Ms>,
    /// Follows the request through every process.
    pub trace: TraceId,
    /// The job that this one repeats.
    pub retry_of: Option<JobId>,
}

/// An accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Its job.
    pub job: Job,
    /// The job was there before: the request is a repetition.
    pub replayed: bool,
}

/// Why a request was not accepted. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The input does not fit the model.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// No backend is configured.
    #[error("no backend is configured for the model")]
    NoBackend,
    /// The key or id belongs to another request.
    #[error("the key or id was used for another request")]
    UsedByAnother,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Images(#[from] ImageError),
}

/// Accepts requests.
#[derive(Clone)]
pub struct Submit {
    /// Where jobs are put.
    pub jobs: Arc<dyn JobStore>,
    /// Where long inputs are put.
    pub images: Arc<dyn ImageStore>,
    /// Where the hint is sent.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids, tokens and seeds.
    pub entropy: Arc<dyn Entropy>,
    /// For ids derived from idempotency keys.
    pub secrets: MasterSecrets,
    /// The limits that the job will live under.
    pub timers: Timers,
    /// Where it may run.
    pub route: Route,
    /// How long outputs are kept unless the request says otherwise.
    pub retention: Retention,
}

impl Submit {
    /// Accepts the request, or hands back the job of an equal one before it.
    pub async fn run(&self, request: &Request<'_>) -> Result<Submitted, SubmitError> {
        let seed = u64::from_le_bytes(self.entropy.bytes()) >> 11;
        let parsed = request.model.parse(request.input, seed)?;
        let backend = self.route.first().ok_or(SubmitError::NoBackend)?;
        let now = self.clock.now();
        let (draft, objects) = self.draft(request, parsed, backend, now);
        if let Some(job) = self.earlier(request, !objects.is_empty(), now).await? {
            return Ok(Submitted {
                job,
                replayed: true,
            });
        }
        let keys: Vec<ObjectKey> = objects.iter().map(|object| object.key.clone()).collect();
        let submitted = match self.store(objects).await {
            Ok(()) => self.put(request, draft, now).await,
            Err(error) => Err(error.into()),
        };
        // A row of ours may be there also where the table's word was lost.
        let ours = matches!(
            &submitted,
            Ok(Submitted {
                replayed: false,
                ..
            }) | Err(SubmitError::Store(_))
        );
        if !ours
            && !keys.is_empty()
            && let Err(error) = self.images.delete(&keys).await
        {
            log::port_failed("images.delete", "", request.trace.as_str(), &error);
        }
        submitted
    }

    /// The job of an equal request before this one, where that takes a look of its own: for a retry that
    /// only counts, and before objects are put that a repetition would put in vain. All others hear of it
    /// from the put of the row, which costs them nothing.
    async fn earlier(
        &self,
        request: &Request<'_>,
        puts_objects: bool,
        now: UnixMs,
    ) -> Result<Option<Job>, SubmitError> {
        let id = match &request.identity {
            Identity::Counted { retry } if *retry > 0 => {
                return Ok(self.newest_twin(request, now).await?);
            }
            Identity::Key(key) if puts_objects => self.derived_id(request, &[key]),
            Identity::Chosen(id) if puts_objects => id.clone(),
            _ => return Ok(None),
        };
        let key = JobKey {
            account: request.account.clone(),
            id,
        };
        match self.jobs.read(&key, now, Consistency::Strong).await? {
            Some(job) if job.request_hash != request.hash => Err(SubmitError::UsedByAnother),
            found => Ok(found),
        }
    }

    /// Puts the row under the id that the request's identity gives it.
    async fn put(
        &self,
        request: &Request<'_>,
        draft: Job,
        now: UnixMs,
    ) -> Result<Submitted, SubmitError> {
        match &request.identity {
            Identity::Random => self.create(draft, self.random_id(), now).await,
            Identity::Key(key) => {
                let id = self.derived_id(request, &[key]);
                self.create(draft, id, now).await
            }
            Identity::Chosen(id) => self.create(draft, id.clone(), now).await,
            Identity::Counted { retry: 0 } => self.create_twin(request, draft, now).await,
            Identity::Counted { .. } => {
                // The first try was lost, or its put is still under way. If that lands first, its job is
                // this one. If it lands later, it is taken for a wanted twin: nothing tells it from the
                // client's next request, and of two wanted pictures none may be missing.
                let id = self.twin_id(request, minute_of(now), 0);
                self.create(draft, id, now).await
            }
        }
    }

    /// The job without its final id, and what of its input goes into the bucket.
    fn draft(
        &self,
        request: &Request<'_>,
        parsed: Parsed,
        backend: &BackendId,
        now: UnixMs,
    ) -> (Job, Vec<InputObject>) {
        let media = request.model.media;
        let ours = now + self.timers.deadline_of(media);
        let deadline = match request.cancel_after.map(|after| now + after) {
            Some(at) if at < ours => Deadline {
                at,
                by: DeadlineBy::Caller,
            },
            _ => Deadline {
                at: ours,
                by: DeadlineBy::System,
            },
        };
        let retention = parsed
            .options
            .retention_days
            .and_then(Retention::of_days)
            .unwrap_or(self.retention);
        let kept = Ms::seconds(u64::from(retention.days()) * 86_400 + ROW_GRACE.0 / 1000);
        let token = OutputToken::generated(&self.entropy.bytes());
        let format = parsed.input.format();
        let (input, objects) = split_input(parsed, retention, &token);
        let draft = Job {
            key: JobKey {
                account: request.account.clone(),
                id: self.random_id(),
            },
            rev: 1,
            created_at: now,
            deadline,
            expires_at: UnixMs::from_seconds((now + kept).seconds() + 1),
            model: request.model.name.to_owned(),
            input,
            request_hash: request.hash,
            backend: backend.clone(),
            trace: request.trace.clone(),
            token,
            retention,
            format,
            state: State::Accepted(Accepted {
                attempt: ryla_domain::id::Attempt::FIRST,
                hold: None,
            }),
            due: Some(Due {
                at: deadline.at.min(now + self.timers.first_due),
                tries: 0,
            }),
            data_removed: false,
            retry_of: request.retry_of.clone(),
        };
        (draft, objects)
    }

    /// Puts what belongs to the input beside the job.
    async fn store(&self, objects: Vec<InputObject>) -> Result<(), ImageError> {
        for InputObject {
            key,
            content_type,
            bytes,
        } in objects
        {
            match self.images.put(&key, content_type, bytes).await {
                // The token is fresh: what lies there is this put, repeated because its reply was lost.
                Ok(()) | Err(ImageError::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn create(&self, draft: Job, id: JobId, now: UnixMs) -> Result<Submitted, SubmitError> {
        match self.try_create(draft, id, now).await? {
            Attempted::Created(job) => Ok(Submitted {
                job,
                replayed: false,
            }),
            Attempted::Same(job) => Ok(Submitted {
                job,
                replayed: true,
            }),
            Attempted::Other => Err(SubmitError::UsedByAnother),
        }
    }

    async fn try_create(
        &self,
        mut draft: Job,
        id: JobId,
        now: UnixMs,
    ) -> Result<Attempted, StoreError> {
        draft.key.id = id;
        match self.jobs.create(&draft, now).await? {
            Created::New => {}
            // The put was repeated because its first reply was lost: this is our own row.
            Created::Exists(job) if job.token == draft.token => {}
            Created::Exists(job) if job.request_hash == draft.request_hash => {
                return Ok(Attempted::Same(*job));
            }
            Created::Exists(_) => return Ok(Attempted::Other),
        }
        tracing::info!(event = "state", trace_id = %draft.trace, run = %draft.run(), backend = %draft.backend, to = "accepted", model = draft.model, "accepted");
        self.send_hint(&draft).await;
        Ok(Attempted::Created(draft))
    }

    /// The job is accepted whatever becomes of the hint: the sweep sends a lost one again.
    async fn send_hint(&self, job: &Job) {
        let message = Message::new(Do::Start, job.run(), job.trace.clone());
        if let Err(error) = self.queue.send(&message.body(), Ms(0)).await {
            log::port_failed(
                "queue.send",
                &job.run().to_string(),
                job.trace.as_str(),
                &error,
            );
        }
    }

    /// A first try of a client that counts: an equal job of the same minute is a wanted twin.
    async fn create_twin(
        &self,
        request: &Request<'_>,
        draft: Job,
        now: UnixMs,
    ) -> Result<Submitted, SubmitError> {
        let minute = minute_of(now);
        for n in 0..COUNTED_TWINS {
            let id = self.twin_id(request, minute, n);
            if let Attempted::Created(job) = self.try_create(draft.clone(), id, now).await? {
                return Ok(Submitted {
                    job,
                    replayed: false,
                });
            }
        }
        self.create(draft, self.random_id(), now).await
    }

    /// What a counted retry repeats: the newest twin of this minute, else of the one before.
    async fn newest_twin(
        &self,
        request: &Request<'_>,
        now: UnixMs,
    ) -> Result<Option<Job>, StoreError> {
        let this_minute = minute_of(now);
        for minute in [this_minute, this_minute - 1] {
            let mut newest = None;
            for n in 0..COUNTED_TWINS {
                let key = JobKey {
                    account: request.account.clone(),
                    id: self.twin_id(request, minute, n),
                };
                match self.jobs.read(&key, now, Consistency::Strong).await? {
                    Some(job) => newest = Some(job),
                    None => break,
                }
            }
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    fn random_id(&self) -> JobId {
        JobId::generated(&self.entropy.bytes())
    }

    fn derived_id(&self, request: &Request<'_>, parts: &[&str]) -> JobId {
        JobId::generated(&self.secrets.job_id(request.account.as_str(), parts))
    }

    fn twin_id(&self, request: &Request<'_>, minute: i64, n: u32) -> JobId {
        let hash = data_encoding::HEXLOWER.encode(&request.hash.0);
        self.derived_id(
            request,
            &["twin", &hash, &minute.to_string(), &n.to_string()],
        )
    }
}

/// A part of the input that is too long for the row.
struct InputObject {
    key: ObjectKey,
    content_type: &'static str,
    bytes: Vec<u8>,
}

/// What the row keeps of the input, and what the bucket keeps.
fn split_input(
    parsed: Parsed,
    retention: Retention,
    token: &OutputToken,
) -> (StoredInput, Vec<InputObject>) {
    let files = parsed.files.into_iter().map(|file| InputObject {
        key: ObjectKey::input_file(retention, token, file.field),
        content_type: file.content_type,
        bytes: file.bytes,
    });
    let mut objects: Vec<InputObject> = files.collect();
    let input = parsed.input.to_json();
    let text = input.to_string();
    if text.len() <= StoredInput::INLINE_BYTES {
        return (StoredInput::Inline(input), objects);
    }
    objects.push(InputObject {
        key: ObjectKey::input(retention, token),
        content_type: "application/json",
        bytes: text.into_bytes(),
    });
    (StoredInput::InBucket, objects)
}

enum Attempted {
    Created(Job),
    Same(Job),
    Other,
}

const fn minute_of(now: UnixMs) -> i64 {
    now.seconds().div_euclid(60)
}
