//! Read, let the domain decide, write on `rev = seen`; where somebody else was faster, decide again
//! on the row as it is. Every write that is not blind goes through here.

use crate::log;
use crate::port::{Consistency, JobStore, StoreError, Write, Written};
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;

/// How often somebody else may be faster before the caller hears of it.
const TRIES: u32 = 8;

/// What became of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// There is no such row.
    Absent,
    /// The decision was to leave it as it is.
    Left(Box<Job>),
    /// It is written.
    Changed(Box<Job>),
}

/// Others kept writing the row.
#[derive(Debug, thiserror::Error)]
#[error("others kept writing the row")]
struct Contended;

/// Rewrites the row of `key`. `decide` makes the next state of the row as it was read, or `None` to
/// leave it; it may be asked several times.
pub async fn rewrite(
    jobs: &dyn JobStore,
    key: &JobKey,
    now: UnixMs,
    decide: impl FnMut(&Job) -> Option<Job> + Send,
) -> Result<Rewritten, StoreError> {
    match jobs.read(key, now, Consistency::Strong).await? {
        Some(job) => rewrite_from(jobs, job, decide).await,
        None => Ok(Rewritten::Absent),
    }
}

/// The same for a row that was read already.
pub async fn rewrite_from(
    jobs: &dyn JobStore,
    mut seen: Job,
    mut decide: impl FnMut(&Job) -> Option<Job> + Send,
) -> Result<Rewritten, StoreError> {
    for _ in 0..TRIES {
        let Some(next) = decide(&seen).filter(|next| next.rev != seen.rev) else {
            return Ok(Rewritten::Left(Box::new(seen)));
        };
        let write = Write::Replace {
            seen: &seen,
            next: &next,
        };
        match jobs.write(write).await? {
            Written::Done(job) => {
                if seen.state.phase() != job.state.phase() {
                    log::moved(seen.state.phase(), &job);
                }
                return Ok(Rewritten::Changed(job));
            }
            // Our own write, whose reply was lost and which was then repeated.
            Written::Refused(Some(current)) if *current == next => {
                return Ok(Rewritten::Changed(current));
            }
            Written::Refused(Some(current)) => seen = *current,
            Written::Refused(None) => return Ok(Rewritten::Absent),
        }
    }
    Err(StoreError::Unavailable(Box::new(Contended)))
}
