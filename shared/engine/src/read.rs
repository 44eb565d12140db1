//! Reads one job and its input.

use crate::port::{Clock, Consistency, ImageError, ImageStore, JobStore, StoreError};
use ryla_domain::id::JobKey;
use ryla_domain::input::{FileRef, InlineFile, MAX_INLINE_BYTES};
use ryla_domain::job::{Job, StoredInput};
use ryla_domain::model::{self, Model};
use ryla_domain::time::UnixMs;
use serde_json::Value;
use std::sync::Arc;

/// The longest input that is read back from the bucket.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// Reads jobs.
#[derive(Clone)]
pub struct Read {
    /// Where they lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where long inputs lie.
    pub images: Arc<dyn ImageStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Read {
    /// The job; `None` where there is none of that key.
    pub async fn job(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        found(self.jobs.as_ref(), key, self.clock.now()).await
    }

    /// The job as every write before left it.
    pub async fn latest(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        let now = self.clock.now();
        self.jobs.read(key, now, Consistency::Strong).await
    }

    /// The job's resolved input; `None` where it was removed.
    pub async fn input(&self, job: &Job) -> Result<Option<Value>, ImageError> {
        match &job.input {
            StoredInput::Inline(value) => Ok(Some(value.clone())),
            StoredInput::Removed => Ok(None),
            StoredInput::InBucket => long_input(self.images.as_ref(), job).await,
        }
    }

    /// The resolved input as a client could send it again: with the files themselves where it names
    /// them by their hash. `None` where anything of it was removed.
    pub async fn sendable_input(&self, job: &Job) -> Result<Option<Value>, ImageError> {
        let Some(mut input) = self.input(job).await? else {
            return Ok(None);
        };
        let model = model::find("ryla", &job.model);
        for field in model.map_or(&[] as &[_], Model::picture_fields) {
            let Some(value) = input.get_mut(field) else {
                continue;
            };
            if value.as_str().and_then(FileRef::hash_in).is_none() {
                continue;
            }
            let key = job.input_file_key(field);
            match self.images.get(&key, MAX_INLINE_BYTES as u64).await? {
                Some((content_type, bytes)) => {
                    *value = InlineFile::to_data_url(&content_type, &bytes).into();
                }
                None => return Ok(None),
            }
        }
        Ok(Some(input))
    }
}

/// The resolved input of a job whose row has no room for it.
pub(crate) async fn long_input(
    images: &dyn ImageStore,
    job: &Job,
) -> Result<Option<Value>, ImageError> {
    let key = job.input_key();
    let found = images.get(&key, MAX_INPUT_BYTES).await?;
    Ok(found.and_then(|(_, bytes)| serde_json::from_slice(&bytes).ok()))
}

/// One read of the table at half the price; a full one more where the first, which may be a moment
/// old, finds nothing: the client may just have created the job.
pub(crate) async fn found(
    jobs: &dyn JobStore,
    key: &JobKey,
    now: UnixMs,
) -> Result<Option<Job>, StoreError> {
    match jobs.read(key, now, Consistency::Eventual).await? {
        Some(job) => Ok(Some(job)),
        None => jobs.read(key, now, Consistency::Strong).await,
    }
}
