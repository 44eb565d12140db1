//! The minute's tick of `warm`, on counters, clock and backends that a test holds in its hands.

mod capabilities;
mod figures;
mod leases;
mod minutes;
mod trouble;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use ryla_domain::id::BackendId;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Endpoint, Minute};
use ryla_engine::port::{
    Arrivals, Backend, Backends, Capabilities, Clock, End, EndpointState, EndpointStore, Endpoints,
    Lease, Pool, StoreError, Tick, TickShard, Unreadable, Warmth,
};
use ryla_engine::settings::Settings;
use ryla_engine::warm::{Tally, Warm};
use ryla_testing::backend::{Course, FakeBackend};
use ryla_testing::{ManualClock, MemoryEndpointStore, MemoryImageStore, SeededEntropy};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// The first minute of which something is counted; early in its UTC day.
const FIRST: Minute = Minute(30_000_000 - 30_000_000 % 1440 + 60);

/// A store that counts what is asked of it and lets others in.
#[derive(Default)]
pub(crate) struct Store {
    rows: MemoryEndpointStore,
    queries: AtomicU32,
    /// Runs just before the next write of a state.
    before_write: Mutex<Option<BoxFuture<'static, ()>>>,
    /// Keys of rows that nobody can read.
    unreadable: Mutex<Vec<String>>,
    /// What is written from now on is not.
    broken: Mutex<bool>,
    /// States cannot be read.
    unread: Mutex<bool>,
    /// Writes of states are carried out twice, as by a client that lost the first reply.
    repeats: Mutex<bool>,
}

#[async_trait]
impl EndpointStore for Store {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        self.rows.add_arrivals(arrivals).await
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        self.rows.add_end(end).await
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.rows.ticks(minute).await
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        if *self.unread.lock().unwrap() {
            return Err(StoreError::Unavailable("no table".into()));
        }
        let mut endpoints = self.rows.endpoints().await?;
        let hidden = self.unreadable.lock().unwrap().clone();
        let mut accounts = BTreeMap::new();
        endpoints.states.retain(|state| {
            let key = state.endpoint.to_string();
            let shown = !hidden.contains(&key);
            if !shown {
                accounts.insert(key, state.account.clone());
            }
            shown
        });
        endpoints.unreadable = hidden
            .into_iter()
            .map(|key| Unreadable {
                account: accounts.remove(&key),
                error: StoreError::Newer(2),
                key,
            })
            .collect();
        Ok(endpoints)
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        let before = self.before_write.lock().unwrap().take();
        if let Some(before) = before {
            before.await;
        }
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("no table".into()));
        }
        if *self.repeats.lock().unwrap() {
            self.rows.write_endpoint(seen, next).await?;
        }
        self.rows.write_endpoint(seen, next).await
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        self.rows.write_pool(seen, next).await
    }
}

/// One class, `flux`, on one backend or several.
pub(crate) struct Room {
    clock: Arc<ManualClock>,
    store: Arc<Store>,
    gpus: Vec<Arc<FakeBackend>>,
    settings: Arc<Settings>,
    entropy: Arc<SeededEntropy>,
}

impl Room {
    /// A backend that takes leases, and settings on top of a wait that is worth a quarter of a dollar.
    fn new(settings: &[(&str, &str)]) -> Self {
        Self::with(&[("modal", Warmth::Lease)], settings)
    }

    fn with(backends: &[(&str, Warmth)], settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::at(FIRST.begin()));
        let images = Arc::new(MemoryImageStore::new(clock.clone()));
        let gpus = backends.iter().map(|(name, warmth)| {
            let capabilities = Capabilities {
                warmth: *warmth,
                ..FakeBackend::BY_NAME
            };
            let id: BackendId = name.parse().unwrap();
            let (clock, images) = (clock.clone(), Arc::clone(&images));
            Arc::new(FakeBackend::new(
                id,
                capabilities,
                Course::USUAL,
                clock,
                images,
            ))
        });
        let secret = format!("k1:{}", "x".repeat(32));
        let usual = [("MASTER_SECRETS", &*secret), ("WARM_VALUE_USD", "0.25")];
        let vars = usual.iter().chain(settings);
        let vars = vars.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            store: Arc::default(),
            gpus: gpus.collect(),
            settings: Arc::new(Settings::from_vars(vars).unwrap()),
            entropy: Arc::new(SeededEntropy::new(3)),
            clock,
        }
    }

    fn gpu(&self) -> &FakeBackend {
        &self.gpus[0]
    }

    fn warm(&self) -> Warm {
        let backends = self.gpus.iter().map(|gpu| gpu.clone() as Arc<dyn Backend>);
        Warm {
            endpoints: self.store.clone(),
            clock: self.clock.clone(),
            entropy: Arc::clone(&self.entropy) as _,
            backends: Backends::new(backends.collect()),
            prices: self.settings.warm.unwrap(),
            settings: Arc::clone(&self.settings),
            spread: Warm::SPREAD,
        }
    }

    /// The tick that looks at that minute, 37 s into the next one.
    async fn tick(&self, minute: Minute) -> Tally {
        self.clock.set(minute.next().second(37));
        self.warm().run().await.unwrap()
    }

    fn endpoint_at(backend: &str) -> Endpoint {
        Endpoint {
            backend: backend.parse().unwrap(),
            class: "flux".parse().unwrap(),
        }
    }

    async fn arrive_at(&self, backend: &str, minute: Minute, seconds: &[u8]) {
        let mut arrivals = Arrivals {
            endpoint: Self::endpoint_at(backend),
            minute,
            shard: TickShard::of(1),
            seconds: BTreeMap::new(),
        };
        for second in seconds {
            *arrivals.seconds.entry(*second).or_default() += 1;
        }
        self.store.add_arrivals(&arrivals).await.unwrap();
    }

    async fn end_at(&self, backend: &str, at: UnixMs) -> bool {
        let end = End {
            endpoint: Self::endpoint_at(backend),
            at,
            shard: TickShard::of(1),
            waited: Ms(0),
            boot: None,
            service: Some(Ms::seconds(20)),
        };
        self.store.add_end(&end).await.unwrap()
    }

    /// Minutes with a request of 20 s at second 5 of each, and a tick after each of them.
    async fn busy_at(&self, backend: &str, from: Minute, minutes: i64) -> Vec<Tally> {
        let mut tallies = Vec::new();
        for minute in (from.0..from.0 + minutes).map(Minute) {
            self.arrive_at(backend, minute, &[5]).await;
            self.end_at(backend, minute.second(25)).await;
            tallies.push(self.tick(minute).await);
        }
        tallies
    }

    async fn busy(&self, from: Minute, minutes: i64) -> Vec<Tally> {
        self.busy_at("modal", from, minutes).await
    }

    async fn state_at(&self, backend: &str) -> EndpointState {
        let states = self.store.rows.endpoints().await.unwrap().states;
        let of = Self::endpoint_at(backend);
        states.into_iter().find(|one| one.endpoint == of).unwrap()
    }

    async fn state(&self) -> EndpointState {
        self.state_at("modal").await
    }

    fn last_lease(&self) -> Lease {
        self.gpu().leases().last().unwrap().clone()
    }

    /// What the last lease asks for the class.
    fn floor(&self) -> u32 {
        let lease = self.last_lease();
        lease.classes.values().next().unwrap().floor
    }
}

fn after(minutes: i64) -> Minute {
    Minute(FIRST.0 + minutes)
}
