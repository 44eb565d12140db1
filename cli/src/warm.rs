//! `ryla warm`: what keeping GPU containers warm costs, and would cost. `simulate` needs no system: the
//! simulator and the policy are linked in.

mod demo;
mod export;
mod simulate;
mod status;
mod trace;

use crate::failure::Failure;
use clap::{Args, Subcommand};

/// See what keeping GPU containers warm costs, and would cost
#[derive(Debug, Args)]
pub(crate) struct Warm {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Replay a trace of arrivals against warm-up policies
    Simulate(simulate::Simulate),
    /// Write your own history as a trace for simulate
    Export(export::Export),
    /// Show what is kept warm, why, and what it costs
    Status(status::Status),
    /// Play a trace through the system here, with and without, and compare
    Demo(demo::Demo),
}

impl Warm {
    /// Runs it.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Simulate(simulate) => simulate.run(),
            Action::Export(export) => export.run().await,
            Action::Status(status) => status.run().await,
            Action::Demo(demo) => demo.run().await,
        }
    }
}
