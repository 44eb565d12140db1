//! Cancels a job: at once where nothing runs, else by way of the backend. The table is told first.

use crate::log;
use crate::message::{Do, Message};
use crate::port::{Clock, JobStore, Queue, StoreError};
use crate::rewrite::{Rewritten, rewrite};
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::state::{CancelReason, Phase};
use ryla_domain::time::Ms;
use ryla_domain::timers::Timers;
use std::sync::Arc;

/// Cancels jobs.
#[derive(Clone)]
pub struct Cancel {
    /// Where they lie.
    pub jobs: Arc<dyn JobStore>,
    /// Where the dispatcher is asked to stop a run.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long the backend may take.
    pub timers: Timers,
}

impl Cancel {
    /// The job as it is afterwards; `None` where there is none. A job that has ended stays as it is.
    pub async fn run(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        let now = self.clock.now();
        let limit = self.timers.cancel_limit;
        let rewritten = rewrite(self.jobs.as_ref(), key, now, |job| {
            Some(job.clone().cancel(CancelReason::User, now, limit))
        })
        .await?;
        let job = match rewritten {
            Rewritten::Absent => return Ok(None),
            Rewritten::Left(job) | Rewritten::Changed(job) => *job,
        };
        // Also for a job that was being cancelled before: the first message may have been lost.
        if job.state.phase() == Phase::Canceling {
            let message = Message::new(Do::Cancel, job.run(), job.trace.clone());
            if let Err(error) = self.queue.send(&message.body(), Ms(0)).await {
                log::port_failed(
                    "queue.send",
                    &job.run().to_string(),
                    job.trace.as_str(),
                    &error,
                );
            }
        }
        Ok(Some(job))
    }
}
