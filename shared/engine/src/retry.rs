//! Repeats a job that did not succeed: a new job with the same resolved input. The first one stays as
//! it ended.

use crate::port::{ImageError, StoreError};
use crate::read::Read;
use crate::submit::{Identity, Request, Submit, SubmitError, Submitted};
use ryla_domain::id::{JobKey, TraceId};
use ryla_domain::job::RequestHash;
use ryla_domain::model;
use ryla_domain::state::State;
use serde_json::Value;

/// Why a job was not repeated.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// It has not ended, or it succeeded.
    #[error("only a failed or canceled prediction can be retried")]
    NotFailed,
    /// Its input was removed.
    #[error("the input of this prediction was removed")]
    InputRemoved,
    /// Its model does not exist any more.
    #[error("the model of this prediction does not exist any more")]
    NoModel,
    /// The new request was not accepted.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Images(#[from] ImageError),
}

/// Repeats jobs.
#[derive(Clone)]
pub struct Retry {
    /// Reads the one to repeat.
    pub read: Read,
    /// Accepts the new one.
    pub submit: Submit,
}

impl Retry {
    /// The new job; `None` where there is none to repeat.
    pub async fn run(
        &self,
        key: &JobKey,
        identity: Identity,
        hash: RequestHash,
        trace: TraceId,
    ) -> Result<Option<Submitted>, RetryError> {
        let Some(job) = self.read.latest(key).await? else {
            return Ok(None);
        };
        if !matches!(job.state, State::Failed { .. } | State::Canceled { .. }) {
            return Err(RetryError::NotFailed);
        }
        let Some(Value::Object(mut input)) = self.read.sendable_input(&job).await? else {
            return Err(RetryError::InputRemoved);
        };
        let options = serde_json::json!({ "retention_days": job.retention.days() });
        input.insert("job".to_owned(), options);
        let model = model::find("ryla", &job.model).ok_or(RetryError::NoModel)?;
        let request = Request {
            account: &key.account,
            model,
            input: &input,
            identity,
            hash,
            cancel_after: None,
            trace,
            retry_of: Some(key.id.clone()),
        };
        Ok(Some(self.submit.run(&request).await?))
    }
}
