//! Counters of one minute as rows: `TICK#{minute}` / `{backend}#{class}#{part}`.
//!
//! | attribute | what |
//! |---|---|
//! | `a00` to `a59` | starts sent in that second |
//! | `e00` to `e59` | ends heard of in that second, as far as they were sampled |
//! | `w00` to `w59` | ms that those had waited for a container, added up |
//! | `c00` to `c59`, `b00` to `b59` | boots among them, and their ms |
//! | `m00` to `m59`, `s00` to `s59` | services measured among them, and their ms |
//! | `n` | ends in this part |
//! | `v`, `expires_at` | version; TTL in seconds, two hours after the minute |

use super::{Update, sort_key};
use crate::row::{self, Row, ttl_seconds};
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::V;
use ryla_domain::time::Ms;
use ryla_domain::warm::{Endpoint, Minute, second_of};
use ryla_engine::port::{
    Arrivals, ENDS_PER_SHARD, End, Measured, Second, StoreError, TICK_SHARDS, Tick, TickShard,
};
use std::collections::BTreeMap;

/// How long the counters are kept after their minute: longer than `warm` looks back.
const KEPT: Ms = Ms::seconds(2 * 3600);
/// Ends in a part.
const ENDS: &str = "n";

/// The partition of one minute.
pub(super) fn partition(minute: Minute) -> String {
    format!("TICK#{}", minute.0)
}

pub(super) fn key(minute: Minute, endpoint: &Endpoint, shard: TickShard) -> Row {
    let sk = format!("{endpoint}#{}", shard.number());
    super::key(&partition(minute), &sk)
}

/// What adds those arrivals.
pub(super) fn of_arrivals(arrivals: &Arrivals) -> Update {
    let mut update = begun(arrivals.minute);
    for (second, count) in &arrivals.seconds {
        update.add(&counter('a', *second), count);
    }
    update
}

/// What adds that end, unless the part has taken all it takes.
pub(super) fn of_end(end: &End) -> Update {
    let mut update = begun(Minute::of(end.at));
    let second = second_of(end.at);
    update.add(ENDS, 1);
    update.add(&counter('e', second), 1);
    update.add(&counter('w', second), end.waited.0);
    for (count, sum, measured) in [('c', 'b', end.boot), ('m', 's', end.service)] {
        if let Some(measured) = measured {
            update.add(&counter(count, second), 1);
            update.add(&counter(sum, second), measured.0);
        }
    }
    let (ends, most) = (update.name(ENDS), update.value(row::number(ENDS_PER_SHARD)));
    update.condition = format!("attribute_not_exists({ends}) OR {ends} < {most}");
    update
}

fn begun(minute: Minute) -> Update {
    let mut update = Update::default();
    update.set_once("v", row::number(V));
    let expires_at = ttl_seconds(minute.next().begin() + KEPT);
    update.set_once("expires_at", row::number(expires_at));
    update
}

fn counter(letter: char, second: u8) -> String {
    format!("{letter}{:02}", second.min(59))
}

/// The rows of a minute, the parts of each endpoint added up. A row that cannot be read is left out.
pub(super) fn merged(rows: &[Row]) -> Vec<Tick> {
    let mut ticks: BTreeMap<Endpoint, (BTreeMap<u8, Second>, u8)> = BTreeMap::new();
    for row in rows {
        match part(row) {
            Ok((endpoint, full)) => {
                let (seconds, parts) = ticks.entry(endpoint).or_default();
                *parts += u8::from(full);
                for (name, value) in row {
                    count(seconds, name, value);
                }
            }
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(
                    event = "tick_unread",
                    key = sort_key(row),
                    error,
                    "counters are left out"
                );
            }
        }
    }
    let ticks = ticks.into_iter().map(|(endpoint, (seconds, full))| Tick {
        endpoint,
        seconds,
        full: full >= TICK_SHARDS,
    });
    ticks.collect()
}

/// Whose counters a row holds, and whether it takes no more ends.
fn part(row: &Row) -> Result<(Endpoint, bool), StoreError> {
    row::check_version(row)?;
    let corrupt = || StoreError::Corrupt("sk".to_owned());
    let (endpoint, _) = sort_key(row).rsplit_once('#').ok_or_else(corrupt)?;
    let endpoint = super::state::endpoint_of(endpoint).ok_or_else(corrupt)?;
    let ends = row.get(ENDS).and_then(number).unwrap_or_default();
    Ok((endpoint, ends >= u64::from(ENDS_PER_SHARD)))
}

/// Adds one attribute; what is no counter of ours is for another build.
fn count(seconds: &mut BTreeMap<u8, Second>, name: &str, value: &AttributeValue) {
    let (Some(letter), Some(second), Some(counted)) = (
        name.chars().next(),
        name.get(1..).filter(|rest| rest.len() == 2),
        number(value),
    ) else {
        return;
    };
    let Some(second) = second.parse().ok().filter(|second| *second < 60) else {
        return;
    };
    if !"aewcbms".contains(letter) {
        return;
    }
    let counters = seconds.entry(second).or_default();
    let count = u32::try_from(counted).unwrap_or(u32::MAX);
    let times = |of: &mut Measured| of.count = of.count.saturating_add(count);
    let adds = |of: &mut Measured| of.sum = Ms(of.sum.0.saturating_add(counted));
    match letter {
        'a' => counters.arrivals = counters.arrivals.saturating_add(count),
        'e' => times(&mut counters.ends),
        'w' => adds(&mut counters.ends),
        'c' => times(&mut counters.boots),
        'b' => adds(&mut counters.boots),
        'm' => times(&mut counters.services),
        _ => adds(&mut counters.services),
    }
}

fn number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sk: &str, numbers: &[(&str, &str)]) -> Row {
        let mut row = super::super::key("TICK#1", sk);
        for (name, number) in numbers {
            row.insert((*name).to_owned(), AttributeValue::N((*number).to_owned()));
        }
        row
    }

    #[test]
    fn parts_are_added_up_and_what_cannot_be_read_is_left_out() {
        let rows = [
            row(
                "modal#flux#0",
                &[("v", "1"), ("a05", "2"), ("e09", "1"), ("w09", "700")],
            ),
            row(
                "modal#flux#3",
                &[
                    ("v", "1"),
                    ("a05", "1"),
                    ("e09", "1"),
                    ("c09", "1"),
                    ("b09", "44000"),
                ],
            ),
            row("modal#flux#1", &[("v", "2"), ("a05", "9")]),
            row("no endpoint", &[("v", "1"), ("a05", "9")]),
            row(
                "modal#sdxl#0",
                &[
                    ("v", "1"),
                    ("x01", "9"),
                    ("a60", "9"),
                    ("a1", "9"),
                    ("a+7", "x"),
                ],
            ),
        ];
        let ticks = merged(&rows);
        let names: Vec<String> = ticks.iter().map(|tick| tick.endpoint.to_string()).collect();
        assert_eq!(names, ["modal#flux", "modal#sdxl"]);
        let flux = &ticks[0];
        assert_eq!(flux.seconds[&5].arrivals, 3);
        let ended = flux.seconds[&9];
        assert_eq!(
            ended.ends,
            Measured {
                count: 2,
                sum: Ms(700)
            }
        );
        assert_eq!(
            ended.boots,
            Measured {
                count: 1,
                sum: Ms(44_000)
            }
        );
        assert_eq!(ended.services, Measured::default());
        assert!(!flux.full);
        assert_eq!(ticks[1].seconds, BTreeMap::new());
    }
}
