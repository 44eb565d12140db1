//! GPU backends: adapters of the `Backend` port, and the one HTTP client that they share. An adapter
//! translates between the port and a protocol; it decides nothing about jobs.

mod configured;
pub mod http;
pub mod modal;
pub mod workflow;

pub use configured::{BadBackend, configured};
