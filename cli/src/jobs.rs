//! `ryla jobs`: looks at jobs and cancels them, on the named system or on the `ryla dev` that keeps its
//! data here.

use crate::client::Client;
use crate::connection::{Connection, DATA_FOLDER};
use crate::failure::Failure;
use crate::follow;
use crate::interrupt::Interrupt;
use crate::prediction::Prediction;
use crate::progress::Progress;
use crate::report::{self, Report};
use crate::say;
use crate::table::{self, shortened};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;

/// Characters of a prompt that a list shows.
const PROMPT_CHARS: usize = 48;

/// Look at jobs and cancel them
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Print JSON: what the API shows; of watch, the same object as generate
    #[arg(long, global = true)]
    json: bool,
    /// Data folder of the `ryla dev` to speak to, where no system is named
    #[arg(long, global = true, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The newest jobs
    List {
        /// At most that many
        #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// One job
    Get {
        /// Its id
        id: String,
    },
    /// Stop a job; one that has ended stays as it is
    Cancel {
        /// Its id
        id: String,
    },
    /// Follow a job to its end; fails if the job does
    Watch {
        /// Its id
        id: String,
    },
}

impl Jobs {
    /// Runs it.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let target = self.common.connection.named_or_running(&self.common.data)?;
        let client = Client::new(&target)?;
        let json = self.common.json;
        match self.action {
            Action::List { limit } => list(&client, limit.into(), json).await,
            Action::Get { id } => show(&client, client.get(&id).await?, json),
            Action::Cancel { id } => show(&client, client.cancel(&id).await?, json),
            Action::Watch { id } => watch(&client, &id, json).await,
        }
    }
}

async fn list(client: &Client, limit: usize, json: bool) -> Result<(), Failure> {
    let jobs = client.list(limit).await?;
    if json {
        say::line(Value::Array(jobs));
        return Ok(());
    }
    if jobs.is_empty() {
        say::note("there are no jobs yet");
        return Ok(());
    }
    let read = jobs.into_iter().map(|job| client.read(job));
    let jobs: Vec<Prediction> = read.collect::<Result<_, _>>()?;
    let rows: Vec<[String; 5]> = jobs.iter().map(row).collect();
    say::line(table::render(
        ["ID", "STATUS", "CREATED (UTC)", "MODEL", "PROMPT"],
        &rows,
    ));
    Ok(())
}

fn row(job: &Prediction) -> [String; 5] {
    [
        job.id.clone(),
        job.status.to_string(),
        created(job),
        job.model_name().to_owned(),
        shortened(prompt(job), PROMPT_CHARS),
    ]
}

fn show(client: &Client, shown: Value, json: bool) -> Result<(), Failure> {
    if json {
        say::line(shown);
    } else {
        say::line(details(&client.read(shown)?));
    }
    Ok(())
}

/// Everything that people ask of a job.
fn details(job: &Prediction) -> String {
    let mut lines = vec![
        format!(
            "status    {}",
            job.why_not().map_or_else(
                || job.status.to_string(),
                |why| format!("{}: {why}", job.status)
            )
        ),
        format!("model     {}", job.model),
        format!("created   {} UTC", created(job)),
        format!("prompt    {}", prompt(job)),
    ];
    lines.extend(
        job.output_urls()
            .iter()
            .map(|url| format!("output    {url}")),
    );
    if let Some(trace_id) = &job.metrics.trace_id {
        lines.push(format!("trace id  {trace_id}"));
    }
    lines.push(format!("\n{}", report::text(job, &[])));
    lines.join("\n")
}

/// To the second, as ISO 8601 has it.
fn created(job: &Prediction) -> String {
    let created = job.created_at.as_deref().unwrap_or_default();
    created
        .chars()
        .take(19)
        .collect::<String>()
        .replace('T', " ")
}

fn prompt(job: &Prediction) -> &str {
    job.input
        .get("prompt")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Follows the job; ^C stops the watching and not the job.
async fn watch(client: &Client, id: &str, json: bool) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen()?;
    let mut progress = Progress::new(json);
    let work = async {
        let first = client.prediction(id).await?;
        follow::until_ended(client, first, &mut progress).await
    };
    let ended = interrupt.or(work).await;
    progress.clear();
    let job = ended.ok_or_else(|| Failure::Interrupted {
        text: format!("stopped watching; job {id} goes on"),
        trace_id: None,
    })??;
    if json {
        say::line(Report::of(&job, &[]).json());
    } else {
        say::line(report::text(&job, &[]));
        for url in job.output_urls() {
            say::line(format!("url   {url}"));
        }
    }
    match job.why_not() {
        Some(text) => Err(Failure::Job {
            text,
            trace_id: job.metrics.trace_id,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(more: Value) -> Prediction {
        let mut job = json!({
            "id": "j1", "model": "ryla/flux-dev", "status": "succeeded", "created_at": "2026-11-21T09:30:00.123Z",
            "input": { "prompt": "a lighthouse\nat dusk", "seed": 7 }, "output": "http://x/o/1-0.jpg",
            "metrics": { "trace_id": "t1", "cost_usd": 0.0108, "provider": "modal" },
        });
        if let (Some(all), Value::Object(more)) = (job.as_object_mut(), more) {
            all.extend(more);
        }
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_row_has_one_line_whatever_the_prompt() {
        let row = row(&job(json!({})));
        assert_eq!(
            row,
            [
                "j1",
                "succeeded",
                "2026-11-21 09:30:00",
                "flux-dev",
                "a lighthouse…"
            ]
        );
    }

    #[test]
    fn the_details_hold_what_people_ask_for() {
        let text = details(&job(json!({})));
        for part in [
            "status    succeeded\n",
            "output    http://x/o/1-0.jpg\n",
            "trace id  t1\n",
            "cost  $0.0108",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let failed = json!({ "status": "failed", "error": "Too large.", "output": null,
                             "metrics": { "error_code": "gpu_oom" } });
        let text = details(&job(failed));
        assert!(
            text.starts_with("status    failed: Too large. (gpu_oom)\n"),
            "{text}"
        );
        assert!(text.ends_with("cost  unknown"), "{text}");
    }

    #[test]
    fn a_job_of_which_all_but_the_figures_was_removed_is_still_shown() {
        let removed = job(json!({ "input": {}, "output": null }));
        assert!(details(&removed).contains("prompt    \n"));
        assert_eq!(row(&removed)[4], "");
    }
}
