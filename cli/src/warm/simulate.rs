//! `ryla warm simulate`: a trace against warm-up policies, as a table, as JSON, as a picture.

use crate::failure::Failure;
use crate::file::{refuse_overwriting, whole_file};
use crate::say;
use crate::table;
use crate::warm::trace::read;
use clap::Args;
use ryla_replay::plot;
use ryla_replay::score::{Figures, NoPolicy, Policy, bounds, score};
use ryla_replay::setting::Setting;
use ryla_replay::trace::Trace;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ABOUT: &str = "\
TRACE is CSV with the columns timestamp_s (seconds) and endpoint; other columns are passed over.
Policies: never-SECONDS (nothing but that window), always-FLOOR, cron (a ping every 5 minutes from 17 to \
2 o'clock, window 60 s; cron-SECONDS for another), hybrid (histogram of idle times), ski-rental (window \
at break-even), adaptive (ours), clairvoyant (knows the future, nobody waits).
Costs leave out GPU time at work, which is the same for all. docs/WARM.md explains the model.";

/// Replay a trace of arrivals against warm-up policies
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(super) struct Simulate {
    /// Arrivals, as CSV; - reads them from standard input
    #[arg(value_name = "TRACE.csv")]
    trace: PathBuf,
    /// Policies to play, separated by commas [default: all nine]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = policy)]
    policy: Vec<Policy>,
    /// Seconds that a container boots
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 45.0,
        allow_negative_numbers = true
    )]
    cold: f64,
    /// Seconds that a request takes on a container
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20.0,
        allow_negative_numbers = true
    )]
    service: f64,
    /// Price of a GPU hour in dollars
    #[arg(
        long,
        value_name = "USD",
        default_value_t = 2.5,
        allow_negative_numbers = true
    )]
    gpu_hour: f64,
    /// What a full cold wait costs you, in dollars
    #[arg(
        long,
        value_name = "USD",
        default_value_t = 0.05,
        allow_negative_numbers = true
    )]
    value: f64,
    /// Most containers of an endpoint
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 20,
        allow_negative_numbers = true
    )]
    max: usize,
    /// each: every endpoint with containers of its own; all: one pool for all; or an endpoint's name
    #[arg(long, value_name = "WHICH", default_value = "each")]
    endpoint: String,
    /// A trace that adaptive has lived through before
    #[arg(long, value_name = "TRACE.csv", conflicts_with = "split")]
    learn: Option<PathBuf>,
    /// Let adaptive live through that share of the time first, and score all policies on the rest
    #[arg(long, value_name = "SHARE", value_parser = share)]
    split: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Draw cost against the value of a cold wait, and a day's timeline
    #[arg(long, value_name = "OUT.svg")]
    plot: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "must lie between 0 and 1".to_owned())
}

fn policy(text: &str) -> Result<Policy, NoPolicy> {
    text.trim().parse()
}

/// A policy or bound by name, and what it cost.
type Row = (String, Figures);

impl Simulate {
    pub(super) fn run(&self) -> Result<(), Failure> {
        if self.gpu_hour < 0.0 {
            let price = self.gpu_hour;
            return Err(usage(format!("--gpu-hour must be at least 0, not {price}")));
        }
        let setting = Setting {
            cold_s: self.cold,
            service_s: self.service,
            usd_per_s: self.gpu_hour / 3600.0,
            value_usd: self.value,
            max_containers: self.max,
        };
        let setting = setting.checked().map_err(usage)?;
        if let Some(out) = &self.plot {
            refuse_overwriting(out, [Some(&self.trace), self.learn.as_ref()])?;
        }
        if self
            .learn
            .iter()
            .chain([&self.trace])
            .filter(|path| path.as_path() == Path::new("-"))
            .count()
            > 1
        {
            return Err(usage("one trace at most can come from standard input"));
        }
        let (trace, learnt) = self.traces()?;
        self.note_times(&trace);
        let learnt = learnt.as_ref();
        let policies = if self.policy.is_empty() {
            &Policy::ALL[..]
        } else {
            &self.policy
        };
        let mut rows = Vec::new();
        for policy in policies {
            let figures = score(*policy, &trace, learnt, &setting).map_err(usage)?;
            rows.push((policy.to_string(), figures));
        }
        let bounds = bounds(&trace, &setting).map(|(name, figures)| (name.to_owned(), figures));
        if self.json {
            say::line(self.report(&trace, &rows, &bounds));
        } else {
            say::line(self.heading(&trace, &setting));
            say::line(rendered(&rows, &bounds));
        }
        if let Some(path) = &self.plot {
            let picture = plot::svg(&trace, learnt, policies, &setting).map_err(usage)?;
            whole_file(path, &picture)?;
            say::note(format!("drawn: {}", path.display()));
        }
        Ok(())
    }

    /// What is scored, and what was lived through before.
    fn traces(&self) -> Result<(Trace, Option<Trace>), Failure> {
        let trace = self.chosen(&read(&self.trace)?)?;
        if let Some(share) = self.split {
            let (before, rest) = trace.split(share).map_err(usage)?;
            return Ok((rest, Some(before)));
        }
        let learnt = match &self.learn {
            // An endpoint that is new in the second trace has nothing to be learnt of in the first.
            Some(path) => self.chosen(&read(path)?).ok(),
            None => None,
        };
        Ok((trace, learnt))
    }

    fn chosen(&self, trace: &Trace) -> Result<Trace, Failure> {
        match self.endpoint.as_str() {
            "each" => Ok(trace.clone()),
            "all" => Ok(trace.pooled()),
            name => trace.only(name).map_err(usage),
        }
    }

    /// What the trace itself says of boot and service, where that is far from what is played.
    fn note_times(&self, trace: &Trace) {
        for (flag, what, played, measured) in [
            ("--cold", "boot", self.cold, trace.times.boot_s),
            ("--service", "service", self.service, trace.times.service_s),
        ] {
            if let Some(median) = measured.filter(|s| (s - played).abs() > played * 0.2) {
                say::note(format!(
                    "the trace's median {what} is {median:.1} s, and {played} s are played: {flag} {median:.1} \
                     plays it as it was"
                ));
            }
        }
    }

    fn heading(&self, trace: &Trace, setting: &Setting) -> String {
        let (first, last) = trace.span();
        format!(
            "{}: {} requests, {} endpoint(s), {:.2} days; boot {} s, service {} s, ${}/h, ${} a cold wait, break-even {:.0} s",
            self.trace.display(),
            trace.requests(),
            trace.endpoints.len(),
            (last - first) / 86_400.0,
            self.cold,
            self.service,
            self.gpu_hour,
            self.value,
            setting.break_even_s(),
        )
    }

    fn report(&self, trace: &Trace, rows: &[Row], bounds: &[Row]) -> Value {
        let entries = |rows: &[Row]| -> Vec<Value> { rows.iter().map(entry).collect() };
        json!({
            "trace": self.trace.display().to_string(),
            "endpoint": self.endpoint,
            "requests": trace.requests(),
            "endpoints": trace.endpoints.len(),
            "cold_s": self.cold,
            "service_s": self.service,
            "gpu_hour_usd": self.gpu_hour,
            "value_usd": self.value,
            "policies": entries(rows),
            "bounds": entries(bounds),
        })
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn entry((name, figures): &Row) -> Value {
    json!({
        "policy": name,
        "total_usd_per_1000": figures.total_usd_per_1000(),
        "gpu_usd_per_1000": figures.gpu_usd_per_1000(),
        "cold_share": figures.cold_share(),
        "mean_wait_s": figures.wait_s / figures.requests,
        "p95_wait_s": figures.p95_wait_s,
        "idle_gpu_hours": figures.idle_gpu_hours(),
        "boots": figures.boots,
    })
}

fn rendered(rows: &[Row], bounds: &[Row]) -> String {
    let cells = |(name, figures): &Row| {
        [
            name.clone(),
            format!("{:.2}", figures.total_usd_per_1000()),
            format!("{:.2}", figures.gpu_usd_per_1000()),
            format!("{:.1}", figures.cold_share() * 100.0),
            format!("{:.1}", figures.wait_s / figures.requests),
            format!("{:.1}", figures.idle_gpu_hours()),
            format!("{}", figures.boots),
        ]
    };
    let all: Vec<[String; 7]> = rows.iter().chain(bounds).map(cells).collect();
    let heading = [
        "POLICY",
        "$/1000",
        "GPU $/1000",
        "COLD %",
        "WAIT s",
        "IDLE h",
        "BOOTS",
    ];
    table::render(heading, &all)
}
