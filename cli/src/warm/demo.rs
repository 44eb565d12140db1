//! `ryla warm demo`: a trace through the whole system on this machine, once with every class on its own
//! window and once with `warm` taking leases, and what both cost by the accounting of `ryla warm status`.

mod measured;
mod pass;
mod plan;

use crate::failure::Failure;
use crate::file::{refuse_overwriting, whole_file};
use crate::interrupt::Interrupt;
use crate::log_level::LogLevel;
use crate::say;
use crate::table;
use clap::Args;
use measured::Measured;
use pass::{Pass, Played};
use plan::Plan;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

const ABOUT: &str = "\
TRACE is CSV with the columns timestamp_s and endpoint, as for simulate; without one, half an hour of a \
generated service is played. An endpoint that is named as a GPU class is that class, the others are dealt \
over the classes; so are flux_pulid and video, of which no model makes a picture from a prompt alone.
Containers, runs, windows and leases live on a clock that is --speed times as fast as the machine's; jobs, \
messages and callbacks go through the real system at the machine's own pace, so that a request that takes \
this machine 50 ms too long waits three seconds longer at speed 60.
The first table is the system's own accounting: COST $ is idle seconds at --gpu-hour, and for each cold start \
the boot and --value. The second is counted at the containers: COST $ is idle and boot seconds at --gpu-hour, \
and for each wait the share of --value that it is of a boot. docs/WARM.md explains the model.";

/// Seconds of this machine's that a container may boot, or a job work, without being given up.
const LONGEST_S: f64 = 120.0;

/// Play a trace through the system here, with and without, and compare
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(super) struct Demo {
    /// Arrivals, as CSV, - for standard input [default: a generated service]
    #[arg(value_name = "TRACE.csv")]
    trace: Option<PathBuf>,
    /// Seconds of the trace in one of this machine, 1 to 240
    #[arg(long, value_name = "TIMES", default_value_t = 60.0, value_parser = speed, allow_negative_numbers = true)]
    speed: f64,
    /// Play the first minutes of the trace, 1 to 720
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=720))]
    minutes: u32,
    /// Seconds that a container boots, 0 to 600
    #[arg(long, value_name = "SECONDS", default_value_t = 45.0, value_parser = length, allow_negative_numbers = true)]
    cold: f64,
    /// Seconds that a request takes on a container, 0 to 600
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = length, allow_negative_numbers = true)]
    service: f64,
    /// Price of a GPU hour in dollars
    #[arg(long, value_name = "USD", default_value_t = 2.5, value_parser = dollars, allow_negative_numbers = true)]
    gpu_hour: f64,
    /// What a full cold wait costs you, in dollars
    #[arg(long, value_name = "USD", default_value_t = 0.25, value_parser = dollars, allow_negative_numbers = true)]
    value: f64,
    /// Most containers of a class, 1 to 20
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = containers)]
    max: usize,
    /// Seed of the generated service
    #[arg(long, value_name = "NUMBER", conflicts_with = "trace")]
    seed: Option<u64>,
    /// Write what happened to the containers, one JSON object a line
    #[arg(long, value_name = "EVENTS.jsonl")]
    events: Option<PathBuf>,
    #[command(flatten)]
    log_level: LogLevel,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) async fn run(&self) -> Result<(), Failure> {
        ryla_engine::log::to_stderr(self.log_level.or("warn"));
        self.fits()?;
        if let Some(out) = &self.events {
            refuse_overwriting(out, [self.trace.as_ref()])?;
        }
        let plan = Plan::read(self.trace.as_deref(), self.seed, self.minutes)?;
        let mut interrupt = Interrupt::listen()?;
        let mut played = Vec::new();
        for pass in Pass::ALL {
            say::note(format!(
                "playing {} requests {} leases, about {:.0} s",
                plan.arrivals.len(),
                pass.name(),
                self.seconds(&plan)
            ));
            let playing = Box::pin(pass::play(self, &plan, pass));
            let Some(one) = interrupt.or(playing).await else {
                return Err(Failure::Interrupted {
                    text: "the demo was stopped".to_owned(),
                    trace_id: None,
                });
            };
            let one = one?;
            if one.unsuccessful > 0 {
                say::note(format!(
                    "{} of {} jobs {} leases did not succeed: the figures are not those of the trace",
                    one.unsuccessful,
                    plan.arrivals.len(),
                    pass.name()
                ));
            }
            played.push((pass, one));
        }
        if let Some(path) = &self.events {
            whole_file(path, &lines(&played))?;
        }
        let passes: Vec<Value> = played
            .iter()
            .map(|(pass, one)| self.figures(*pass, one))
            .collect();
        if self.json {
            say::line(self.report(&plan, &passes));
        } else {
            say::line(self.told(&plan, &passes));
        }
        Ok(())
    }

    /// Jobs are timed by the machine's clock: one that boots or works too long on it would be given up.
    fn fits(&self) -> Result<(), Failure> {
        for (flag, length) in [("--cold", self.cold), ("--service", self.service)] {
            let real_s = length / self.speed;
            if real_s > LONGEST_S {
                return Err(Failure::Usage(format!(
                    "{flag} {length} takes {real_s:.0} s at --speed {}, and jobs wait {LONGEST_S} s: take a \
                     higher --speed",
                    self.speed
                )));
            }
        }
        Ok(())
    }

    /// What a pass takes of the machine's time: the plan, and some minutes until all is cold.
    fn seconds(&self, plan: &Plan) -> f64 {
        let last = plan
            .arrivals
            .last()
            .map_or(0.0, |last| last.after.as_secs_f64());
        (last + 600.0) / self.speed
    }

    /// Dollars of one cold start: the wait's worth, and the boot.
    fn cold_start_usd(&self) -> f64 {
        self.value + self.cold * self.gpu_hour / 3600.0
    }

    /// A pass in figures, all endpoints together and each by itself.
    fn figures(&self, pass: Pass, played: &Played) -> Value {
        let endpoints = played.warm["endpoints"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let sum = |figure: &str| -> f64 {
            let figures = endpoints
                .iter()
                .filter_map(|one| one["today"][figure].as_f64());
            figures.sum()
        };
        let (cold_starts, idle_usd) = (sum("cold_starts"), sum("idle_usd"));
        json!({
            "pass": pass.name(),
            "requests": sum("arrivals"),
            "unsuccessful": played.unsuccessful,
            "cold_starts": cold_starts,
            "cold_starts_avoided": sum("cold_starts_avoided"),
            "idle_seconds": sum("idle_seconds"),
            "idle_usd": idle_usd,
            "cost_usd": idle_usd + cold_starts * self.cold_start_usd(),
            "measured": Measured::of(&played.events, self),
            "endpoints": endpoints,
        })
    }

    fn report(&self, plan: &Plan, passes: &[Value]) -> Value {
        json!({
            "trace": self.trace.as_ref().map(|path| path.display().to_string()),
            "requests": plan.arrivals.len(),
            "minutes": self.minutes,
            "speed": self.speed,
            "cold_s": self.cold,
            "service_s": self.service,
            "gpu_hour_usd": self.gpu_hour,
            "value_usd": self.value,
            "cold_start_usd": self.cold_start_usd(),
            "classes": plan.classes.iter().map(|(name, class)| json!({"endpoint": name, "class": class})).collect::<Vec<_>>(),
            "passes": passes,
        })
    }

    fn told(&self, plan: &Plan, passes: &[Value]) -> String {
        let classes: Vec<String> = plan
            .classes
            .iter()
            .map(|(name, class)| format!("{name} as {class}"))
            .collect();
        let mut text = format!(
            "{} requests in {} minutes at {} times the speed: {}\nboot {} s, service {} s, ${}/h, ${} a cold wait, \
             so ${:.3} a cold start\n\n",
            plan.arrivals.len(),
            self.minutes,
            self.speed,
            classes.join(", "),
            self.cold,
            self.service,
            self.gpu_hour,
            self.value,
            self.cold_start_usd(),
        );
        let rows: Vec<[String; 8]> = passes.iter().map(accounted).collect();
        let heading = [
            "ACCOUNTED",
            "REQUESTS",
            "COLD",
            "COLD %",
            "SPARED",
            "IDLE s",
            "IDLE $",
            "COST $",
        ];
        text.push_str(&table::render(heading, &rows));
        let rows: Vec<[String; 7]> = passes.iter().map(measured).collect();
        let heading = [
            "MEASURED", "REQUESTS", "WAITED", "WAIT s", "BOOTS", "IDLE s", "COST $",
        ];
        let _ = write!(text, "\n\n{}", table::render(heading, &rows));
        if let [without, with] = passes {
            let (before, after) = (cost(without), cost(with));
            let _ = write!(
                text,
                "\n\nleases took the cost, measured, from ${before:.2} to ${after:.2} ({:.2} of it)",
                if before > 0.0 { after / before } else { 1.0 }
            );
        }
        text
    }
}

fn cost(pass: &Value) -> f64 {
    figure_of(&pass["measured"], "cost_usd")
}

fn figure_of(pass: &Value, figure: &str) -> f64 {
    pass[figure].as_f64().unwrap_or_default()
}

fn accounted(pass: &Value) -> [String; 8] {
    let figure = |name: &str| figure_of(pass, name);
    let requests = figure("requests");
    [
        name_of(pass),
        format!("{requests:.0}"),
        format!("{:.0}", figure("cold_starts")),
        format!("{:.0}", figure("cold_starts") / requests.max(1.0) * 100.0),
        format!("{:.0}", figure("cold_starts_avoided")),
        format!("{:.0}", figure("idle_seconds")),
        format!("{:.3}", figure("idle_usd")),
        format!("{:.3}", figure("cost_usd")),
    ]
}

fn measured(pass: &Value) -> [String; 7] {
    let figure = |name: &str| figure_of(&pass["measured"], name);
    [
        name_of(pass),
        format!("{:.0}", figure("requests")),
        format!("{:.0}", figure("waited")),
        format!("{:.0}", figure("wait_seconds")),
        format!("{:.0}", figure("boots")),
        format!("{:.0}", figure("idle_seconds")),
        format!("{:.3}", figure("cost_usd")),
    ]
}

fn name_of(pass: &Value) -> String {
    format!("{} leases", pass["pass"].as_str().unwrap_or_default())
}

/// Both logs of events, one object a line.
fn lines(played: &[(Pass, Played)]) -> String {
    let mut text = String::new();
    for (pass, one) in played {
        for event in &one.events {
            let mut line = serde_json::to_value(event).unwrap_or_default();
            line["pass"] = json!(pass.name());
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn speed(text: &str) -> Result<f64, String> {
    within(text, 1.0, 240.0)
}

fn length(text: &str) -> Result<f64, String> {
    within(text, 0.0, 600.0)
}

fn dollars(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1000.0)
}

fn containers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=20).contains(n));
    number.ok_or_else(|| "must be 1 to 20".to_owned())
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|n: &f64| (least..=most).contains(n));
    number.ok_or_else(|| format!("must be {least} to {most}"))
}
