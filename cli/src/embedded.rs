//! The system inside this process: how it is started for one job or for `ryla dev`, and how its
//! preview GPU behaves.

use crate::connection::Target;
use crate::failure::Failure;
use clap::Args;
use ryla_domain::time::Ms;
use ryla_engine::settings::BadSettings;
use ryla_local::{Options, PreviewOptions, Stack};
use std::io;
use std::path::Path;

/// How long a run takes where nothing is said: long enough to see the bar, too short to wait for.
const RUN: Ms = Ms(800);

/// The longest boot or run that can be asked for.
const LONGEST_S: f64 = 3600.0;

/// How the preview GPU behaves.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Preview GPU (only where the system runs in this process)")]
pub(crate) struct Preview {
    /// How long a cold container takes to start [default: 0]
    #[arg(id = "preview-boot", long, value_name = "SECONDS", value_parser = seconds)]
    boot: Option<Ms>,
    /// How long a run takes [default: 0.8]
    #[arg(id = "preview-run", long, value_name = "SECONDS", value_parser = seconds)]
    run: Option<Ms>,
    /// Share of runs that fail, 0 to 1 [default: 0]
    #[arg(id = "preview-fail", long, value_name = "RATE", value_parser = rate)]
    fail: Option<f64>,
    /// Share of callbacks that get lost, 0 to 1 [default: 0]
    #[arg(id = "preview-lose-callbacks", long, value_name = "RATE", value_parser = rate)]
    lose_callbacks: Option<f64>,
}

impl Preview {
    /// What was asked for, and the defaults for the rest.
    pub(crate) fn options(&self) -> PreviewOptions {
        PreviewOptions {
            boot: self.boot.unwrap_or(Ms(0)),
            run: self.run.unwrap_or(RUN),
            fail: self.fail.unwrap_or(0.0),
            lose_callbacks: self.lose_callbacks.unwrap_or(0.0),
            ..PreviewOptions::default()
        }
    }

    /// A named system has GPUs of its own.
    pub(crate) fn refuse_on_a_named_system(&self) -> Result<(), Failure> {
        if *self == Self::default() {
            return Ok(());
        }
        Err(Failure::Usage(
            "the --preview flags only work where the system runs in this process; leave them out, or \
             --api-url and RYLA_API_URL"
                .to_owned(),
        ))
    }
}

/// A system in memory on a free port, for one job. It takes no settings from the environment: a GPU
/// backend that is configured there could not reach it.
pub(crate) async fn for_one_job(preview: &Preview) -> Result<Stack, Failure> {
    start(Options {
        preview: preview.options(),
        ..Options::default()
    })
    .await
}

/// Starts a system.
pub(crate) async fn start(options: Options) -> Result<Stack, Failure> {
    let listen = options.listen;
    let started = Box::pin(Stack::start(options)).await;
    started.map_err(|error| {
        if error.chain().any(<dyn std::error::Error>::is::<BadSettings>) {
            return Failure::Usage(error.to_string());
        }
        let io = |cause: &(dyn std::error::Error + 'static)| Some(cause.downcast_ref::<io::Error>()?.kind());
        if error.chain().filter_map(io).any(|kind| kind == io::ErrorKind::AddrInUse) {
            return Failure::unreachable(format!(
                "{listen} is taken by another program, or by another `ryla dev`; choose another with --listen"
            ));
        }
        Failure::unreachable(format!("the system does not start: {error:#}"))
    })
}

/// How that system is spoken to.
pub(crate) fn target(stack: &Stack) -> Target {
    Target {
        url: stack.url().to_owned(),
        key: Some(stack.api_key().to_owned()),
        ca: stack.ca_file().map(Path::to_owned),
    }
}

fn seconds(text: &str) -> Result<Ms, String> {
    let seconds: Option<f64> = text.parse().ok();
    match seconds.filter(|seconds| (0.0..=LONGEST_S).contains(seconds)) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 3,600,000"
        )]
        Some(seconds) => Ok(Ms((seconds * 1000.0) as u64)),
        None => Err(format!("must be seconds from 0 to {LONGEST_S}")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| (0.0..=1.0).contains(rate))
        .ok_or_else(|| "must be from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_rates_are_kept_within_reason() {
        assert_eq!(seconds("0.5"), Ok(Ms(500)));
        assert_eq!(rate("0.25"), Ok(0.25));
        for wrong in ["-1", "NaN", "inf", "1e9", "soon", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        for wrong in ["-0.1", "1.1", "NaN"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn preview_flags_and_a_named_system_exclude_each_other() {
        assert!(Preview::default().refuse_on_a_named_system().is_ok());
        let asked = Preview {
            run: Some(Ms(1)),
            ..Preview::default()
        };
        assert_eq!(
            asked.refuse_on_a_named_system().unwrap_err().exit_status(),
            2
        );
    }
}
