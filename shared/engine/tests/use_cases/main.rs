//! Each use case on ports in memory: what it accepts, what it refuses, what it leaves behind, and
//! what it costs. An integration test, since ryla-testing speaks of the built engine's ports.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the whole crate is a test: its helpers may fail loudly, too"
)]

mod cancel;
mod complete;
mod count;
mod delete;
mod dispatch;
mod files;
mod list;
mod retry;
mod stage;
mod submit;
mod sweep;
mod wait;
mod warm;
