//! The router, in process, over ports in memory. Every test has two accounts, and every reply of
//! every test is held against openapi.json and against what must be true of all of them
//! ([`app::TestApp`]).

mod app;
mod ask;
mod faults;
mod lines;
mod schema;

#[cfg(feature = "lambda")]
pub(crate) use app::{ALICE, TestApp};

mod auth;
mod bad_input;
mod callbacks;
mod changes;
mod create;
mod documents;
mod failures;
mod idempotency;
mod lists;
mod models;
mod outputs;
mod routing;
mod secrets;
mod snapshots;
mod strangers;
mod waiting;
mod warm;
