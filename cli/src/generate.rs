//! `ryla generate`: a picture from a prompt, on the system that is named, or on one that lives in
//! this process for as long as the command does. Either way it speaks HTTP.

mod arguments;

pub(crate) use arguments::help;

use crate::client::Client;
use crate::embedded;
use crate::failure::Failure;
use crate::follow;
use crate::input_flags::InputFlags;
use crate::interrupt::Interrupt;
use crate::keys;
use crate::picture::{self, Place, Saved};
use crate::prediction::{Model, Prediction};
use crate::progress::Progress;
use crate::report::{self, Report};
use crate::say;
use arguments::{Options, Words};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::Duration;

/// How long ^C waits for the answer to a submit: only then there is a job that can be canceled.
const ANSWER: Duration = Duration::from_secs(10);

/// The command, with everything behind `generate`.
pub(crate) async fn run(typed: &[OsString]) -> Result<(), Failure> {
    let words = Words::read(typed)?;
    let options = words.options()?;
    ryla_engine::log::to_stderr(options.log_level.or("warn"));
    let mut interrupt = Interrupt::listen()?;
    let mut job = None;
    let done = on_a_system(&words, &options, &mut interrupt, &mut job).await;
    if options.json {
        match &done {
            Ok(saved) => say::line(report(job.as_ref(), saved).json()),
            // Wrong flags and help are told by clap alone.
            Err(Failure::Flags(_)) => {}
            Err(failure) => say::line(Report::of_failure(failure, job.as_ref()).json()),
        }
    } else if let Some(job) = job.as_ref().filter(|job| job.status.is_terminal()) {
        say::line(report::text(job, done.as_deref().unwrap_or_default()));
    }
    done.map(drop)
}

fn report(job: Option<&Prediction>, saved: &[Saved]) -> Report {
    job.map(|job| Report::of(job, saved)).unwrap_or_default()
}

/// Makes the picture on the named system, or on one that is started for it and ends with it.
async fn on_a_system(
    words: &Words,
    options: &Options,
    interrupt: &mut Interrupt,
    job: &mut Option<Prediction>,
) -> Result<Vec<Saved>, Failure> {
    if let Some(target) = options.connection.named() {
        options.preview.refuse_on_a_named_system()?;
        return picture(&Client::new(&target)?, words, options, interrupt, job).await;
    }
    let Some(started) = interrupt.or(embedded::for_one_job(&options.preview)).await else {
        return Err(stopped());
    };
    let stack = started?;
    let target = embedded::target(&stack);
    let done = match Client::new(&target) {
        Ok(client) => picture(&client, words, options, interrupt, job).await,
        Err(failure) => Err(failure),
    };
    stack.shutdown().await;
    done
}

async fn picture(
    client: &Client,
    words: &Words,
    options: &Options,
    interrupt: &mut Interrupt,
    job: &mut Option<Prediction>,
) -> Result<Vec<Saved>, Failure> {
    let found = interrupt.or(model(client, words.model())).await;
    let model = found.ok_or_else(stopped)??;
    let schema = model.input_schema().ok_or_else(|| {
        Failure::unreachable(format!(
            "{} comes without a schema of its input",
            model.name
        ))
    })?;
    let flags = InputFlags::of(schema, &arguments::own_names());
    let typed = words.typed(&model, &flags)?;
    let mut input = flags.read(&typed);
    arguments::format_of(options.out.as_deref(), schema, &mut input);
    let place = Place::new(options.out.as_deref())?;

    let mut progress = Progress::new(options.json);
    let submitted = submit(client, &model, &input, interrupt, job).await;
    submitted.map_err(|failure| failure.naming(|field| flags.name(field)))?;
    let Some(first) = job.clone() else {
        return Err(stopped());
    };
    let Some(ended) = interrupt
        .or(follow::until_ended(client, first, &mut progress))
        .await
    else {
        progress.clear();
        return Err(cancel(client, job).await);
    };
    progress.clear();
    let ended = ended.map_err(|failure| goes_on(failure, job.as_ref()))?;
    *job = Some(ended.clone());
    if let Some(text) = ended.why_not() {
        let trace_id = ended.metrics.trace_id;
        return Err(Failure::Job { text, trace_id });
    }
    let saved = interrupt.or(picture::save(client, &ended, &place)).await;
    saved
        .ok_or_else(stopped)?
        .map_err(|failure| left_there(&failure, &ended))
}

/// The model of that name; where there is none, the failure lists those that exist.
async fn model(client: &Client, name: &str) -> Result<Model, Failure> {
    let (owner, bare) = name.split_once('/').unwrap_or(("ryla", name));
    if let Some(model) = client.model(owner, bare).await? {
        return Ok(model);
    }
    let models = client.models().await?;
    let mut text = format!("there is no model `{name}`. The models are:");
    for model in models {
        let description = model.description.unwrap_or_default();
        // Writing into a string cannot fail.
        let _ = write!(text, "\n  {:<16}{description}", model.name);
    }
    Err(Failure::Usage(text))
}

/// Creates the job. After ^C the answer is still waited for, since the job may exist already.
async fn submit(
    client: &Client,
    model: &Model,
    input: &Map<String, Value>,
    interrupt: &mut Interrupt,
    job: &mut Option<Prediction>,
) -> Result<(), Failure> {
    let key = keys::random("cli-");
    let mut submit = Box::pin(client.submit(model, input, &key));
    if let Some(submitted) = interrupt.or(&mut submit).await {
        *job = Some(submitted?);
        return Ok(());
    }
    let late = interrupt.or(tokio::time::timeout(ANSWER, submit)).await;
    let Some(Ok(Ok(late))) = late else {
        return Err(stopped());
    };
    *job = Some(late);
    Err(cancel(client, job).await)
}

/// Cancels the job after ^C.
async fn cancel(client: &Client, job: &mut Option<Prediction>) -> Failure {
    let Some(open) = job.clone() else {
        return stopped();
    };
    let trace_id = open.metrics.trace_id;
    let text = match client
        .cancel(&open.id)
        .await
        .and_then(|shown| client.read(shown))
    {
        Ok(now) => {
            let text = match now.status {
                status if status.is_terminal() => format!("stopped; job {} is {status}", now.id),
                _ => format!("stopped; job {} is being canceled", now.id),
            };
            *job = Some(now);
            text
        }
        Err(failure) => format!(
            "stopped, but job {} could not be canceled ({}); try `ryla jobs cancel {0}`",
            open.id,
            failure.text()
        ),
    };
    Failure::Interrupted { text, trace_id }
}

fn stopped() -> Failure {
    Failure::Interrupted {
        text: "stopped".to_owned(),
        trace_id: None,
    }
}

/// A job whose system went out of sight is not lost.
fn goes_on(failure: Failure, job: Option<&Prediction>) -> Failure {
    let Some(job) = job else { return failure };
    match failure {
        Failure::Unreachable { text, trace_id } => Failure::Unreachable {
            text: format!("{text}\nThe job goes on: `ryla jobs watch {}`", job.id),
            trace_id: trace_id.or_else(|| job.metrics.trace_id.clone()),
        },
        other => other,
    }
}

/// A job that succeeded and whose picture could not be brought here.
fn left_there(failure: &Failure, job: &Prediction) -> Failure {
    let urls = job.output_urls().join(" ");
    let place = if urls.is_empty() {
        String::new()
    } else {
        format!("\nIt is at {urls}")
    };
    Failure::Unsaved {
        text: format!("{}{place}", failure.text()),
        trace_id: job.metrics.trace_id.clone(),
    }
}
