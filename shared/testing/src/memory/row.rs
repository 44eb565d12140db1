//! A row as the memory store keeps it: what any build can see of it, and what only a decoder can.

use super::effect;
use ryla_domain::V;
use ryla_domain::id::JobKey;
use ryla_domain::job::{Due, Job};
use ryla_domain::time::UnixMs;
use ryla_engine::expect::{Expect, Fence};
use ryla_engine::port::{DueMove, Shard, StoreError, Write};
use std::collections::BTreeMap;

/// Which part of the due index an entry stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Of(Shard),
    Dead,
}

/// What only a newer build reads in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Its version, so that no fence takes it for a row of ours.
    Version(u64),
    /// The value of that attribute: only a decoder sees it.
    Value(String),
}

/// What a decoder makes of a row.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Job(Box<Job>),
    /// Of a newer build, and what of a job stands in attributes that this build knows.
    Newer(Beyond, Box<Job>),
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
            listed: Some((job.created_at, job.key.clone())),
            ..Self::scrap()
        };
        row.set(job.clone());
        row
    }

    /// A row of the next version that looks like the job to whoever cannot read it.
    pub(super) fn newer(job: &Job) -> Self {
        Self {
            body: Body::Newer(Beyond::Version(u64::from(V) + 1), Box::new(job.clone())),
            ..Self::of(job)
        }
    }

    /// A row of this version in which that attribute has a value that this build does not know.
    pub(super) fn newer_value(job: &Job, name: &str) -> Self {
        Self {
            body: Body::Newer(Beyond::Value(name.to_owned()), Box::new(job.clone())),
            ..Self::of(job)
        }
    }

    /// A row that nobody can read, in the due index at that time.
    pub(super) fn garbage(key: &JobKey, due_at: UnixMs) -> Self {
        let due = Due {
            at: due_at,
            tries: 0,
        };
        Self {
            due: Some((Part::Of(Shard::of(key)), due)),
            listed: Some((due_at, key.clone())),
            ..Self::scrap()
        }
    }

    /// A row of which there is nothing but its key.
    pub(super) const fn scrap() -> Self {
        Self {
            body: Body::Garbage,
            due: None,
            deadline_at: None,
            expires_at: None,
            listed: None,
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
            Body::Job(job) => Ok(self.with_due(job)),
            Body::Newer(Beyond::Version(version), _) => Err(StoreError::Newer(*version)),
            Body::Newer(Beyond::Value(name), _) => Err(StoreError::NewerValue(name.clone())),
            Body::Garbage => Err(StoreError::Corrupt("phase".to_owned())),
        }
    }

    /// What stands in the attributes that this build knows, whether it may read them or not.
    pub(super) fn attributes(&self) -> Option<Job> {
        match &self.body {
            Body::Job(job) | Body::Newer(_, job) => Some(self.with_due(job)),
            Body::Garbage => None,
        }
    }

    fn with_due(&self, job: &Job) -> Job {
        Job {
            due: self.due.map(|(_, due)| due),
            ..job.clone()
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

    /// What the write does, whether or not anything holds that it expects. A row of a newer build
    /// stays one.
    pub(super) fn apply(&mut self, write: &Write<'_>) {
        let Some(here) = self.attributes() else {
            return;
        };
        let next = match write {
            Write::Claim(_, claim) => Some(effect::claimed(&here, claim)),
            Write::Start(_, start) => effect::started(&here, start),
            Write::Beat(_, beat) => Some(effect::beaten(&here, beat)),
            Write::Replace { seen, next } => Some(effect::replaced(&here, seen, next)),
        };
        let newer = match &self.body {
            Body::Newer(beyond, _) => Some(beyond.clone()),
            _ => None,
        };
        let Some(next) = next else {
            self.body = Body::Garbage;
            return;
        };
        self.set(next);
        if let (Some(beyond), Body::Job(job)) = (newer, &self.body) {
            self.body = Body::Newer(beyond, job.clone());
        }
    }

    /// What the move of a due entry does, whether or not the entry is there.
    pub(super) fn move_due(&mut self, to: DueMove) {
        match (&mut self.due, to) {
            (Some((_, due)), DueMove::Later { at, tries }) => *due = Due { at, tries },
            // A time alone makes no entry.
            (None, DueMove::Later { .. }) => {}
            (Some((part, _)), DueMove::Dead) => *part = Part::Dead,
            // Nor does a part alone, but a decoder looks for the time.
            (None, DueMove::Dead) => self.body = Body::Garbage,
        }
    }

    /// Whether what a write expects holds.
    pub(super) fn holds(&self, expect: &Expect) -> bool {
        let Some(job) = self.attributes() else {
            return false;
        };
        let readable = !matches!(self.body, Body::Newer(Beyond::Version(_), _));
        expect.fences.iter().all(|fence| match fence {
            Fence::Readable => readable,
            fence => fence.holds(Some(&job)),
        })
    }
}

/// Rows keep their end of life in whole seconds, as DynamoDB's TTL asks; rounded up, so that none
/// goes before its time.
fn whole_second(at: UnixMs) -> UnixMs {
    UnixMs::from_seconds((at + ryla_domain::time::Ms(999)).seconds())
}
