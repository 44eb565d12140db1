//! The whole system on ports in memory, with a clock turned by hand and faults where a plan wants
//! them. One seed gives one run: the same calls in the same order, the same faults, the same end.
//!
//! Clients submit and cancel, messages arrive, workers call back, the sweep comes by; each is a process
//! whose future is driven one port call at a time, in an order that the seed draws. A process dies by
//! never being driven again: nothing of it survives but what it wrote. To add a fault see
//! [`fault`], an invariant [`verdict`], a situation [`Scenario`].

mod ending;
pub mod fault;
pub mod fences;
mod newer_build;
mod ports;
mod process;
mod scenario;
pub mod seeded;
pub mod single;
mod step;
mod tap;
mod trace;
pub mod verdict;
mod watch;
pub mod weather;
mod world;

#[cfg(test)]
mod tests;

pub use ending::{Ending, Known};
pub use fault::{Fate, Fault, Harm};
pub use process::Kind;
pub use scenario::{Ends, Scenario, Site};
pub use tap::Call;
pub use weather::{Storm, Weather};

/// Plays the scenario in this weather to its end. The same three give the same run: what a broken
/// promise prints ([`verdict::Broken`]) is all that is needed to see it again.
pub fn play(scenario: &Scenario, weather: &Weather, seed: u64) -> Ending {
    world::World::new(scenario, weather, seed).play()
}
