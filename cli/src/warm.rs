//! `ryla warm`: what keeping GPU containers warm costs, and would cost. Needs no system: the simulator
//! and the policy are linked in.

mod simulate;

use crate::failure::Failure;
use clap::{Args, Subcommand};

/// See what keeping GPU containers warm would cost
#[derive(Debug, Args)]
pub(crate) struct Warm {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Replay a trace of arrivals against warm-up policies
    Simulate(simulate::Simulate),
}

impl Warm {
    /// Runs it.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.action {
            Action::Simulate(simulate) => simulate.run(),
        }
    }
}
