//! Removes what a job holds of its owner's: outputs and input. The figures stay.

use crate::port::{Clock, Consistency, ImageError, ImageStore, JobStore, StoreError};
use crate::rewrite::{Rewritten, rewrite_from};
use ryla_domain::id::JobKey;
use ryla_domain::job::{Job, StoredInput};
use ryla_domain::model::{self, Model};
use ryla_domain::output::ObjectKey;
use ryla_domain::state::State;
use std::sync::Arc;

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The job has not ended.
    #[error("the job has not ended: cancel it first")]
    StillOpen,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Images(#[from] ImageError),
}

/// Removes outputs and inputs.
#[derive(Clone)]
pub struct Delete {
    /// Where jobs lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where outputs and long inputs lie.
    pub images: Arc<dyn ImageStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Delete {
    /// The job as it is afterwards; `None` where there is none. The objects go first, so that a row
    /// marked as removed never has any left; repeating the call is harmless.
    pub async fn run(&self, key: &JobKey) -> Result<Option<Job>, DeleteError> {
        let now = self.clock.now();
        let Some(job) = self.jobs.read(key, now, Consistency::Strong).await? else {
            return Ok(None);
        };
        if !job.state.phase().is_terminal() {
            return Err(DeleteError::StillOpen);
        }
        if job.data_removed {
            return Ok(Some(job));
        }
        let objects = objects_of(&job);
        if !objects.is_empty() {
            self.images.delete(&objects).await?;
        }
        let rewritten = rewrite_from(self.jobs.as_ref(), job, |job| {
            job.clone().remove_data().ok().filter(|_| !job.data_removed)
        })
        .await?;
        Ok(match rewritten {
            Rewritten::Absent => None,
            Rewritten::Left(job) | Rewritten::Changed(job) => Some(*job),
        })
    }
}

/// Everything of the job's in the bucket: each attempt may have left pictures.
fn objects_of(job: &Job) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    let last = job.state.attempt();
    let mut attempt = ryla_domain::id::Attempt::FIRST;
    let claimed = !matches!(&job.state, State::Canceled { ended, .. } if ended.dispatched_at.is_none() && last == attempt);
    while claimed && attempt <= last {
        for slot in 0..job.slots() {
            let extension = job.format.extension();
            keys.push(ObjectKey::output(
                job.retention,
                &job.token,
                attempt,
                slot,
                extension,
            ));
        }
        attempt = attempt.next();
    }
    if job.input == StoredInput::InBucket {
        keys.push(job.input_key());
    }
    let pictures = model::find("ryla", &job.model).map_or(&[] as &[_], Model::picture_fields);
    let files = pictures.iter().map(|field| job.input_file_key(field));
    keys.extend(files);
    keys
}
