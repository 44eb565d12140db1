//! A row as the memory store keeps it: what any build can see of it, and what only a decoder can.

use ryla_domain::V;
use ryla_domain::id::JobKey;
use ryla_domain::job::{Due, Job};
use ryla_domain::time::UnixMs;
use ryla_engine::expect::Expect;
use ryla_engine::port::{Shard, StoreError};
use std::collections::BTreeMap;

/// Which part of the due index an entry stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Of(Shard),
    Dead,
}

/// What a decoder makes of a row.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Job(Box<Job>),
    /// Of a newer build: version, and a job that only that build may read.
    Newer(u64),
    Garbage,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) body: Body,
    /// The entry of the due index.
    pub(super) due: Option<(Part, Due)>,
    pub(super) deadline_at: Option<UnixMs>,
    pub(super) expires_at: Option<UnixMs>,
    /// The entry of the index by account; `None` where there is none.
    pub(super) listed: Option<(UnixMs, JobKey)>,
    /// Attributes that this build does not know.
    pub(super) extra: BTreeMap<String, String>,
}

impl Row {
    pub(super) fn of(job: &Job) -> Self {
        let mut row = Self {
            body: Body::Garbage,
            due: None,
            deadline_at: None,
            expires_at: None,
            listed: Some((job.created_at, job.key.clone())),
            extra: BTreeMap::new(),
        };
        row.set(job.clone());
        row
    }

    /// A row of the next version that looks like the job to whoever cannot read it.
    pub(super) fn newer(job: &Job) -> Self {
        Self {
            body: Body::Newer(u64::from(V) + 1),
            ..Self::of(job)
        }
    }

    /// A row that nobody can read, in the due index at that time.
    pub(super) fn garbage(key: &JobKey, due_at: UnixMs) -> Self {
        Self {
            body: Body::Garbage,
            due: Some((
                Part::Of(Shard::of(key)),
                Due {
                    at: due_at,
                    tries: 0,
                },
            )),
            deadline_at: None,
            expires_at: None,
            listed: Some((due_at, key.clone())),
            extra: BTreeMap::new(),
        }
    }

    /// Whether it counts as absent.
    pub(super) fn expired(&self, now: UnixMs) -> bool {
        self.expires_at.is_some_and(|at| at < now)
    }

    /// The job, if this build can read it.
    pub(super) fn decode(&self) -> Result<Job, StoreError> {
        match &self.body {
            Body::Job(job) => Ok(Job {
                due: self.due.map(|(_, due)| due),
                ..job.as_ref().clone()
            }),
            Body::Newer(version) => Err(StoreError::Newer(*version)),
            Body::Garbage => Err(StoreError::Corrupt("phase".to_owned())),
        }
    }

    /// The job as it shall be. The part of the due index that an entry stands in stays, and so do
    /// the attributes that this build does not know.
    pub(super) fn set(&mut self, job: Job) {
        let part = self
            .due
            .map_or(Part::Of(Shard::of(&job.key)), |(part, _)| part);
        self.due = job.due.map(|due| (part, due));
        self.deadline_at = Some(job.deadline.at);
        self.expires_at = Some(whole_second(job.expires_at));
        let expires_at = whole_second(job.expires_at);
        self.body = Body::Job(Box::new(Job { expires_at, ..job }));
    }

    /// Writes what differs between `seen` and `next`: a due entry that was moved after `seen` was
    /// read, and that `next` leaves alone, stays where it is.
    pub(super) fn replace(&mut self, seen: &Job, next: &Job) {
        let merged = match (self.due, seen.due, next.due) {
            (Some((_, here)), Some(seen), Some(next)) => Some(Due {
                at: if seen.at == next.at { here.at } else { next.at },
                tries: if seen.tries == next.tries {
                    here.tries
                } else {
                    next.tries
                },
            }),
            (_, _, next) => next,
        };
        self.set(Job {
            due: merged,
            ..next.clone()
        });
    }

    /// Whether what a write of a readable row expects holds.
    pub(super) fn holds(&self, expect: &Expect) -> Result<bool, StoreError> {
        self.decode().map(|job| expect.holds(Some(&job)))
    }
}

/// Rows keep their end of life in whole seconds, as DynamoDB's TTL asks; rounded up, so that none
/// goes before its time.
fn whole_second(at: UnixMs) -> UnixMs {
    UnixMs::from_seconds((at + ryla_domain::time::Ms(999)).seconds())
}
