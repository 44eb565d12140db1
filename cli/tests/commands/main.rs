//! The commands as a shell sees them: the real binary against a fake system that speaks the API.

#![expect(
    clippy::unwrap_used,
    reason = "tests: what goes wrong here is the test's own failure"
)]

mod accept;
mod demo;
mod embedded;
mod export;
mod fake;
mod generate;
mod jobs;
mod shell;
mod warm;
mod without_system;
