//! `ryla accept`: asks a system for samples of its models, at once and one after the other, and says
//! point by point whether it keeps what the models were ordered for. What cannot be seen over the API, or
//! means nothing on a preview GPU or a CPU, is said to be open and never passed. ^C ends it with a report
//! of what it has.

mod gpu_app;
mod judge;
mod likeness;
mod report;
mod sample;
mod seen;

use crate::client::Client;
use crate::connection::Connection;
use crate::embedded::{self, Preview};
use crate::failure::Failure;
use crate::input_flags::file;
use crate::interrupt::Interrupt;
use crate::log_level::LogLevel;
use crate::prediction::Model;
use crate::say;
use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use gpu_app::GpuApp;
use judge::Verdict;
use sample::Given;
use seen::{AT_ONCE, Measured};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The first seed of those that come at once: other pictures than the samples.
const AT_ONCE_SEED: u64 = 1_001;

/// Ask a system for samples of its models and judge them point by point
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// Only these models, separated by commas; all of the system's otherwise
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    models: Vec<String>,
    /// Samples of each model, one after the other
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    samples: u16,
    /// Picture of a face, for the models that need one: a path or an https URL
    #[arg(long, value_name = "FILE|URL")]
    reference: Option<String>,
    /// Name of a LoRA of the deployment, for the models that need one
    #[arg(long, value_name = "ID")]
    lora: Option<String>,
    /// Write the report there, in Markdown; it is printed otherwise
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log_level: LogLevel,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    gpu_app: GpuApp,
    #[command(flatten)]
    preview: Preview,
}

impl Accept {
    /// Runs it; a point that fails is exit status 1.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        ryla_engine::log::to_stderr(self.log_level.or("warn"));
        let given = Given {
            reference: self
                .reference
                .as_deref()
                .map(file::value)
                .transpose()
                .map_err(|problem| Failure::Usage(format!("--reference: {problem}")))?,
            lora: self.lora.clone(),
        };
        // Before anything is paid for: a report that cannot be written would be lost.
        let mut out = self.out.as_deref().map(opened).transpose()?;
        let mut interrupt = Interrupt::listen()?;
        let mut measured = Vec::new();
        let ended = interrupt
            .or(self.on_a_system(&given, &mut measured))
            .await
            .transpose()?;
        let target = self.connection.named();
        let system = target.map_or_else(
            || "a system in this process".to_owned(),
            |target| target.url,
        );
        let text = report::markdown(&system, self.samples, &measured, ended.is_none());
        match out.as_mut().zip(self.out.as_deref()) {
            None => say::line(text),
            Some((file, path)) => match writeln!(file, "{text}") {
                Ok(()) => say::note(format!("the report is in {}", path.display())),
                Err(error) => {
                    say::line(text);
                    return Err(not_writable(path, &error));
                }
            },
        }
        if ended.is_none() {
            return Err(Failure::Interrupted {
                text: "stopped; jobs that were begun go on".to_owned(),
                trace_id: None,
            });
        }
        let points = measured.iter().flat_map(judge::points);
        match points
            .filter(|point| point.verdict == Verdict::Fail)
            .count()
        {
            0 => Ok(()),
            failed => Err(Failure::Job {
                text: format!("points that failed: {failed}"),
                trace_id: None,
            }),
        }
    }

    /// On the named system, or on one that is started for it. What was seen stays where it is dropped.
    async fn on_a_system(&self, given: &Given, seen: &mut Vec<Measured>) -> Result<(), Failure> {
        if let Some(target) = self.connection.named() {
            self.preview.refuse_on_a_named_system()?;
            let client = Client::new(&target)?;
            return self
                .measure(&client, Some(&self.gpu_app), given, seen)
                .await;
        }
        let stack = embedded::for_one_job(&self.preview).await?;
        let done = match Client::new(&embedded::target(&stack)) {
            Ok(client) => self.measure(&client, None, given, seen).await,
            Err(failure) => Err(failure),
        };
        stack.shutdown().await;
        done
    }

    async fn measure(
        &self,
        client: &Client,
        app: Option<&GpuApp>,
        given: &Given,
        seen: &mut Vec<Measured>,
    ) -> Result<(), Failure> {
        for model in self.chosen(client.models().await?)? {
            say::note(format!("{} ...", model.name));
            seen.push(Measured::of(&model.name, usize::from(self.samples)));
            if let Some(measured) = seen.last_mut() {
                self.measure_one(client, app, &model, given, measured).await;
            }
        }
        Ok(())
    }

    /// The models that were asked for; a wrong name is wrong use before anything is paid for.
    fn chosen(&self, known: Vec<Model>) -> Result<Vec<Model>, Failure> {
        let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let wanted: Vec<String> = self.models.iter().map(|name| bare(name.trim())).collect();
        let unknown = |name: &&String| known.iter().all(|model| model.name != **name);
        if let Some(name) = wanted.iter().find(unknown) {
            let names: Vec<&str> = known.iter().map(|model| model.name.as_str()).collect();
            return Err(Failure::Usage(format!(
                "there is no model `{name}`. The models are: {}",
                names.join(", ")
            )));
        }
        let keep = |model: &Model| wanted.is_empty() || wanted.contains(&model.name);
        Ok(known.into_iter().filter(keep).collect())
    }

    async fn measure_one(
        &self,
        client: &Client,
        app: Option<&GpuApp>,
        model: &Model,
        given: &Given,
        measured: &mut Measured,
    ) {
        let input = match sample::input(model, given) {
            Ok(input) => input,
            Err(wanting) => {
                measured.wanting = Some(wanting);
                return;
            }
        };
        measured.uses_lora = input.contains_key(sample::LORA);
        measured.uses_reference = given.reference.is_some() && sample::takes_picture(model);
        for seed in 1..=u64::from(self.samples) {
            let sample = sample::run(client, model, &input, seed).await;
            measured.samples.push(sample);
        }
        let mut at_once: FuturesUnordered<_> = (AT_ONCE_SEED..)
            .take(AT_ONCE)
            .map(|seed| sample::run(client, model, &input, seed))
            .collect();
        while let Some(sample) = at_once.next().await {
            measured.at_once.push(sample);
        }
        measured.app = match app {
            Some(app) => app.said(&model.name).await,
            None => Err("a preview GPU has no model files".to_owned()),
        };
    }
}

fn opened(out: &Path) -> Result<File, Failure> {
    File::create(out).map_err(|error| not_writable(out, &error))
}

fn not_writable(out: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("{} cannot be written: {error}", out.display()))
}
