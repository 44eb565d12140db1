//! The ports as a process sees them: those in memory, behind its tap.

use super::fault::Fate;
use super::tap::{Injected, Tap};
use crate::backend::FakeBackend;
use crate::{MemoryEndpointStore, MemoryImageStore, MemoryJobStore, MemoryQueue};
use async_trait::async_trait;
use ryla_domain::failure::Code;
use ryla_domain::id::{AccountId, BackendId, JobKey, Run, TraceId};
use ryla_domain::job::Job;
use ryla_domain::output::ObjectKey;
use ryla_domain::overdue::Answer;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::Minute;
use ryla_engine::port::{
    Arrivals, Backend, Cancelled, Capabilities, Consistency, Created, DueEntry, DueMove, DuePage,
    End, EndpointState, EndpointStore, Endpoints, Glimpse, ImageError, ImageStore, JobPage,
    JobStore, ListRange, Pool, Queue, QueueError, RunRequest, Shard, SignedPut, SignedUrl,
    StartOutcome, StoreError, Tick, Write, Written,
};
use std::sync::Arc;

/// How late a late message or callback is.
pub(super) const LATE: Ms = Ms::seconds(100);

/// A port behind a process's tap.
pub(super) struct Tapped<P> {
    pub(super) port: Arc<P>,
    pub(super) tap: Arc<Tap>,
}

fn never<T>(_: &T) -> bool {
    false
}

/// The table, and the table as it was some seconds ago.
pub(super) struct Table {
    pub(super) now: Arc<MemoryJobStore>,
    pub(super) before: Arc<MemoryJobStore>,
}

fn unavailable(injected: Injected) -> StoreError {
    if injected.throttled {
        return StoreError::Throttled(Box::new(injected));
    }
    StoreError::Unavailable(Box::new(injected))
}

fn no_bucket(injected: Injected) -> ImageError {
    ImageError::Unavailable(Box::new(injected))
}

#[async_trait]
impl JobStore for Tapped<Table> {
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError> {
        let call = self.port.now.create(job, now);
        let reply = self.tap.call("jobs.create", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        consistency: Consistency,
    ) -> Result<Option<Job>, StoreError> {
        let call = self.port.now.read(key, now, consistency);
        let reply = match consistency {
            Consistency::Strong => self.tap.call("jobs.read", call, never).await,
            Consistency::Eventual => {
                let before = self.port.before.read(key, now, consistency);
                let name = "jobs.read eventual";
                self.tap.read(name, call, Some(before), never).await
            }
        };
        reply.map_err(unavailable)?
    }

    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError> {
        let name = match &write {
            Write::Claim(..) => "jobs.write claim",
            Write::Start(..) => "jobs.write start",
            Write::Beat(..) => "jobs.write beat",
            Write::Replace { .. } => "jobs.write replace",
        };
        let reply = self.tap.call(name, self.port.now.write(write), never).await;
        reply.map_err(unavailable)?
    }

    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        let call = self.port.now.list(account, range, now);
        let before = self.port.before.list(account, range, now);
        let reply = self.tap.read("jobs.list", call, Some(before), never).await;
        reply.map_err(unavailable)?
    }

    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        let call = self.port.now.due(shard, until, from);
        let before = self.port.before.due(shard, until, from);
        let idle = |reply: &Result<DuePage, StoreError>| {
            reply.as_ref().is_ok_and(|page| page.entries.is_empty())
        };
        let reply = self.tap.read("jobs.due", call, Some(before), idle).await;
        reply.map_err(unavailable)?
    }

    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        let call = self.port.now.reschedule(entry, to);
        let reply = self.tap.call("jobs.reschedule", call, never).await;
        reply.map_err(unavailable)?
    }
}

#[async_trait]
impl EndpointStore for Tapped<MemoryEndpointStore> {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        let call = self.port.add_arrivals(arrivals);
        let reply = self.tap.call("endpoints.add_arrivals", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        let call = self.port.add_end(end);
        let reply = self.tap.call("endpoints.add_end", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        let call = self.port.ticks(minute);
        let reply = self.tap.call("endpoints.ticks", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        let call = self.port.endpoints();
        let reply = self.tap.call("endpoints.endpoints", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        let call = self.port.write_endpoint(seen, next);
        let reply = self.tap.call("endpoints.write_endpoint", call, never).await;
        reply.map_err(unavailable)?
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        let call = self.port.write_pool(seen, next);
        let reply = self.tap.call("endpoints.write_pool", call, never).await;
        reply.map_err(unavailable)?
    }
}

#[async_trait]
impl ImageStore for Tapped<MemoryImageStore> {
    async fn sign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        lifetime: Ms,
    ) -> Result<SignedPut, ImageError> {
        // Signing is arithmetic: it neither fails nor lets anybody else run.
        self.port.sign_put(key, content_type, lifetime).await
    }

    async fn sign_get(&self, key: &ObjectKey, lifetime: Ms) -> Result<SignedUrl, ImageError> {
        self.port.sign_get(key, lifetime).await
    }

    async fn glimpse(&self, key: &ObjectKey) -> Result<Option<Glimpse>, ImageError> {
        let call = self.port.glimpse(key);
        let reply = self.tap.call("images.glimpse", call, never).await;
        reply.map_err(no_bucket)?
    }

    async fn get(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
    ) -> Result<Option<(String, Vec<u8>)>, ImageError> {
        let call = ImageStore::get(self.port.as_ref(), key, max_bytes);
        let reply = self.tap.call("images.get", call, never).await;
        reply.map_err(no_bucket)?
    }

    async fn put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError> {
        let call = ImageStore::put(self.port.as_ref(), key, content_type, bytes);
        let reply = self.tap.call("images.put", call, never).await;
        reply.map_err(no_bucket)?
    }

    async fn delete(&self, keys: &[ObjectKey]) -> Result<(), ImageError> {
        let call = self.port.delete(keys);
        let reply = self.tap.call("images.delete", call, never).await;
        reply.map_err(no_bucket)?
    }
}

#[async_trait]
impl Queue for Tapped<MemoryQueue> {
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError> {
        let fate = self.tap.gate.message_fate();
        if let Some(fate) = fate {
            self.tap.gate.note(|| format!("message {fate:?}"));
        }
        let send = async {
            match fate {
                Some(Fate::Lost) => Ok(()),
                Some(Fate::Late) => self.port.send(body, Ms(delay.0 + LATE.0)).await,
                Some(Fate::Doubled) => {
                    self.port.send(body, delay).await?;
                    self.port.send(body, delay).await
                }
                Some(Fate::Reordered) => {
                    self.tap.gate.hold_back(body, delay);
                    Ok(())
                }
                _ => self.port.send(body, delay).await,
            }?;
            // What was held back comes behind this one.
            for (body, delay) in self.tap.gate.overtaken(body) {
                self.port.send(&body, Ms(delay.0 + 1)).await?;
            }
            Ok(())
        };
        let reply = self.tap.call("queue.send", send, never).await;
        reply.map_err(|injected| QueueError(Box::new(injected)))?
    }
}

#[async_trait]
impl Backend for Tapped<FakeBackend> {
    fn id(&self) -> &BackendId {
        self.port.id()
    }

    fn capabilities(&self) -> Capabilities {
        self.port.capabilities()
    }

    async fn start(&self, request: &RunRequest) -> StartOutcome {
        let call = self.port.start(request);
        match self.tap.call("backend.start", call, never).await {
            Ok(outcome) => outcome,
            Err(Injected {
                after_effect: true, ..
            }) => StartOutcome::Unknown,
            Err(Injected { throttled, .. }) => StartOutcome::Unavailable {
                code: Code::BackendUnreachable,
                retry_after: throttled.then_some(Ms::seconds(5)),
            },
        }
    }

    async fn check(&self, run: &Run, trace: &TraceId) -> Answer {
        let call = self.port.check(run, trace);
        let reply = self.tap.call("backend.check", call, never).await;
        reply.unwrap_or(Answer::Unreachable)
    }

    async fn cancel(&self, run: &Run, trace: &TraceId) -> Cancelled {
        let call = self.port.cancel(run, trace);
        let reply = self.tap.call("backend.cancel", call, never).await;
        reply.unwrap_or(Cancelled::Unreachable)
    }
}
