//! `ryla warm export`: the caller's own jobs as a trace that `ryla warm simulate` reads, by the list route,
//! all pages of it.

use crate::client::Client;
use crate::connection::{Connection, DATA_FOLDER};
use crate::failure::Failure;
use crate::file::whole_file;
use crate::say;
use clap::Args;
use jiff::Timestamp;
use ryla_domain::model::catalog;
use ryla_replay::file::{Request, history_csv};
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

const ABOUT: &str = "\
Columns: timestamp_s (when the job was created), endpoint (the GPU class of its model), service_s and boot_s \
(seconds of work and of boot, where the worker measured them). Jobs that never reached a GPU backend are left \
out. The system keeps jobs for their retention: what is older is not there.";

/// Jobs a page: the most that the route gives.
const PAGE: usize = 100;

/// Write your own history as a trace for simulate
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(super) struct Export {
    /// Where the trace goes [default: standard output]
    #[arg(long, value_name = "TRACE.csv")]
    out: Option<PathBuf>,
    /// Only jobs created at that time or later, in ISO 8601
    #[arg(long, value_name = "TIME", value_parser = time)]
    after: Option<Timestamp>,
    /// Data folder of the `ryla dev` to speak to, where no system is named
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

/// What is read of a job.
#[derive(Deserialize)]
struct Job {
    model: String,
    created_at: String,
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    predict_time: Option<f64>,
    #[serde(default)]
    cold_start_seconds: Option<f64>,
    #[serde(default)]
    gpu_seconds: Option<f64>,
}

impl Export {
    pub(super) async fn run(&self) -> Result<(), Failure> {
        let target = self.connection.named_or_running(&self.data)?;
        let client = Client::new(&target)?;
        let after = self.after.map(|after| after.to_string());
        let filters: Vec<(&str, &str)> = after
            .iter()
            .map(|after| ("created_after", after.as_str()))
            .collect();
        let (mut requests, mut unsent, mut unread) = (Vec::new(), 0_u64, 0_u64);
        let take = |page: Vec<Value>| {
            for job in page {
                match Entry::of(job) {
                    Entry::Request(request) => requests.push(request),
                    Entry::Unsent => unsent += 1,
                    Entry::Unread => unread += 1,
                }
            }
            true
        };
        client.pages(PAGE, &filters, take).await?;
        for (number, why) in [
            (unsent, "never reached a GPU backend"),
            (unread, "have a shape that this command does not know"),
        ] {
            if number > 0 {
                say::note(format!("left out: {number} jobs {why}"));
            }
        }
        if requests.is_empty() {
            let why = "there are no jobs that reached a GPU backend: nothing to export";
            return Err(Failure::Usage(why.to_owned()));
        }
        let number = requests.len();
        let csv = history_csv(requests);
        match &self.out {
            Some(path) => {
                whole_file(path, &csv)?;
                say::note(format!("{}: {number} requests", path.display()));
            }
            None => say::line(csv.trim_end()),
        }
        Ok(())
    }
}

/// What a job is to a trace.
enum Entry {
    Request(Request),
    /// No backend was ever asked.
    Unsent,
    Unread,
}

impl Entry {
    fn of(job: Value) -> Self {
        let Ok(job) = serde_json::from_value::<Job>(job) else {
            return Self::Unread;
        };
        let Ok(created) = job.created_at.parse::<Timestamp>() else {
            return Self::Unread;
        };
        let Metrics {
            attempts,
            predict_time,
            cold_start_seconds,
            gpu_seconds,
        } = job.metrics;
        if attempts == 0 {
            return Self::Unsent;
        }
        let measured = gpu_seconds.map(|all| (all - cold_start_seconds.unwrap_or(0.0)).max(0.0));
        Self::Request(Request {
            timestamp_s: created.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64(),
            endpoint: class_of(&job.model),
            service_s: measured.or(predict_time),
            boot_s: cold_start_seconds,
        })
    }
}

/// The GPU class of a model; one that this build does not know stands for itself.
fn class_of(model: &str) -> String {
    let found = catalog().iter().find(|known| known.slug() == model);
    found.map_or_else(|| model.to_owned(), |known| known.class.to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "must be a time such as 2026-11-21T09:30:00Z".to_owned())
}
