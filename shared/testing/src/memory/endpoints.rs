//! Counters and states of endpoints in memory.

use super::lock;
use async_trait::async_trait;
use ryla_domain::warm::{Endpoint, Minute, second_of};
use ryla_engine::port::{
    Arrivals, ENDS_PER_SHARD, End, EndpointState, EndpointStore, Endpoints, Measured, Pool, Second,
    StoreError, Tick, TickShard,
};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// One part of an endpoint's counters.
#[derive(Debug, Default)]
struct Part {
    seconds: BTreeMap<u8, Second>,
    ends: u32,
}

type Parts = BTreeMap<(Minute, Endpoint), BTreeMap<TickShard, Part>>;

/// Counters and states of endpoints in memory.
#[derive(Debug, Default)]
pub struct MemoryEndpointStore {
    parts: Mutex<Parts>,
    states: Mutex<BTreeMap<Endpoint, EndpointState>>,
    pool: Mutex<Option<Pool>>,
    adds: AtomicU64,
}

impl MemoryEndpointStore {
    /// How often something was added to the counters, or refused.
    pub fn adds(&self) -> u64 {
        self.adds.load(Ordering::Relaxed)
    }
}

fn add(measured: &mut Measured, other: Measured) {
    measured.count = measured.count.saturating_add(other.count);
    measured.sum.0 = measured.sum.0.saturating_add(other.sum.0);
}

#[async_trait]
impl EndpointStore for MemoryEndpointStore {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        self.adds.fetch_add(1, Ordering::Relaxed);
        let mut parts = lock(&self.parts);
        let parts = parts
            .entry((arrivals.minute, arrivals.endpoint.clone()))
            .or_default();
        let part = parts.entry(arrivals.shard).or_default();
        for (second, count) in &arrivals.seconds {
            part.seconds.entry(*second).or_default().arrivals += count;
        }
        Ok(())
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        self.adds.fetch_add(1, Ordering::Relaxed);
        let mut parts = lock(&self.parts);
        let parts = parts
            .entry((Minute::of(end.at), end.endpoint.clone()))
            .or_default();
        let part = parts.entry(end.shard).or_default();
        if part.ends >= ENDS_PER_SHARD {
            return Ok(false);
        }
        part.ends += 1;
        let second = part.seconds.entry(second_of(end.at)).or_default();
        let one = |sum| Measured { count: 1, sum };
        add(&mut second.ends, one(end.waited));
        add(&mut second.boots, end.boot.map(one).unwrap_or_default());
        add(
            &mut second.services,
            end.service.map(one).unwrap_or_default(),
        );
        Ok(true)
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        let parts = lock(&self.parts);
        let of_minute = parts.iter().filter(|((of, _), _)| *of == minute);
        let ticks = of_minute.map(|((_, endpoint), parts)| {
            let mut seconds: BTreeMap<u8, Second> = BTreeMap::new();
            for (at, counted) in parts.values().flat_map(|part| &part.seconds) {
                let second = seconds.entry(*at).or_default();
                second.arrivals += counted.arrivals;
                add(&mut second.ends, counted.ends);
                add(&mut second.boots, counted.boots);
                add(&mut second.services, counted.services);
            }
            Tick {
                endpoint: endpoint.clone(),
                seconds,
                full: TickShard::all().all(|shard| {
                    let part = parts.get(&shard);
                    part.is_some_and(|part| part.ends >= ENDS_PER_SHARD)
                }),
            }
        });
        Ok(ticks.collect())
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        Ok(Endpoints {
            states: lock(&self.states).values().cloned().collect(),
            pool: lock(&self.pool).clone(),
            unreadable: Vec::new(),
        })
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        let mut states = lock(&self.states);
        let there = states.get(&next.endpoint).map(|state| state.rev);
        if there == seen {
            states.insert(next.endpoint.clone(), next.clone());
        }
        Ok(there == seen)
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        let mut pool = lock(&self.pool);
        let there = pool.as_ref().map(|pool| pool.rev);
        if there == seen {
            *pool = Some(next.clone());
        }
        Ok(there == seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[tokio::test]
    async fn the_memory_endpoints_keep_the_contract() {
        contract::endpoints::all(&MemoryEndpointStore::default()).await;
    }
}
