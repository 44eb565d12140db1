//! The command line: which commands there are. What each takes and does is in its own file.

use crate::failure::{EXIT_STATUS, Failure};
use crate::{accept, dev, generate, jobs, keys, warm};
use clap::{Parser, Subcommand};
use std::ffi::OsString;

/// Makes pictures as durable jobs, on a deployed system or all by itself
#[derive(Debug, Parser)]
#[command(name = "ryla", version, after_help = EXIT_STATUS, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a picture and save it
    #[command(disable_help_flag = true, override_help = generate::help())]
    Generate {
        /// The model, the prompt, and flags that depend on the model
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Keep the whole system up on this machine, until ^C
    Dev(dev::Dev),
    /// Look at jobs and cancel them
    Jobs(jobs::Jobs),
    /// Ask a system for samples of its models and judge them point by point
    Accept(accept::Accept),
    /// Make API keys
    Keys(keys::Keys),
    /// See what keeping GPU containers warm costs, and would cost
    Warm(warm::Warm),
}

impl Cli {
    /// Runs what was asked for.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Generate { words } => generate::run(&words).await,
            Command::Dev(dev) => dev.run().await,
            Command::Jobs(jobs) => jobs.run().await,
            Command::Accept(accept) => accept.run().await,
            Command::Warm(warm) => warm.run().await,
            Command::Keys(keys) => {
                keys.run();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn generate_takes_its_words_as_they_are() {
        let typed = [
            "ryla", "generate", "--json", "flux-dev", "--width", "512", "--help", "--", "--x",
        ];
        let Command::Generate { words } = Cli::try_parse_from(typed).unwrap().command else {
            panic!("another command");
        };
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words, typed[2..]);
    }
}
