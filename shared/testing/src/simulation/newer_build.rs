//! A newer build that takes every row over for a while, as in a deployment that goes out and comes
//! back: this build shall leave its rows alone, and go on with them afterwards.

use crate::MemoryJobStore;
use crate::sample::CREATED_AT;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};

/// The newer build of a run.
pub(super) struct NewerBuild {
    comes_at: Option<UnixMs>,
    goes_at: Option<UnixMs>,
    /// The rows as it wrote them.
    wrote: Vec<Job>,
}

impl NewerBuild {
    pub(super) fn new(while_there: Option<(Ms, Ms)>) -> Self {
        Self {
            comes_at: while_there.map(|(from, _)| CREATED_AT + from),
            goes_at: while_there.map(|(_, until)| CREATED_AT + until),
            wrote: Vec::new(),
        }
    }

    /// When it comes or goes next.
    pub(super) fn next_at(&self) -> Option<UnixMs> {
        self.comes_at.or(self.goes_at)
    }

    /// Comes or goes, if it is time; says what somebody else did to its rows.
    pub(super) fn act(&mut self, now: UnixMs, jobs: &MemoryJobStore) -> Vec<String> {
        if self.comes_at.is_some_and(|at| at <= now) {
            self.comes_at = None;
            self.wrote = jobs.jobs().into_iter().map(written).collect();
            for job in &self.wrote {
                jobs.plant_newer(job);
            }
        }
        if self.comes_at.is_some() || self.goes_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.goes_at = None;
        let mut wrong = Vec::new();
        for job in jobs.newer() {
            let wrote = self.wrote.iter().find(|wrote| wrote.key == job.key);
            // A sweep leases what it cannot read.
            let as_it_was = |wrote: &Job| {
                let due = job.due;
                Job {
                    due,
                    ..wrote.clone()
                } == job
            };
            if !wrote.is_some_and(as_it_was) {
                wrong.push(format!("{}: a newer build's row was written", job.key));
            }
            jobs.upgrade(&written(job));
        }
        wrong
    }
}

fn written(mut job: Job) -> Job {
    job.rev += 1;
    job
}
