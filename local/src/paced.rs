//! What stands between the stack and what is kept warm where containers live on a faster clock than jobs:
//! counters are stamped by that clock, and leases can be left untaken. On the machine's own pace both pass
//! everything through.

use crate::clock::FastClock;
use async_trait::async_trait;
use ryla_domain::id::{BackendId, Run, TraceId};
use ryla_domain::overdue::Answer;
use ryla_domain::warm::{Minute, second_of};
use ryla_engine::port::{
    Arrivals, Backend, Cancelled, Capabilities, Clock as _, End, EndpointState, EndpointStore,
    Endpoints, Pool, RunRequest, StartOutcome, StoreError, Tick, TickShard, Warmth,
};
use std::sync::Arc;
use tokio::sync::RwLock;

/// Counters by the containers' clock. Whoever counts goes by the machine's, one second of which is a
/// minute here: so what is counted is stamped when it arrives, and measured times are stretched.
pub(crate) struct PacedEndpoints {
    inner: Arc<dyn EndpointStore>,
    clock: FastClock,
    /// The most containers of a class, where it is known before a lease says it.
    most: Option<u32>,
    /// Held for reading from a count's stamp to its write, and for writing before a minute is read: a
    /// minute is short here, and is folded once.
    counting: RwLock<()>,
}

impl PacedEndpoints {
    pub(crate) fn new(inner: Arc<dyn EndpointStore>, clock: FastClock, most: Option<u32>) -> Self {
        Self {
            inner,
            clock,
            most,
            counting: RwLock::default(),
        }
    }
}

#[async_trait]
impl EndpointStore for PacedEndpoints {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        let _stamped = self.counting.read().await;
        let now = self.clock.now();
        let count = arrivals.seconds.values().sum();
        let stamped = Arrivals {
            minute: Minute::of(now),
            seconds: [(second_of(now), count)].into(),
            ..arrivals.clone()
        };
        self.inner.add_arrivals(&stamped).await
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        let _stamped = self.counting.read().await;
        let mut stamped = End {
            at: self.clock.now(),
            waited: self.clock.shown(end.waited),
            boot: end.boot.map(|boot| self.clock.shown(boot)),
            service: end.service.map(|service| self.clock.shown(service)),
            ..end.clone()
        };
        for _ in TickShard::all() {
            if self.inner.add_end(&stamped).await? {
                return Ok(true);
            }
            stamped.shard = stamped.shard.next();
        }
        // Told that a part is full, the counting side would leave it out for a minute of its own clock.
        Ok(true)
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        // What was stamped in a minute that is over has been written; what comes now is stamped later.
        drop(self.counting.write().await);
        self.inner.ticks(minute).await
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        let mut endpoints = self.inner.endpoints().await?;
        for state in &mut endpoints.states {
            state.most = state.most.or(self.most);
        }
        Ok(endpoints)
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        self.inner.write_endpoint(seen, next).await
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        self.inner.write_pool(seen, next).await
    }
}

/// A backend at which nothing is held: `warm` only counts there.
pub(crate) struct Unheld(pub(crate) Arc<dyn Backend>);

#[async_trait]
impl Backend for Unheld {
    fn id(&self) -> &BackendId {
        self.0.id()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            warmth: Warmth::Nothing,
            ..self.0.capabilities()
        }
    }

    async fn start(&self, request: &RunRequest) -> StartOutcome {
        self.0.start(request).await
    }

    async fn check(&self, run: &Run, trace: &TraceId) -> Answer {
        self.0.check(run, trace).await
    }

    async fn cancel(&self, run: &Run, trace: &TraceId) -> Cancelled {
        self.0.cancel(run, trace).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::time::{Ms, UnixMs};
    use ryla_domain::warm::{Account, Deployed, Endpoint, History, Terms};
    use ryla_testing::MemoryEndpointStore;

    fn endpoint() -> Endpoint {
        Endpoint {
            backend: "preview".parse().unwrap(),
            class: "flux".parse().unwrap(),
        }
    }

    fn paced(speed: f64) -> (PacedEndpoints, Arc<MemoryEndpointStore>) {
        let inner = Arc::new(MemoryEndpointStore::default());
        let begun = UnixMs(1_800_000_030_000);
        let store = Arc::clone(&inner) as Arc<dyn EndpointStore>;
        let paced = PacedEndpoints::new(store, FastClock::beginning(begun, speed), Some(3));
        (paced, inner)
    }

    #[tokio::test]
    async fn a_minute_is_read_only_when_what_was_stamped_in_it_has_been_written() {
        let (paced, _) = paced(240.0);
        let stamped = paced.counting.read().await;
        let minute = Minute::of(paced.clock.now());
        let mut reading = std::pin::pin!(paced.ticks(minute));
        let early = tokio::time::timeout(std::time::Duration::from_millis(50), &mut reading).await;
        assert!(early.is_err(), "a write is under way");
        drop(stamped);
        assert_eq!(reading.await.unwrap(), []);
    }

    #[tokio::test]
    async fn counts_are_stamped_by_the_containers_clock_and_times_are_stretched() {
        let (paced, inner) = paced(10.0);
        let shard = TickShard::of(0);
        let machine = Minute(1);
        let arrivals = Arrivals {
            endpoint: endpoint(),
            minute: machine,
            shard,
            seconds: [(3, 2), (4, 1)].into(),
        };
        paced.add_arrivals(&arrivals).await.unwrap();
        let end = End {
            endpoint: endpoint(),
            at: machine.begin(),
            shard,
            waited: Ms(4_500),
            boot: Some(Ms(4_500)),
            service: None,
        };
        assert!(paced.add_end(&end).await.unwrap());
        assert_eq!(inner.ticks(machine).await.unwrap(), []);
        let tick = &inner.ticks(Minute::of(paced.clock.now())).await.unwrap()[0];
        let seconds = tick.seconds.values();
        let all = seconds.fold((0, Ms(0), Ms(0)), |(arrivals, waits, boots), second| {
            (
                arrivals + second.arrivals,
                Ms(waits.0 + second.ends.sum.0),
                Ms(boots.0 + second.boots.sum.0),
            )
        });
        assert_eq!(all, (3, Ms(45_000), Ms(45_000)));
    }

    #[tokio::test]
    async fn the_most_containers_are_known_unless_a_lease_has_said_otherwise() {
        let (paced, inner) = paced(1.0);
        let now = UnixMs(1_800_000_000_000);
        let terms = Terms::new(0.0005, 0.05, 45.0, 20.0).unwrap();
        let deployed = Deployed {
            window_s: 60.0,
            max: 3,
            usd_per_s: 0.0005,
        };
        for (class, told) in [("flux", None), ("sdxl", Some(1))] {
            let state = EndpointState {
                endpoint: Endpoint {
                    class: class.parse().unwrap(),
                    ..endpoint()
                },
                rev: 1,
                next: Minute::of(now),
                history: History::new(terms, 60.0, 0.25, now),
                account: Account::new(deployed, now),
                in_flight: 0,
                floor: 0,
                window: Ms::seconds(60),
                lease_until: None,
                most: told,
                touched_at: None,
                reason: String::new(),
                writer: None,
            };
            assert!(inner.write_endpoint(None, &state).await.unwrap());
        }
        let states = paced.endpoints().await.unwrap().states;
        let known: Vec<Option<u32>> = states.iter().map(|state| state.most).collect();
        assert_eq!(known, [Some(3), Some(1)]);
    }

    #[tokio::test]
    async fn an_end_that_finds_its_part_full_goes_to_another_and_is_never_told_so() {
        let (paced, inner) = paced(1.0);
        for _ in 0..30 {
            let end = End {
                endpoint: endpoint(),
                at: UnixMs(0),
                shard: TickShard::of(1),
                waited: Ms(0),
                boot: None,
                service: None,
            };
            assert!(paced.add_end(&end).await.unwrap());
        }
        let tick = &inner.ticks(Minute::of(paced.clock.now())).await.unwrap()[0];
        let ends: u32 = tick.seconds.values().map(|second| second.ends.count).sum();
        assert_eq!((ends, tick.full), (20, true));
    }
}
