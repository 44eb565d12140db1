//! One contract suite per port: what every implementation does, in memory and on AWS. A suite stops
//! at the first breach. Each case works on names of its own, so that a table, bucket or queue can be
//! shared by any number of runs.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a suite is made of assertions; its callers are tests"
)]

pub mod accounts;
pub mod backend;
pub mod endpoints;
pub mod images;
pub mod jobs;
pub mod queue;

use std::sync::atomic::{AtomicU64, Ordering};

/// A name that no other case has used: `{word}-{process}-{count}`.
pub(crate) fn fresh(word: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{word}-{:x}-{count:x}", std::process::id())
}

/// 20 bytes that no other case has used.
pub(crate) fn fresh_bytes() -> [u8; 20] {
    let mut bytes = [0; 20];
    for (at, byte) in fresh("").bytes().enumerate() {
        bytes[at % 20] ^= byte;
    }
    bytes
}
