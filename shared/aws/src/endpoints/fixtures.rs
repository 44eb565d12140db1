//! One row of every kind as version 1 writes it, kept in `tests/fixtures/v1/endpoints` and read by every
//! later build.

mod fields;

use super::{state, tick};
use crate::row::fixtures::{from_json, to_json};
use crate::row::{Row, number};
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{
    Account, Calibration, Deployed, Endpoint, History, Look, Minute, Terms, decide,
};
use ryla_engine::port::{EndpointState, Measured, Pool, StoreError};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

const KINDS: [&str; 4] = ["endpoint", "endpoint-idle", "pool", "tick"];
const FIRST: Minute = Minute(29_627_280);

/// An endpoint that was busy for ten minutes, and what it has taught all.
fn lived() -> (EndpointState, Pool) {
    let (begin, mut pool) = (FIRST.begin(), Calibration::default());
    let terms = Terms::new(0.0005, 0.25, 45.0, 20.0).unwrap();
    let deployed = Deployed {
        window_s: 60.0,
        max: 3,
        usd_per_s: 0.0005,
    };
    let mut history = History::new(terms, 60.0, 0.25, begin);
    let mut account = Account::new(deployed, begin);
    let mut minute = FIRST;
    for _ in 0..10 {
        history.arrived(minute.second(5), &mut pool);
        account.arrived(minute.second(5));
        history.ended(minute.second(25), &mut pool);
        account.ended(minute.second(25));
        minute = minute.next();
    }
    history.arrived(minute.second(1), &mut pool);
    account.arrived(minute.second(1));
    let look = Look {
        now: minute.second(30),
        acts_at: minute.second(30),
        in_flight: 1,
        max: 2,
    };
    let decision = decide(&mut history, &mut pool, look);
    let until = minute.second(30) + Ms::seconds(180);
    account.asked(minute.second(30), decision.floor, 20.0, until, 45.0);
    let state = EndpointState {
        endpoint: Endpoint {
            backend: "modal".parse().unwrap(),
            class: "flux_pulid".parse().unwrap(),
        },
        rev: 11,
        next: minute.next(),
        history,
        account,
        in_flight: 1,
        floor: decision.floor,
        window: Ms::seconds(20),
        lease_until: Some(until),
        most: Some(3),
        touched_at: Some(UnixMs(begin.0 + 7)),
        reason: decision.reason.to_string(),
        writer: None,
    };
    let pool = Pool {
        rev: 12,
        next: minute.next(),
        calibration: pool,
    };
    (state, pool)
}

/// The same one a little later: a second container idles, beside a run, and a lease follows on one in force.
fn idle_later() -> EndpointState {
    let (
        mut state,
        Pool {
            mut calibration, ..
        },
    ) = lived();
    let at = state.next.second(10);
    for second in [3, 4] {
        state
            .history
            .arrived(state.next.second(second), &mut calibration);
        state.account.arrived(state.next.second(second));
    }
    state.history.ended(at, &mut calibration);
    state.account.ended(at);
    let until = at + Ms::seconds(180);
    state.account.asked(at, 1, 20.0, until, 45.0);
    state.account.pass(at + Ms(1));
    state
        .account
        .asked(at + Ms::seconds(60), 2, 25.0, until + Ms::seconds(60), 45.0);
    EndpointState {
        rev: state.rev + 1,
        next: state.next.next(),
        in_flight: state.history.in_flight(),
        floor: 2,
        window: Ms::seconds(25),
        lease_until: Some(until + Ms::seconds(60)),
        writer: Some(u64::MAX),
        ..state
    }
}

fn row_of(kind: &str) -> Row {
    let row_with = |sk: &str, attributes: state::Attributes| {
        let mut row = state::key(sk);
        let there = attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        row.extend(there.map(|(name, value)| (name.to_owned(), value)));
        row
    };
    let (endpoint, pool) = lived();
    match kind {
        "endpoint" => {
            let attributes = state::attributes(&endpoint).unwrap();
            row_with(&endpoint.endpoint.to_string(), attributes)
        }
        "endpoint-idle" => {
            let later = idle_later();
            let attributes = state::attributes(&later).unwrap();
            row_with(&later.endpoint.to_string(), attributes)
        }
        "pool" => row_with(state::POOL, state::pool_attributes(&pool).unwrap()),
        _ => {
            let mut row = super::key(&tick::partition(FIRST), "modal#flux_pulid#2");
            for (name, counted) in [
                ("v", 1),
                ("expires_at", 1_777_644_060),
                ("n", 5),
                ("a05", 2),
                ("a59", 1),
                ("e25", 5),
                ("w25", 45_310),
                ("c25", 1),
                ("b25", 44_000),
                ("m25", 4),
                ("s25", 68_012),
            ] {
                row.insert(name.to_owned(), number(counted));
            }
            row
        }
    }
}

fn path(kind: &str) -> PathBuf {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/v1/endpoints"
    );
    PathBuf::from(folder).join(format!("{kind}.json"))
}

fn fixture(kind: &str) -> Row {
    let text = std::fs::read_to_string(path(kind)).unwrap();
    let row: Map<String, Value> = serde_json::from_str(&text).unwrap();
    row.into_iter()
        .map(|(name, value)| (name, from_json(&value)))
        .collect()
}

/// A row in which the order of fields within JSON is no promise.
fn comparable(row: &Row) -> Map<String, Value> {
    let parsed = |value: &AttributeValue| match value {
        AttributeValue::S(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        other => to_json(other),
    };
    row.iter()
        .map(|(name, value)| (name.clone(), parsed(value)))
        .collect()
}

/// Writes the fixtures anew: only together with a new version's folder.
#[test]
#[ignore = "writes the files that the other tests read"]
fn write_fixtures() {
    for kind in KINDS {
        let row: std::collections::BTreeMap<String, Value> = row_of(kind)
            .iter()
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect();
        let text = serde_json::to_string_pretty(&row).unwrap();
        std::fs::create_dir_all(path(kind).parent().unwrap()).unwrap();
        std::fs::write(path(kind), text + "\n").unwrap();
    }
}

#[test]
fn states_are_read_as_they_were_and_written_as_they_are() {
    let (endpoint, pool) = lived();
    let read = state::decoded(&[fixture("endpoint"), fixture("pool")]);
    assert!(read.unreadable.is_empty());
    assert_eq!(read.states, [endpoint]);
    assert_eq!(read.pool, Some(pool));
    let later = state::decoded(&[fixture("endpoint-idle")]);
    assert_eq!(later.states, [idle_later()]);
    for kind in ["endpoint", "endpoint-idle", "pool"] {
        assert_eq!(comparable(&row_of(kind)), comparable(&fixture(kind)));
    }
}

/// As builds wrote them that knew six rules, and tables of two depths.
#[test]
fn states_of_fewer_rules_and_depths_are_read_and_decided_from() {
    let rows = [fixture("endpoint-six-rules"), fixture("pool-two-depths")];
    let mut read = state::decoded(&rows);
    assert!(read.unreadable.is_empty());
    let (endpoint, _) = lived();
    let (mut pool, state) = (read.pool.unwrap().calibration, &mut read.states[0]);
    assert_eq!((state.rev, state.next), (endpoint.rev, endpoint.next));
    assert_eq!(state.account, endpoint.account);
    let [_, two_seconds, ..] = state.history.hedge().weights();
    assert!(two_seconds < 0.002, "what was learnt is kept");
    let now = FIRST.begin() + Ms::seconds(660);
    state.history.ended(now, &mut pool);
    let look = Look {
        now,
        acts_at: now,
        in_flight: 0,
        max: 2,
    };
    let decision = decide(&mut state.history, &mut pool, look);
    assert_eq!(decision.floor, 1, "a request each minute");
    assert!(state::attributes(state).is_ok());
}

#[test]
fn counters_are_read_as_they_were() {
    let ticks = tick::merged(&[fixture("tick")]);
    assert_eq!(ticks.len(), 1);
    let tick = &ticks[0];
    assert_eq!(tick.endpoint.to_string(), "modal#flux_pulid");
    assert_eq!(
        (tick.seconds[&5].arrivals, tick.seconds[&59].arrivals),
        (2, 1)
    );
    let measured = |count, sum| Measured {
        count,
        sum: Ms(sum),
    };
    let ended = tick.seconds[&25];
    assert_eq!(ended.ends, measured(5, 45_310));
    assert_eq!(ended.boots, measured(1, 44_000));
    assert_eq!(ended.services, measured(4, 68_012));
}

#[test]
fn what_cannot_be_read_is_named_and_hides_nothing_else() {
    let mut newer = fixture("endpoint");
    newer.insert("v".to_owned(), number(2));
    newer.insert("sk".to_owned(), AttributeValue::S("modal#sdxl".to_owned()));
    let mut unknown = fixture("endpoint");
    unknown.insert("from_v2".to_owned(), AttributeValue::Null(true));
    let read = state::decoded(&[newer, unknown, fixture("pool")]);
    assert_eq!((read.states.len(), read.pool.is_some()), (1, true));
    assert_eq!(read.unreadable[0].key, "modal#sdxl");
    assert!(matches!(read.unreadable[0].error, StoreError::Newer(2)));
    // What it has cost counts, as far as it can be read.
    assert_eq!(read.unreadable[0].account, Some(lived().0.account));
    for name in [
        "rev",
        "next",
        "history",
        "account",
        "floor",
        "window",
        "in_flight",
        "reason",
    ] {
        let mut row = fixture("endpoint");
        row.insert(name.to_owned(), AttributeValue::Bool(true));
        let read = state::decoded(&[row]);
        let error = &read.unreadable[0].error;
        assert!(
            matches!(error, StoreError::Corrupt(what) if what == name),
            "{name}: {error}"
        );
        assert_eq!(read.unreadable[0].account.is_some(), name != "account");
    }
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let (mut endpoint, _) = lived();
    assert!(state::attributes(&endpoint).is_ok());
    for seconds in [f64::NAN, f64::INFINITY] {
        endpoint.history.in_force(1, seconds);
        let refused = state::attributes(&endpoint);
        assert!(matches!(refused, Err(StoreError::Corrupt(name)) if name == "history"));
    }
}
