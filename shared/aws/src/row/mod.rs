//! A job as an item of the table. This is the one place that knows attribute names; they are short
//! because every KiB of a row costs a write unit four times in a job's life (DESIGN 4, Budget).
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `pk`, `sk` | S | `JOB#{account}#{id}`, `JOB` |
//! | `gpk`, `gsk` | S | index `by-account`: `ACCOUNT#{account}`, `{created_at, 15 digits}#{id}` |
//! | `due`, `due_at`, `due_tries` | S, N, N | index `due`, open jobs only: `DUE#{shard, 2 digits}` or `DUE#dead`, ms, looks without progress |
//! | `v`, `rev` | N | version of the row, number of the write |
//! | `deadline_at`, `deadline_by` | N, S | ms; `caller`, absent where the deadline is ours |
//! | `expires_at` | N | TTL: **seconds**, rounded up |
//! | `model`, `backend`, `format` | S | names |
//! | `input` | S | the resolved input as JSON, or `bucket`, or `removed` |
//! | `req` | B | SHA-256 of the request |
//! | `trace`, `token` | B | 16 and 20 bytes, hexadecimal and base32 elsewhere |
//! | `keep` | N | retention in days |
//! | `removed` | BOOL | data was removed; absent otherwise |
//! | `retry_of` | S | id of the job that this one repeats |
//! | `phase`, `attempt` | S, N | every state |
//! | `hold`, `again_at` | S, N | accepted: `account` or `backend`, with when its message comes back |
//! | `claim`, `claims`, `lease_until` | S, N, N | dispatching |
//! | `dispatched_at`, `started_at` | N | from the moment on, until another attempt |
//! | `seen_at`, `seq`, `call`, `progress` | N, N, S, N | running |
//! | `since`, `reason` | N, S | canceling; canceled keeps the reason |
//! | `ended_at` | N | every end |
//! | `code` | S | failed |
//! | `outputs` | L | succeeded: a list `[slot, bytes, width, height]` each |
//! | `timings`, `gpu`, `cost` | L, S, N | `[queue, boot, load, run, upload]` in ms, name, micro-dollars |
//! | `likeness` | L | succeeded, where it was measured: a list `[slot, thousandths]` each |
//!
//! A list may grow at its end in a later version: readers ignore what they do not know. A name of a closed
//! set (`deadline_by`, `format`, `phase`, `hold`, `reason`, `code`) or a number of `keep` that they do not
//! know they leave to a newer build, while what is no name is corrupt. Blind writes look at `v`, `phase`
//! and their other fences alone: a new value that this build must not write beside needs a higher `v`. An API key is
//! `pk` = `KEY#{sha256}`, `sk` = `KEY`, `v`, `account`.

mod decode;
mod encode;
mod fields;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod size;

pub use decode::decode;
pub use encode::encode;

pub(crate) use decode::{check_version, due_entry, expired};
pub(crate) use encode::number;
pub(crate) use fields::Fields;

use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::id::{AccountId, JobId, JobKey};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Shard;
use std::collections::HashMap;

/// An item of the table.
pub type Row = HashMap<String, AttributeValue>;

/// The sort key of every job row.
pub(crate) const SK_JOB: &str = "JOB";
/// The part of the due index that raises an alarm.
pub(crate) const DUE_DEAD: &str = "DUE#dead";
/// What `input` holds where the input itself does not stand there; neither is JSON.
pub(crate) const INPUT_IN_BUCKET: &str = "bucket";
pub(crate) const INPUT_REMOVED: &str = "removed";

/// The partition key of a job row.
pub fn pk(key: &JobKey) -> String {
    format!("JOB#{}#{}", key.account, key.id)
}

/// The job that a partition key names.
pub(crate) fn key_of(pk: &str) -> Option<JobKey> {
    let (account, id) = pk.strip_prefix("JOB#")?.split_once('#')?;
    Some(JobKey {
        account: account.parse().ok()?,
        id: id.parse().ok()?,
    })
}

/// The partition key of an account's jobs in the index `by-account`.
pub(crate) fn gpk(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

/// A job's place among its account's jobs; texts sort as the jobs were created.
pub(crate) fn gsk(created_at: UnixMs, id: &JobId) -> String {
    format!("{:015}#{id}", created_at.0)
}

/// The part of the due index with that number.
pub(crate) fn due_part(shard: Shard) -> String {
    format!("DUE#{:02}", shard.number())
}

/// TTL counts in seconds; rounded up, so that no row goes before its time.
pub(crate) fn ttl_seconds(at: UnixMs) -> i64 {
    (at + Ms(999)).seconds()
}

/// Below every `gsk` of that time.
pub(crate) fn gsk_from(created_at: UnixMs) -> String {
    format!("{:015}#", created_at.0.max(0))
}

/// Above every `gsk` of that time.
pub(crate) fn gsk_until(created_at: UnixMs) -> String {
    format!("{:015}~", created_at.0.clamp(0, 999_999_999_999_999))
}

/// The whole key of a job row.
pub fn primary_key(key: &JobKey) -> Row {
    raw_primary_key(&pk(key))
}

/// The whole key of the row with that partition key.
pub(crate) fn raw_primary_key(pk: &str) -> Row {
    Row::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(SK_JOB.to_owned())),
    ])
}
