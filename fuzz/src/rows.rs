//! Rows of the table that are not as this build wrote them: a row of a sample job with attributes changed,
//! added or taken away. What the decoder takes for a job is written back as it was and can be shown; what
//! it refuses it names by its attribute, never by a value.

use crate::world::{KEY, World};
use arbitrary::{Arbitrary, Unstructured};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Request;
use ryla_aws::row::{Row, decode, encode};
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_engine::port::StoreError;
use ryla_testing::sample::{CREATED_AT, a_job};

/// A value as DynamoDB may hold it.
#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Gone,
    Text(&'a str),
    Whole(i64),
    Number(&'a str),
    Bytes(&'a [u8]),
    Flag(bool),
    Null,
    Numbers(Vec<u64>),
    /// An output is a list of four.
    Fours(Vec<[u32; 4]>),
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    phase: u8,
    changes: Vec<(u8, Value<'a>)>,
}

/// Every attribute of a row; the last one is of a later version.
const ATTRIBUTES: &[&str] = &[
    "pk",
    "sk",
    "gpk",
    "gsk",
    "due",
    "due_at",
    "due_tries",
    "v",
    "rev",
    "deadline_at",
    "deadline_by",
    "expires_at",
    "model",
    "backend",
    "format",
    "input",
    "req",
    "trace",
    "token",
    "keep",
    "removed",
    "retry_of",
    "phase",
    "attempt",
    "hold",
    "claim",
    "claims",
    "lease_until",
    "dispatched_at",
    "started_at",
    "seen_at",
    "seq",
    "call",
    "progress",
    "since",
    "reason",
    "ended_at",
    "code",
    "outputs",
    "timings",
    "gpu",
    "cost",
    "later",
];

pub(crate) fn run(data: &[u8]) {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    match decode(&row(&case)) {
        Ok(job) => {
            assert_comes_back(&job);
            assert_can_be_shown(&job);
        }
        Err(StoreError::Corrupt(name) | StoreError::NewerValue(name)) => {
            assert!(
                ATTRIBUTES.contains(&name.as_str()),
                "{name} is an attribute"
            );
        }
        Err(StoreError::Newer(version)) => assert!(version > 1),
        Err(other) => unreachable!("a decoder makes no call: {other}"),
    }
}

fn row(case: &Case<'_>) -> Row {
    let phase = Phase::ALL[usize::from(case.phase) % Phase::ALL.len()];
    let mut row = encode(&a_job().account("alice").in_phase(phase));
    for (which, value) in &case.changes {
        let name = ATTRIBUTES[usize::from(*which) % ATTRIBUTES.len()];
        match attribute(value) {
            Some(value) => row.insert(name.to_owned(), value),
            None => row.remove(name),
        };
    }
    row
}

fn attribute(value: &Value<'_>) -> Option<AttributeValue> {
    let number = |n: &dyn ToString| AttributeValue::N(n.to_string());
    Some(match value {
        Value::Gone => return None,
        Value::Text(text) => AttributeValue::S((*text).to_owned()),
        Value::Whole(n) => number(n),
        Value::Number(text) => number(text),
        Value::Bytes(bytes) => AttributeValue::B(Blob::new(*bytes)),
        Value::Flag(flag) => AttributeValue::Bool(*flag),
        Value::Null => AttributeValue::Null(true),
        Value::Numbers(list) => AttributeValue::L(list.iter().map(|n| number(n)).collect()),
        Value::Fours(lists) => {
            let inner =
                |list: &[u32; 4]| AttributeValue::L(list.iter().map(|n| number(n)).collect());
            AttributeValue::L(lists.iter().map(inner).collect())
        }
    })
}

/// Written and read again, the job is the same.
fn assert_comes_back(job: &Job) {
    let again = decode(&encode(job));
    assert!(again.as_ref().ok() == Some(job), "{again:?} is not {job:?}");
}

/// A client that asks for it gets an answer, also where times lie beyond every calendar.
fn assert_can_be_shown(job: &Job) {
    // A row that has run out counts as absent.
    if job.key.account.as_str() != "alice" || job.expires_at <= CREATED_AT {
        return;
    }
    let world = World::empty();
    world.plant(job);
    let get = Request::get(format!("/v1/predictions/{}", job.key.id))
        .header("authorization", format!("Bearer {KEY}"))
        .body(Bytes::new());
    let Ok(get) = get else {
        unreachable!("an id stands in a path as it is")
    };
    let answer = world.send(get);
    assert_eq!(answer.status, 200, "a job that can be read can be shown");
}
