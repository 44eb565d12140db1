//! The backend in memory keeps the contract, whatever it says that it can.

use super::{Course, End, FakeBackend};
use crate::contract::backend::{self, FAILURE, Gpus, LONG, Site, Sites};
use crate::memory::lock;
use crate::sample::CREATED_AT;
use crate::{ManualClock, MemoryImageStore};
use async_trait::async_trait;
use ryla_domain::id::{JobKey, Run};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::{Callback, Event};
use ryla_engine::port::{Backend, CallbackTarget, Capabilities, Clock, ImageStore};
use secrecy::SecretString;
use std::sync::{Arc, Mutex};

/// Backends in memory with these capabilities.
struct InMemory(Capabilities);

struct OneInMemory {
    clock: Arc<ManualClock>,
    images: Arc<MemoryImageStore>,
    backend: FakeBackend,
    said: Mutex<Vec<Callback>>,
}

#[async_trait]
impl Sites for InMemory {
    async fn open(&self, gpus: Gpus) -> Box<dyn Site> {
        let quick = Course {
            boot: Ms(0),
            run: Ms(10),
            beat: Ms::seconds(1),
            end: End::Picture,
            calls_back: self.0.calls_back,
        };
        let course = match gpus {
            Gpus::Quick => quick,
            Gpus::Slow => Course { run: LONG, ..quick },
            Gpus::Failing => Course {
                end: End::Fails(FAILURE),
                ..quick
            },
            // It has as many containers as runs: to be taken is to be away for as long.
            Gpus::Cold | Gpus::Taken => Course {
                boot: LONG,
                ..quick
            },
        };
        let clock = Arc::new(ManualClock::at(CREATED_AT));
        let shared = || Arc::clone(&clock) as Arc<dyn Clock>;
        let images = Arc::new(MemoryImageStore::new(shared()));
        let id = "preview".parse().unwrap();
        let bucket = Arc::clone(&images);
        Box::new(OneInMemory {
            backend: FakeBackend::new(id, self.0, course, shared(), bucket),
            images,
            clock,
            said: Mutex::default(),
        })
    }
}

#[async_trait]
impl Site for OneInMemory {
    fn backend(&self) -> &dyn Backend {
        &self.backend
    }

    fn images(&self) -> &dyn ImageStore {
        self.images.as_ref()
    }

    fn now(&self) -> UnixMs {
        self.clock.now()
    }

    async fn pass(&self, length: Ms) {
        self.clock.advance(length);
        let made = self.backend.work().await;
        lock(&self.said).extend(made);
    }

    fn callback(&self, run: &Run) -> CallbackTarget {
        CallbackTarget {
            url: format!("memory://callbacks/{run}"),
            kid: "k1".to_owned(),
            key: SecretString::default(),
        }
    }

    fn said(&self, run: &Run) -> Vec<Event> {
        let said = lock(&self.said);
        let of_run = said.iter().filter(|callback| callback.run == *run);
        of_run.map(|callback| callback.event.clone()).collect()
    }

    fn begun(&self, job: &JobKey) -> u32 {
        let runs = self.backend.runs();
        let begun = runs.iter().filter(|known| known.began_at.is_some());
        let of_job = begun.filter(|known| known.run.key == *job);
        u32::try_from(of_job.count()).unwrap()
    }
}

#[tokio::test]
async fn by_name_it_keeps_the_contract() {
    backend::all(&InMemory(FakeBackend::BY_NAME)).await;
}

#[tokio::test]
async fn by_handle_it_keeps_the_contract() {
    backend::all(&InMemory(FakeBackend::BY_HANDLE)).await;
}

#[tokio::test]
async fn mute_it_keeps_the_contract() {
    backend::all(&InMemory(Capabilities {
        calls_back: false,
        progress: false,
        ..FakeBackend::BY_NAME
    }))
    .await;
}
