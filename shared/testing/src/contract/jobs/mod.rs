//! What every [`JobStore`] does, case by case. `tests/fences` takes the conditions of the writes away one
//! by one and wants a case to fail each time.

/// Cases by the names of their functions; `planted` ones also need rows that no port can write.
macro_rules! cases {
    (planted: $($case:ident),+ $(,)?) => {
        vec![$(Case {
            name: stringify!($case),
            run: |store, plant| Box::pin($case(store, plant)),
        }),+]
    };
    ($($case:ident),+ $(,)?) => {
        vec![$(Case {
            name: stringify!($case),
            run: |store, _| Box::pin($case(store)),
        }),+]
    };
}

mod create;
mod due;
mod events;
mod fences;
mod list;
mod races;
mod replace;
mod rows;
mod unreadable;

use super::fresh;
use crate::sample::{JobBuilder, a_job};
use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use ryla_engine::port::{
    Consistency, Created, DueEntry, JobStore, Shard, StoreError, Write, Written,
};
use std::collections::BTreeMap;

/// Writes to a table what only other builds, or accidents, write.
#[async_trait]
pub trait Plant: Send + Sync {
    /// A row of version `V + 1` that otherwise looks like this job.
    async fn newer(&self, job: &Job);
    /// A row of this version that otherwise looks like this job, with a name in that attribute, one of a
    /// closed set, that this build does not know.
    async fn newer_value(&self, job: &Job, name: &str);
    /// A row of this version that cannot be decoded, listed and due at that time.
    async fn garbage(&self, key: &JobKey, due_at: UnixMs);
    /// A due entry in that shard whose partition key names no job.
    async fn nameless(&self, shard: Shard, raw_key: &str, due_at: UnixMs);
    /// Adds a text attribute that this build does not know to a row.
    async fn extra(&self, key: &JobKey, name: &str, text: &str);
    /// Everything that the table holds under a key, as text to compare.
    async fn raw(&self, key: &JobKey) -> Option<BTreeMap<String, String>>;
}

/// One sentence of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The sentence, as the name of its function.
    pub name: &'static str,
    run: for<'t> fn(&'t dyn JobStore, &'t dyn Plant) -> LocalBoxFuture<'t, ()>,
}

impl Case {
    /// Holds the table to it; panics where it does not keep it.
    pub async fn run(&self, store: &dyn JobStore, plant: &dyn Plant) {
        (self.run)(store, plant).await;
    }
}

/// The whole contract.
pub fn cases() -> Vec<Case> {
    [
        create::cases(),
        rows::cases(),
        events::cases(),
        fences::cases(),
        races::cases(),
        replace::cases(),
        due::cases(),
        list::cases(),
        unreadable::cases(),
    ]
    .concat()
}

/// Holds the table to the whole contract.
pub async fn all(store: &dyn JobStore, plant: &dyn Plant) {
    for case in cases() {
        case.run(store, plant).await;
    }
}

/// A sample job of an account that no other case uses.
fn fresh_job(case: &str) -> JobBuilder {
    a_job().account(&fresh(case))
}

/// Puts the job into the table as it is.
async fn put(store: &dyn JobStore, job: &Job) {
    let created = store.create(job, job.created_at).await.unwrap();
    assert_eq!(created, Created::New, "create of {}", job.key);
}

/// The row as every later reader sees it.
async fn stored(store: &dyn JobStore, key: &JobKey) -> Option<Job> {
    let read = store.read(key, UnixMs(0), Consistency::Strong).await;
    read.unwrap()
}

/// Makes a write that must happen and checks that its reply is the row.
async fn done(store: &dyn JobStore, write: Write<'_>) -> Job {
    let key = write.key().clone();
    let text = format!("{write:?}");
    match store.write(write).await.unwrap() {
        Written::Done(job) => {
            assert_eq!(
                stored(store, &key).await.as_ref(),
                Some(&*job),
                "row after {text}"
            );
            *job
        }
        Written::Refused(row) => panic!("{text} was refused by {row:?}"),
    }
}

/// Makes a write that must not happen, and checks that the row is handed back and is as it was.
async fn refused(store: &dyn JobStore, write: Write<'_>, row: &Job) {
    let text = format!("{write:?}");
    match store.write(write).await.unwrap() {
        Written::Refused(Some(there)) => assert_eq!(*there, *row, "row that refuses {text}"),
        other => panic!("{text} must be refused with the row, not {other:?}"),
    }
    assert_eq!(
        stored(store, &row.key).await.as_ref(),
        Some(row),
        "row after a refused {text}"
    );
}

/// All entries of a shard that are due at `until`, over all pages; checks that they come in order.
async fn due_entries(store: &dyn JobStore, shard: Shard, until: UnixMs) -> Vec<DueEntry> {
    let mut entries: Vec<DueEntry> = Vec::new();
    let mut from = None;
    loop {
        let page = store.due(shard, until, from.as_deref()).await.unwrap();
        entries.extend(page.entries);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert!(
        entries.is_sorted_by_key(|entry| entry.due_at),
        "due entries come oldest first"
    );
    entries
}

/// The due entry of that job at `until`, if it has one.
async fn due_entry(store: &dyn JobStore, key: &JobKey, until: UnixMs) -> Option<DueEntry> {
    let mut found: Vec<DueEntry> = due_entries(store, Shard::of(key), until)
        .await
        .into_iter()
        .filter(|entry| entry.key.as_ref() == Some(key))
        .collect();
    assert!(
        found.len() <= 1,
        "a job has one due entry at most: {found:?}"
    );
    found.pop()
}

fn is_newer<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Newer(v)) if *v == u64::from(ryla_domain::V) + 1)
}

fn is_newer_value<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NewerValue(name)) if name == "format")
}

fn is_corrupt<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt(_)))
}
