//! States of endpoints as rows: `ENDPOINTS` / `{backend}#{class}`, and `ENDPOINTS` / `pool`.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v`, `rev` | N | version of the row, number of the write |
//! | `next` | N | the first minute that is not in it, by number since 1970 |
//! | `history`, `account` | S | what the policy remembers and the figures of the day, as JSON |
//! | `floor`, `window` | N | containers held; ms after which an idle one above that is released |
//! | `lease_until` | N | ms; absent where the backend has taken no lease |
//! | `in_flight` | N | runs under way |
//! | `most` | N | most containers of the class, where the backend has said so |
//! | `touched_at` | N | ms of the last ping or call, where there was one |
//! | `reason` | S | why, in words |
//! | `writer` | N | drawn by the tick that wrote the row |
//! | `calibration` | S | `pool` alone: what all endpoints have taught, as JSON |

use super::sort_key;
use crate::row::{self, Fields, Row, number};
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::V;
use ryla_domain::time::Ms;
use ryla_domain::warm::{Endpoint, Minute};
use ryla_engine::port::{EndpointState, Endpoints, Pool, StoreError, Unreadable};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The partition of all states.
pub(super) const PARTITION: &str = "ENDPOINTS";
/// The row that all endpoints share; no endpoint's key lacks a `#`.
pub(super) const POOL: &str = "pool";

pub(super) fn key(sk: &str) -> Row {
    super::key(PARTITION, sk)
}

/// The endpoint that a key names.
pub(super) fn endpoint_of(key: &str) -> Option<Endpoint> {
    let (backend, class) = key.split_once('#')?;
    Some(Endpoint {
        backend: backend.parse().ok()?,
        class: class.parse().ok()?,
    })
}

/// Attributes as they shall be; `None` where the row has none of that name.
pub(super) type Attributes = Vec<(&'static str, Option<AttributeValue>)>;

pub(super) fn attributes(state: &EndpointState) -> Result<Attributes, StoreError> {
    let attributes = [
        ("v", number(V)),
        ("rev", number(state.rev)),
        ("next", number(state.next.0)),
        ("history", json("history", &state.history)?),
        ("account", json("account", &state.account)?),
        ("floor", number(state.floor)),
        ("window", number(state.window.0)),
        ("in_flight", number(state.in_flight)),
        ("reason", AttributeValue::S(state.reason.clone())),
    ];
    let optional = [
        ("lease_until", state.lease_until.map(number)),
        ("most", state.most.map(number)),
        ("touched_at", state.touched_at.map(number)),
        ("writer", state.writer.map(number)),
    ];
    let attributes = attributes.map(|(name, value)| (name, Some(value)));
    Ok(attributes.into_iter().chain(optional).collect())
}

pub(super) fn pool_attributes(pool: &Pool) -> Result<Attributes, StoreError> {
    let attributes = [
        ("v", number(V)),
        ("rev", number(pool.rev)),
        ("next", number(pool.next.0)),
        ("calibration", json("calibration", &pool.calibration)?),
    ];
    Ok(attributes.map(|(name, value)| (name, Some(value))).into())
}

/// All rows of the partition; what cannot be read is named.
pub(super) fn decoded(rows: &[Row]) -> Endpoints {
    let mut endpoints = Endpoints::default();
    for row in rows {
        let sk = sort_key(row);
        let read = if sk == POOL {
            pool(row).map(|pool| endpoints.pool = Some(pool))
        } else {
            state(sk, row).map(|state| endpoints.states.push(state))
        };
        if let Err(error) = read {
            endpoints.unreadable.push(Unreadable {
                key: sk.to_owned(),
                error,
                account: parsed(&Fields(row), "account").ok(),
            });
        }
    }
    endpoints
}

fn state(sk: &str, row: &Row) -> Result<EndpointState, StoreError> {
    row::check_version(row)?;
    let fields = Fields(row);
    Ok(EndpointState {
        endpoint: endpoint_of(sk).ok_or_else(|| StoreError::Corrupt("sk".to_owned()))?,
        rev: fields.number("rev")?,
        next: Minute(fields.number("next")?),
        history: parsed(&fields, "history")?,
        account: parsed(&fields, "account")?,
        in_flight: fields.number("in_flight")?,
        floor: fields.number("floor")?,
        window: Ms(fields.number("window")?),
        lease_until: fields.optional_time("lease_until")?,
        most: fields.optional_number("most")?,
        touched_at: fields.optional_time("touched_at")?,
        reason: fields.str("reason")?.to_owned(),
        writer: fields.optional_number("writer")?,
    })
}

fn pool(row: &Row) -> Result<Pool, StoreError> {
    row::check_version(row)?;
    let fields = Fields(row);
    Ok(Pool {
        rev: fields.number("rev")?,
        next: Minute(fields.number("next")?),
        calibration: parsed(&fields, "calibration")?,
    })
}

/// As JSON, if that reads back: infinity and what is no number become `null`, and a row that says so
/// could never be read again.
fn json<T: Serialize + DeserializeOwned>(
    name: &str,
    value: &T,
) -> Result<AttributeValue, StoreError> {
    let text = serde_json::to_string(value).ok();
    text.filter(|text| serde_json::from_str::<T>(text).is_ok())
        .map(AttributeValue::S)
        .ok_or_else(|| StoreError::Corrupt(name.to_owned()))
}

fn parsed<T: DeserializeOwned>(fields: &Fields<'_>, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(fields.str(name)?).map_err(|_| StoreError::Corrupt(name.to_owned()))
}
