//! The table of jobs in memory. Judges every write by [`Expect`]; what is then written is the domain's
//! own move, or the store stops the test.

use super::lock;
use super::row::{Body, Part, Row};
use async_trait::async_trait;
use ryla_domain::id::{AccountId, JobKey};
use ryla_domain::job::{Due, Job};
use ryla_domain::time::UnixMs;
use ryla_engine::expect::{Expect, Guard};
use ryla_engine::port::{
    Consistency, Created, DueEntry, DueMove, DuePage, JobPage, JobStore, ListRange, Order, Shard,
    StoreError, Write, Written,
};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The table of jobs in memory, with rows that this build cannot read where a test plants some.
#[derive(Debug, Default)]
pub struct MemoryJobStore {
    rows: Mutex<BTreeMap<String, Row>>,
    calls: AtomicU64,
    without: Option<Guard>,
}

impl MemoryJobStore {
    /// Entries in a page of due entries.
    pub const DUE_PAGE: usize = 100;

    /// An empty table that forgets that fence: what `tests/fences` lets the simulation
    /// break on. Writes then happen as a table makes them, also where the domain has no such move.
    pub fn without(guard: Option<Guard>) -> Self {
        Self {
            without: guard,
            ..Self::default()
        }
    }

    /// How often a method of the port was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Plants a row that nobody can decode, due at that time.
    pub fn plant_garbage(&self, key: &JobKey, due_at: UnixMs) {
        lock(&self.rows).insert(raw_key(key), Row::garbage(key, due_at));
    }

    /// Plants a row of the next version that otherwise looks like this job.
    pub fn plant_newer(&self, job: &Job) {
        lock(&self.rows).insert(raw_key(&job.key), Row::newer(job));
    }

    /// Plants a row of this version that looks like this job, but for one value that this build does
    /// not know.
    pub fn plant_newer_value(&self, job: &Job, name: &str) {
        lock(&self.rows).insert(raw_key(&job.key), Row::newer_value(job, name));
    }

    /// Plants a due entry whose key names no job.
    pub fn plant_nameless(&self, shard: Shard, raw_key: &str, due_at: UnixMs) {
        let due = Due {
            at: due_at,
            tries: 0,
        };
        let row = Row {
            due: Some((Part::Of(shard), due)),
            ..Row::scrap()
        };
        lock(&self.rows).insert(raw_key.to_owned(), row);
    }

    /// Gives a row an attribute that this build does not know.
    pub fn plant_extra(&self, key: &JobKey, name: &str, text: &str) {
        if let Some(row) = lock(&self.rows).get_mut(&raw_key(key)) {
            row.extra.insert(name.to_owned(), text.to_owned());
        }
    }

    /// Lets a newer build take over a row that [`MemoryJobStore::plant_newer`] planted: from now on
    /// it is this job.
    pub fn upgrade(&self, job: &Job) {
        if let Some(row) = lock(&self.rows).get_mut(&raw_key(&job.key)) {
            row.set(job.clone());
        }
    }

    /// What stands in the rows of a newer build, by key.
    pub fn newer(&self) -> Vec<Job> {
        let rows = lock(&self.rows);
        let newer = rows
            .values()
            .filter(|row| matches!(row.body, Body::Newer(..)));
        newer.filter_map(Row::attributes).collect()
    }

    /// Everything that the table holds under a key, as text to compare.
    pub fn raw(&self, key: &JobKey) -> Option<BTreeMap<String, String>> {
        lock(&self.rows).get(&raw_key(key)).map(|row| {
            let mut raw = row.extra.clone();
            raw.insert("row".to_owned(), format!("{row:?}"));
            raw
        })
    }

    /// From now on this table holds what the other one holds now.
    pub(crate) fn become_copy_of(&self, other: &Self) {
        let rows = lock(&other.rows).clone();
        *lock(&self.rows) = rows;
    }

    /// Every job that can be read, by key: for checks at the end of a test.
    pub fn jobs(&self) -> Vec<Job> {
        let rows = lock(&self.rows);
        rows.values().filter_map(|row| row.decode().ok()).collect()
    }

    /// Raw keys of the rows in the part of the due index that raises an alarm.
    pub fn dead(&self) -> Vec<String> {
        let rows = lock(&self.rows);
        let dead = |row: &Row| matches!(row.due, Some((Part::Dead, _)));
        rows.iter()
            .filter(|(_, row)| dead(row))
            .map(|(raw_key, _)| raw_key.clone())
            .collect()
    }

    /// Whether nothing is left of what is expected.
    fn forgets(&self, expect: Expect) -> bool {
        expect.without(self.without).fences.is_empty()
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

fn raw_key(key: &JobKey) -> String {
    format!("JOB#{}#{}", key.account, key.id)
}

fn parsed_key(raw_key: &str) -> Option<JobKey> {
    let (account, id) = raw_key.strip_prefix("JOB#")?.split_once('#')?;
    Some(JobKey {
        account: account.parse().ok()?,
        id: id.parse().ok()?,
    })
}

/// What the fences allow, the domain must allow as well, and both must make the same row of it:
/// anything else is a bug in one of the two.
#[expect(
    clippy::panic,
    reason = "a fake that hides a contradiction is worse than a stopped test"
)]
fn agree(before: Job, write: &Write<'_>, after: &Job) {
    let moved = match write {
        Write::Claim(_, claim) => before.claim((*claim).clone()),
        Write::Start(_, start) => before.start((*start).clone()),
        Write::Beat(_, beat) => before.beat(beat),
        Write::Replace { .. } => return,
    };
    let moved = moved.unwrap_or_else(|illegal| {
        panic!("Expect allows {write:?}, the domain does not: {illegal}")
    });
    assert_eq!(moved, *after, "the row after {write:?}");
}

#[async_trait]
impl JobStore for MemoryJobStore {
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError> {
        self.count();
        let mut rows = lock(&self.rows);
        if let Some(row) = rows.get(&raw_key(&job.key))
            && !row.expired(now)
            && !self.forgets(Expect::absent(now))
        {
            return row.decode().map(|there| Created::Exists(Box::new(there)));
        }
        rows.insert(raw_key(&job.key), Row::of(job));
        Ok(Created::New)
    }

    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        _: Consistency,
    ) -> Result<Option<Job>, StoreError> {
        self.count();
        let rows = lock(&self.rows);
        let row = rows.get(&raw_key(key)).filter(|row| !row.expired(now));
        row.map(Row::decode).transpose()
    }

    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError> {
        self.count();
        let mut rows = lock(&self.rows);
        let Some(row) = rows.get_mut(&raw_key(write.key())) else {
            return Ok(Written::Refused(None));
        };
        if !row.holds(&write.expect().without(self.without)) {
            return Ok(Written::Refused(Some(Box::new(row.decode()?))));
        }
        let before = row.decode();
        row.apply(&write);
        let after = row.decode()?;
        if let (Ok(before), None) = (before, self.without) {
            agree(before, &write, &after);
        }
        Ok(Written::Done(Box::new(after)))
    }

    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        self.count();
        let rows = lock(&self.rows);
        let mut listed: Vec<_> = rows
            .values()
            .filter_map(|row| Some((row.listed.as_ref()?, row)))
            .filter(|((created_at, key), _)| {
                let place = (*created_at, &key.id);
                let behind = range
                    .after
                    .as_ref()
                    .is_none_or(|(at, id)| match range.order {
                        Order::Newest => place < (*at, id),
                        Order::Oldest => place > (*at, id),
                    });
                key.account == *account
                    && behind
                    && range.from.is_none_or(|from| *created_at >= from)
                    && range.until.is_none_or(|until| *created_at <= until)
            })
            .collect();
        listed.sort_by(|((at, key), _), ((other_at, other), _)| {
            let order = (at, &key.id).cmp(&(other_at, &other.id));
            match range.order {
                Order::Newest => order.reverse(),
                Order::Oldest => order,
            }
        });
        let mut jobs: Vec<Job> = listed
            .into_iter()
            .filter(|(_, row)| !row.expired(now))
            .filter_map(|(_, row)| row.decode().ok())
            .collect();
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        Ok(JobPage { jobs, more })
    }

    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        self.count();
        let from = from.map(|token| {
            let (at, raw_key) = token.split_once('|').unwrap_or((token, ""));
            (UnixMs(at.parse().unwrap_or(i64::MIN)), raw_key)
        });
        let rows = lock(&self.rows);
        let mut entries: Vec<DueEntry> = rows
            .iter()
            .filter_map(|(raw_key, row)| match row.due? {
                (Part::Of(part), due) if part == shard && due.at <= until => Some(DueEntry {
                    key: parsed_key(raw_key),
                    raw_key: raw_key.clone(),
                    due_at: due.at,
                    deadline_at: row.deadline_at,
                    tries: due.tries,
                }),
                _ => None,
            })
            .filter(|entry| from.is_none_or(|from| (entry.due_at, entry.raw_key.as_str()) > from))
            .collect();
        entries.sort_by(|a, b| (a.due_at, &a.raw_key).cmp(&(b.due_at, &b.raw_key)));
        let more = entries.len() > Self::DUE_PAGE;
        entries.truncate(Self::DUE_PAGE);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|last| format!("{}|{}", last.due_at, last.raw_key));
        Ok(DuePage { entries, next })
    }

    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        self.count();
        let mut rows = lock(&self.rows);
        // The row is not decoded: what is expected is judged by the entry alone.
        let seen =
            |row: &Row| matches!(row.due, Some((Part::Of(_), due)) if due.at == entry.due_at);
        let anyhow = self.forgets(Expect::due_at(entry.due_at));
        match rows.get_mut(&entry.raw_key) {
            Some(row) if anyhow || seen(row) => row.move_due(to),
            // An update without a condition makes a row.
            None if anyhow => {
                rows.insert(entry.raw_key.clone(), Row::scrap());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[async_trait]
impl crate::contract::jobs::Plant for MemoryJobStore {
    async fn newer(&self, job: &Job) {
        self.plant_newer(job);
    }

    async fn newer_value(&self, job: &Job, name: &str) {
        self.plant_newer_value(job, name);
    }

    async fn garbage(&self, key: &JobKey, due_at: UnixMs) {
        self.plant_garbage(key, due_at);
    }

    async fn nameless(&self, shard: Shard, raw_key: &str, due_at: UnixMs) {
        self.plant_nameless(shard, raw_key, due_at);
    }

    async fn extra(&self, key: &JobKey, name: &str, text: &str) {
        self.plant_extra(key, name, text);
    }

    async fn raw(&self, key: &JobKey) -> Option<BTreeMap<String, String>> {
        Self::raw(self, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[tokio::test]
    async fn the_memory_store_keeps_the_contract() {
        let store = MemoryJobStore::default();
        contract::jobs::all(&store, &store).await;
    }
}
