//! The `ryla` command: makes a picture, keeps the system up on a laptop, looks at jobs. Wiring only;
//! each command has a file of its own.

mod accept;
mod client;
mod command;
mod connection;
mod cost;
mod dev;
mod embedded;
mod failure;
mod file;
mod follow;
mod generate;
mod input_flags;
mod interrupt;
mod jobs;
mod keys;
mod log_level;
mod picture;
mod prediction;
mod problem;
mod progress;
mod report;
mod say;
mod table;
mod timeline;
mod tls;
mod warm;

use clap::Parser as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = command::Cli::parse().run().await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}
