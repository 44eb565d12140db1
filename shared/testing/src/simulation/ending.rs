//! What a run left behind, for [`super::verdict`] and for whoever wants to see it.

use super::fault::Fault;
use super::scenario::Scenario;
use super::tap::Call;
use super::weather::Weather;
use crate::MemoryImageStore;
use crate::backend::GpuRun;
use ryla_domain::id::{BackendId, JobKey};
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use std::sync::Arc;

/// A job as it was seen from outside, after every step of every process.
#[derive(Clone, Debug)]
pub struct Known {
    /// As it was last.
    pub job: Job,
    /// When it was first seen to have ended.
    pub ended_seen_at: Option<UnixMs>,
}

/// How a run ended.
pub struct Ending {
    /// What was played, and with what.
    pub scenario: Scenario,
    /// What was to go wrong.
    pub weather: Weather,
    /// A process had a clock that was ahead by more than a second.
    pub ahead: bool,
    /// A process had a clock that was behind by more than a second.
    pub behind: bool,
    /// A sweep did not come when it should have.
    pub no_sweep: bool,
    /// The seed.
    pub seed: u64,
    /// Every port call and event with its time.
    pub trace: Vec<String>,
    /// Every port call.
    pub calls: Vec<Call>,
    /// Messages that were sent.
    pub messages: usize,
    /// Callbacks that workers made.
    pub callbacks: usize,
    /// The faults that found their place.
    pub hit: Vec<Fault>,
    /// Every job.
    pub jobs: Vec<Known>,
    /// The job that each client was told of.
    pub told: Vec<Option<JobKey>>,
    /// Every run with its backend.
    pub runs: Vec<(BackendId, GpuRun)>,
    /// The bucket.
    pub images: Arc<MemoryImageStore>,
    /// Messages that nobody could get rid of.
    pub left_in_queue: usize,
    /// What was seen to be wrong on the way.
    pub seen_wrong: Vec<String>,
}
