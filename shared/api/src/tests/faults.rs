//! The ports in memory, failing where a test says so.

use async_trait::async_trait;
use ryla_domain::id::{AccountId, JobKey};
use ryla_domain::job::Job;
use ryla_domain::output::ObjectKey;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::Minute;
use ryla_engine::port::{
    Account, AccountStore, Arrivals, Consistency, Created, DueEntry, DueMove, DuePage, End,
    EndpointState, EndpointStore, Endpoints, Glimpse, ImageError, ImageStore, JobPage, JobStore,
    KeyHash, ListRange, Pool, Queue, QueueError, Shard, SignedPut, SignedUrl, StoreError, Tick,
    Write, Written,
};
use ryla_testing::{
    MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore, MemoryQueue,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which calls fail.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Every call to the table of jobs is throttled.
    pub(super) jobs: AtomicBool,
    /// Every read of a job fails.
    pub(super) reads: AtomicBool,
    /// Every look-up of a key is throttled.
    pub(super) accounts: AtomicBool,
    /// Every read of what is kept warm is throttled.
    pub(super) endpoints: AtomicBool,
    /// Every read of an object fails.
    pub(super) images: AtomicBool,
    /// The reply to every put of an object is lost: it is there, and the put, repeated, says so.
    pub(super) put_replies: AtomicBool,
    /// Every message is refused.
    pub(super) queue: AtomicBool,
}

/// What an adapter's own error might say, to be found in the log and nowhere else.
pub(super) const INSIDE: &str = "ProvisionedThroughputExceeded on ryla-table-1234";

/// Switches a fault on.
pub(super) fn on(fault: &AtomicBool) {
    fault.store(true, Ordering::SeqCst);
}

/// Switches a fault off.
pub(super) fn off(fault: &AtomicBool) {
    fault.store(false, Ordering::SeqCst);
}

fn throttled(fault: &AtomicBool) -> Result<(), StoreError> {
    if fault.load(Ordering::SeqCst) {
        return Err(StoreError::Throttled(INSIDE.into()));
    }
    Ok(())
}

pub(super) struct FaultyJobs(pub(super) Arc<MemoryJobStore>, pub(super) Arc<Faults>);

#[async_trait]
impl JobStore for FaultyJobs {
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError> {
        throttled(&self.1.jobs)?;
        self.0.create(job, now).await
    }

    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        consistency: Consistency,
    ) -> Result<Option<Job>, StoreError> {
        throttled(&self.1.jobs)?;
        throttled(&self.1.reads)?;
        self.0.read(key, now, consistency).await
    }

    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError> {
        throttled(&self.1.jobs)?;
        self.0.write(write).await
    }

    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        throttled(&self.1.jobs)?;
        self.0.list(account, range, now).await
    }

    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        self.0.due(shard, until, from).await
    }

    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        self.0.reschedule(entry, to).await
    }
}

pub(super) struct FaultyAccounts(pub(super) Arc<MemoryAccountStore>, pub(super) Arc<Faults>);

#[async_trait]
impl AccountStore for FaultyAccounts {
    async fn holder(&self, key: &KeyHash) -> Result<Option<Account>, StoreError> {
        throttled(&self.1.accounts)?;
        self.0.holder(key).await
    }

    async fn add_key(&self, key: &KeyHash, account: &Account) -> Result<(), StoreError> {
        self.0.add_key(key, account).await
    }
}

pub(super) struct FaultyImages(pub(super) Arc<MemoryImageStore>, pub(super) Arc<Faults>);

#[async_trait]
impl ImageStore for FaultyImages {
    async fn sign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        lifetime: Ms,
    ) -> Result<SignedPut, ImageError> {
        self.0.sign_put(key, content_type, lifetime).await
    }

    async fn sign_get(&self, key: &ObjectKey, lifetime: Ms) -> Result<SignedUrl, ImageError> {
        self.0.sign_get(key, lifetime).await
    }

    async fn glimpse(&self, key: &ObjectKey) -> Result<Option<Glimpse>, ImageError> {
        self.0.glimpse(key).await
    }

    async fn get(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
    ) -> Result<Option<(String, Vec<u8>)>, ImageError> {
        if self.1.images.load(Ordering::SeqCst) {
            return Err(ImageError::Unavailable(INSIDE.into()));
        }
        ImageStore::get(self.0.as_ref(), key, max_bytes).await
    }

    async fn put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError> {
        ImageStore::put(self.0.as_ref(), key, content_type, bytes).await?;
        if self.1.put_replies.load(Ordering::SeqCst) {
            return Err(ImageError::Exists);
        }
        Ok(())
    }

    async fn delete(&self, keys: &[ObjectKey]) -> Result<(), ImageError> {
        self.0.delete(keys).await
    }
}

pub(super) struct FaultyQueue(pub(super) Arc<MemoryQueue>, pub(super) Arc<Faults>);

#[async_trait]
impl Queue for FaultyQueue {
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError> {
        if self.1.queue.load(Ordering::SeqCst) {
            return Err(QueueError(INSIDE.into()));
        }
        self.0.send(body, delay).await
    }
}

pub(super) struct FaultyEndpoints(pub(super) Arc<MemoryEndpointStore>, pub(super) Arc<Faults>);

#[async_trait]
impl EndpointStore for FaultyEndpoints {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        self.0.add_arrivals(arrivals).await
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        self.0.add_end(end).await
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        self.0.ticks(minute).await
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        throttled(&self.1.endpoints)?;
        self.0.endpoints().await
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        self.0.write_endpoint(seen, next).await
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        self.0.write_pool(seen, next).await
    }
}
