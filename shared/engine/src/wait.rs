//! Holds a request until its job has ended or the time is up, with few reads: after 0.25, 0.5, 1, 2,
//! 2 ... s, at most 14, the last 300 ms before the limit.

use crate::port::{Clock, JobStore, StoreError};
use crate::read::found;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::model::Model;
use ryla_domain::time::Ms;
use std::sync::Arc;

/// The most reads of one wait.
pub const MAX_READS: u32 = 14;

/// How long before the limit the last read is made, so that the answer is out in time.
pub const LAST_BEFORE: Ms = Ms(300);

/// How long a model is expected to take, where that differs from what the model says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The run itself.
    pub run: Option<Ms>,
    /// The cold start of its class.
    pub cold_start: Option<Ms>,
}

impl Expected {
    /// Whether a job of that model may be done within `limit`: only then is a POST worth holding.
    pub fn fits(&self, model: &Model, limit: Ms) -> bool {
        let run = self.run.unwrap_or(Ms::seconds(u64::from(model.typical_s)));
        let cold = self
            .cold_start
            .unwrap_or(Ms::seconds(u64::from(model.cold_start_s)));
        run.0.saturating_add(cold.0) <= limit.0
    }
}

/// Waits for jobs to end.
#[derive(Clone)]
pub struct Wait {
    /// Where they are read.
    pub jobs: Arc<dyn JobStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Wait {
    /// The job once it has ended, or as it is `limit` after the call; `None` if it is gone.
    pub async fn until_ended(&self, key: &JobKey, limit: Ms) -> Result<Option<Job>, StoreError> {
        let until = self.clock.now() + Ms(limit.0.saturating_sub(LAST_BEFORE.0));
        for read in 1..=MAX_READS {
            let left = until.since(self.clock.now());
            self.clock.sleep(pause(read, left)).await;
            let now = self.clock.now();
            let job = found(self.jobs.as_ref(), key, now).await?;
            let ended = job
                .as_ref()
                .is_none_or(|job| job.state.phase().is_terminal());
            if ended || now >= until {
                return Ok(job);
            }
        }
        found(self.jobs.as_ref(), key, self.clock.now()).await
    }
}

/// The pause before read number `read` (from 1) with that much time left: the usual step, longer
/// where the reads would run out before the time does, never beyond the end.
fn pause(read: u32, left: Ms) -> Ms {
    let step = match read {
        1 => 250,
        2 => 500,
        3 => 1_000,
        _ => 2_000,
    };
    let reads_left = u64::from(MAX_READS - read) + 1;
    let spread = if read > 3 {
        left.0.div_ceil(reads_left)
    } else {
        0
    };
    let pause = Ms(left.0.min(spread.max(step)));
    // A rest too short for another read joins this pause, so that the last read is at the end.
    if left.0.saturating_sub(pause.0) < 250 {
        left
    } else {
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_of(limit_ms: u64) -> Vec<u64> {
        let until = limit_ms - LAST_BEFORE.0;
        let (mut at, mut reads) = (0, Vec::new());
        for read in 1..=MAX_READS {
            at += pause(read, Ms(until - at)).0;
            reads.push(at);
            if at >= until {
                break;
            }
        }
        reads
    }

    #[test]
    fn a_wait_reads_often_at_first_and_last_just_before_its_limit() {
        let behind_the_api = reads_of(25_000);
        assert_eq!(&behind_the_api[..3], [250, 750, 1_750]);
        let steps = behind_the_api[2..].windows(2).map(|two| two[1] - two[0]);
        assert!(steps.clone().all(|step| (1_950..2_100).contains(&step)));
        assert_eq!(steps.count(), 11);
        for limit in [1_000, 2_500, 25_000, 55_000] {
            let reads = reads_of(limit);
            assert!(reads.len() <= MAX_READS as usize, "{limit}: {reads:?}");
            assert_eq!(*reads.last().unwrap(), limit - 300, "{limit}");
        }
    }

    #[test]
    fn a_model_that_cannot_be_done_in_time_is_not_waited_for() {
        let model = ryla_domain::model::find("ryla", "flux-dev").unwrap();
        let cold = Ms::seconds(u64::from(model.typical_s + model.cold_start_s));
        assert!(Expected::default().fits(model, cold));
        assert!(!Expected::default().fits(model, Ms(cold.0 - 1)));
        let preview = Expected {
            run: Some(Ms(500)),
            cold_start: Some(Ms(0)),
        };
        assert!(preview.fits(model, Ms(500)));
    }
}
