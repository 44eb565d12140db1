//! What every [`EndpointStore`] does.

use super::fresh;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{
    Account, Calibration, Deployed, Endpoint, History, Minute, Terms, second_of,
};
use ryla_engine::port::{
    Arrivals, ENDS_PER_SHARD, End, EndpointState, EndpointStore, Measured, Pool, Second, Tick,
    TickShard,
};
use std::collections::BTreeMap;

/// The whole contract.
pub async fn all(store: &dyn EndpointStore) {
    arrivals_of_all_parts_are_added_up_by_second(store).await;
    an_end_adds_its_times_to_its_second(store).await;
    a_part_takes_so_many_ends_and_no_more(store).await;
    a_minute_knows_its_own_counters_alone(store).await;
    a_state_is_written_on_the_revision_that_was_seen(store).await;
    every_field_of_a_state_comes_back(store).await;
    what_all_share_is_written_on_its_revision_as_well(store).await;
}

fn endpoint(class: &str) -> Endpoint {
    Endpoint {
        backend: "modal".parse().unwrap(),
        class: fresh(class).parse().unwrap(),
    }
}

/// A minute in which nothing else happens.
fn minute() -> Minute {
    let hash = fresh("").bytes().fold(7_i64, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(i64::from(byte))
    });
    Minute(hash.rem_euclid(10_000_000))
}

fn arrivals(endpoint: &Endpoint, minute: Minute, part: u8, seconds: &[(u8, u32)]) -> Arrivals {
    Arrivals {
        endpoint: endpoint.clone(),
        minute,
        shard: TickShard::of(part),
        seconds: seconds.iter().copied().collect(),
    }
}

fn end(endpoint: &Endpoint, at: UnixMs, part: u8) -> End {
    End {
        endpoint: endpoint.clone(),
        at,
        shard: TickShard::of(part),
        waited: Ms(0),
        boot: None,
        service: None,
    }
}

async fn tick_of(store: &dyn EndpointStore, endpoint: &Endpoint, minute: Minute) -> Option<Tick> {
    let ticks = store.ticks(minute).await.unwrap();
    let mut of_endpoint = ticks.into_iter().filter(|tick| tick.endpoint == *endpoint);
    let tick = of_endpoint.next();
    assert!(of_endpoint.next().is_none(), "one tick for an endpoint");
    tick
}

/// Dispatchers add side by side, to whichever part they draw.
pub async fn arrivals_of_all_parts_are_added_up_by_second(store: &dyn EndpointStore) {
    let (flux, sdxl, minute) = (endpoint("flux"), endpoint("sdxl"), minute());
    for added in [
        arrivals(&flux, minute, 0, &[(0, 1), (59, 2)]),
        arrivals(&flux, minute, 3, &[(59, 3)]),
        arrivals(&flux, minute, 3, &[(59, 4), (7, 1)]),
        arrivals(&sdxl, minute, 1, &[(7, 100)]),
    ] {
        store.add_arrivals(&added).await.unwrap();
    }
    let tick = tick_of(store, &flux, minute).await.unwrap();
    let counted: Vec<(u8, u32)> = tick
        .seconds
        .iter()
        .map(|(second, counted)| (*second, counted.arrivals))
        .collect();
    assert_eq!(counted, [(0, 1), (7, 1), (59, 9)]);
    assert!(!tick.full);
    let other = tick_of(store, &sdxl, minute).await.unwrap();
    assert_eq!(other.seconds[&7].arrivals, 100);
}

/// Times that nobody measured are not counted as 0.
pub async fn an_end_adds_its_times_to_its_second(store: &dyn EndpointStore) {
    let (flux, minute) = (endpoint("flux"), minute());
    let at = minute.second(31);
    let cold = End {
        waited: Ms(45_250),
        boot: Some(Ms(44_000)),
        service: Some(Ms(19_000)),
        ..end(&flux, at + Ms(999), 0)
    };
    let unmeasured = end(&flux, at, 1);
    for end in [&cold, &unmeasured] {
        assert!(store.add_end(end).await.unwrap());
    }
    let tick = tick_of(store, &flux, minute).await.unwrap();
    let measured = |count, sum| Measured {
        count,
        sum: Ms(sum),
    };
    let expected = Second {
        arrivals: 0,
        ends: measured(2, 45_250),
        boots: measured(1, 44_000),
        services: measured(1, 19_000),
    };
    assert_eq!(tick.seconds, BTreeMap::from([(second_of(at), expected)]));
}

/// Beyond the sample nothing is counted, and the tick says so once every part is full.
pub async fn a_part_takes_so_many_ends_and_no_more(store: &dyn EndpointStore) {
    let (flux, minute) = (endpoint("flux"), minute());
    for part in TickShard::all() {
        let tick = tick_of(store, &flux, minute).await;
        assert!(tick.is_none_or(|tick| !tick.full));
        for _ in 0..ENDS_PER_SHARD {
            let early = end(&flux, minute.second(3), part.number());
            assert!(store.add_end(&early).await.unwrap());
        }
        let late = end(&flux, minute.second(4), part.number());
        assert!(!store.add_end(&late).await.unwrap());
    }
    let tick = tick_of(store, &flux, minute).await.unwrap();
    assert!(tick.full);
    assert_eq!(tick.seconds[&3].ends.count, 20);
    assert!(!tick.seconds.contains_key(&4));
    // Arrivals are counted all the same.
    let late = arrivals(&flux, minute, 0, &[(5, 1)]);
    store.add_arrivals(&late).await.unwrap();
    let tick = tick_of(store, &flux, minute).await.unwrap();
    assert_eq!(tick.seconds[&5].arrivals, 1);
}

/// Neighbours in time are other minutes.
pub async fn a_minute_knows_its_own_counters_alone(store: &dyn EndpointStore) {
    let (flux, minute) = (endpoint("flux"), minute());
    let added = arrivals(&flux, minute, 0, &[(0, 1)]);
    store.add_arrivals(&added).await.unwrap();
    for other in [minute.previous(), minute.next()] {
        assert_eq!(tick_of(store, &flux, other).await, None);
    }
}

/// A state as `warm` would write it first.
fn state(endpoint: Endpoint) -> EndpointState {
    let now = UnixMs(1_800_000_000_000);
    let terms = Terms::new(0.0005, 0.05, 45.0, 20.0).unwrap();
    let mut history = History::new(terms, 60.0, 0.25, now);
    let mut pool = Calibration::default();
    history.arrived(now, &mut pool);
    let deployed = Deployed {
        window_s: 60.0,
        max: 2,
        usd_per_s: 0.0005,
    };
    let mut account = Account::new(deployed, now);
    account.arrived(now);
    EndpointState {
        endpoint,
        rev: 1,
        next: Minute::of(now).next(),
        history,
        account,
        in_flight: 1,
        floor: 0,
        window: Ms::seconds(20),
        lease_until: None,
        most: None,
        touched_at: None,
        reason: "1 request runs".to_owned(),
        writer: None,
    }
}

async fn stored(store: &dyn EndpointStore, endpoint: &Endpoint) -> Option<EndpointState> {
    let endpoints = store.endpoints().await.unwrap();
    let keys: Vec<&str> = endpoints.unreadable.iter().map(|row| &*row.key).collect();
    assert!(keys.is_empty(), "{keys:?}");
    let mut states = endpoints.states.into_iter();
    states.find(|state| state.endpoint == *endpoint)
}

/// Of two writers who read the same, one gives way.
pub async fn a_state_is_written_on_the_revision_that_was_seen(store: &dyn EndpointStore) {
    let first = state(endpoint("flux"));
    assert_eq!(stored(store, &first.endpoint).await, None);
    assert!(!store.write_endpoint(Some(1), &first).await.unwrap());
    assert!(store.write_endpoint(None, &first).await.unwrap());
    assert!(!store.write_endpoint(None, &first).await.unwrap());
    let second = EndpointState {
        rev: 2,
        reason: "the second".to_owned(),
        ..first.clone()
    };
    let other = EndpointState {
        reason: "somebody else's".to_owned(),
        ..second.clone()
    };
    assert!(store.write_endpoint(Some(1), &second).await.unwrap());
    assert!(!store.write_endpoint(Some(1), &other).await.unwrap());
    assert_eq!(stored(store, &first.endpoint).await, Some(second));
}

/// Also those that are absent at first.
pub async fn every_field_of_a_state_comes_back(store: &dyn EndpointStore) {
    let first = state(endpoint("flux_pulid"));
    assert!(store.write_endpoint(None, &first).await.unwrap());
    assert_eq!(stored(store, &first.endpoint).await, Some(first.clone()));
    let full = EndpointState {
        rev: 2,
        next: first.next.next(),
        in_flight: 7,
        floor: 2,
        window: Ms::seconds(120),
        lease_until: Some(UnixMs(1_800_000_180_000)),
        most: Some(3),
        touched_at: Some(UnixMs(1_800_000_000_001)),
        reason: "because".to_owned(),
        writer: Some(u64::MAX),
        ..first
    };
    assert!(store.write_endpoint(Some(1), &full).await.unwrap());
    assert_eq!(stored(store, &full.endpoint).await, Some(full.clone()));
    let lapsed = EndpointState {
        rev: 3,
        lease_until: None,
        ..full
    };
    assert!(store.write_endpoint(Some(2), &lapsed).await.unwrap());
    assert_eq!(stored(store, &lapsed.endpoint).await, Some(lapsed));
}

/// The store may have been used before: only what follows is looked at.
pub async fn what_all_share_is_written_on_its_revision_as_well(store: &dyn EndpointStore) {
    let seen = store.endpoints().await.unwrap().pool.map(|pool| pool.rev);
    let next = Pool {
        rev: seen.unwrap_or(0) + 1,
        next: minute(),
        calibration: Calibration::default(),
    };
    assert!(store.write_pool(seen, &next).await.unwrap());
    assert!(!store.write_pool(seen, &next).await.unwrap());
    assert_eq!(store.endpoints().await.unwrap().pool, Some(next));
}
