//! The rules of RYLA without clock, randomness or network: what a job is, which moves are legal,
//! what failed and what that means, which models exist. Time, ids and random numbers come in as
//! arguments, so that a seed reproduces any run. Everything else imports this crate; it imports none.

pub mod backoff;
pub mod failure;
pub mod id;
pub mod input;
pub mod job;
pub mod model;
pub mod output;
pub mod overdue;
pub mod price;
pub mod prompt;
pub mod report;
pub mod route;
pub mod state;
pub mod time;
pub mod timers;
pub mod warm;

#[cfg(test)]
mod sample;

/// Version of every record that leaves the process: row, queue message, callback, submit, cursor.
/// Readers accept this and the one before; anything newer is left to a newer build.
pub const V: u32 = 1;
