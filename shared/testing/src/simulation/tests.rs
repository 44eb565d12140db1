//! The simulation's own runs: every single fault on every path, and many drawn ones together.

mod drawn;
mod itself;
mod single;

use super::{Ending, Fault, Scenario, Weather, play};

/// Plays it; a run that broke a promise stops the test with everything needed to see it again.
fn kept(scenario: &Scenario, faults: &[Fault], seed: u64) -> Ending {
    match play(scenario, &Weather::of(faults), seed).judged() {
        Ok(ending) => ending,
        Err(broken) => panic!("{broken}"),
    }
}
