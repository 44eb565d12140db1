//! The modal adapter against real sockets: every answer of an app's that the protocol or the edge of
//! Modal knows, what is sent, what is logged, and the messages as they stand in the fixtures.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the whole crate is a test: its helpers may fail loudly, too"
)]

mod answers;
mod app;
mod bench;
mod cancel;
mod check;
mod docs;
mod log;
mod sent;
mod start;
mod tls;
mod warm;
mod wire;
