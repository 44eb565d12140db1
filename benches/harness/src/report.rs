//! The comparison as a Markdown table: medians of the rounds, ratios made within each round, and what was
//! aimed at.

use crate::compare::Measured;
use crate::stats::{Spread, percentile};
use crate::usage::{Count, Usage};
use crate::world::FUNCTIONS;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Rounds of two sides: ours first, the baseline second.
type Rounds = [Vec<Measured>];

/// A line of the table: what, how it is read from a measurement, and what is aimed at.
struct Line {
    what: &'static str,
    value: fn(&Measured) -> f64,
    unit: &'static str,
    digits: usize,
    /// Larger is better.
    rate: bool,
    /// How many times better ours shall be.
    goal: Option<f64>,
}

const LINES: [Line; 7] = [
    line(
        "P1 submit to visible, p50",
        |m| m.percentile(0.5),
        "ms",
        6.0,
    ),
    line(
        "P1 submit to visible, p99",
        |m| m.percentile(0.99),
        "ms",
        6.0,
    ),
    line(
        "P3 process start to first reply, median",
        |m| percentile(&m.all_starts(), 0.5),
        "ms",
        10.0,
    ),
    line(
        "P3 the slowest start",
        |m| percentile(&m.all_starts(), 1.0),
        "ms",
        10.0,
    ),
    Line {
        goal: None,
        ..line(
            "P4 peak RSS, largest function",
            Measured::peak_mib,
            "MiB",
            0.0,
        )
    },
    Line {
        rate: true,
        digits: 0,
        ..line(
            "P5 jobs per second at saturation",
            |m| m.jobs_per_s,
            "/s",
            8.0,
        )
    },
    line(
        "P5 CPU time of the functions for a job",
        |m| m.cpu_ms_per_job,
        "ms",
        10.0,
    ),
];

const fn line(
    what: &'static str,
    value: fn(&Measured) -> f64,
    unit: &'static str,
    goal: f64,
) -> Line {
    Line {
        what,
        value,
        unit,
        digits: 2,
        rate: false,
        goal: Some(goal),
    }
}

/// The whole report.
pub fn markdown(rounds: &Rounds) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = figures(&mut text, rounds);
    let _ = starts(&mut text, rounds);
    let _ = memory(&mut text, rounds);
    let _ = requests(&mut text, rounds);
    text
}

fn figures(text: &mut String, rounds: &Rounds) -> std::fmt::Result {
    writeln!(
        text,
        "| | RYLA | baseline | times better: median (range) | goal | |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---|")?;
    for line in &LINES {
        let values = |side| of_side(rounds, side, line.value);
        let (ours, theirs) = (values(0), values(1));
        let ratios: Vec<f64> = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| {
                if line.rate {
                    ours / theirs
                } else {
                    theirs / ours
                }
            })
            .collect();
        let ratio = Spread::of(&ratios);
        let (goal, met) = match line.goal {
            Some(goal) if ratio.median >= goal => (format!("{goal:.0}x"), "reached"),
            Some(goal) => (format!("{goal:.0}x"), "not reached"),
            None => (String::new(), ""),
        };
        writeln!(
            text,
            "| {} | {} | {} | **{:.1}x** ({:.1}-{:.1}) | {goal} | {met} |",
            line.what,
            shown(line, &ours),
            shown(line, &theirs),
            ratio.median,
            ratio.min,
            ratio.max,
        )?;
    }
    Ok(())
}

fn shown(line: &Line, values: &[f64]) -> String {
    let Line { unit, digits, .. } = line;
    let Spread { median, min, max } = Spread::of(values);
    format!("{median:.digits$} {unit} ({min:.digits$}-{max:.digits$})")
}

fn of_side(rounds: &Rounds, side: usize, value: fn(&Measured) -> f64) -> Vec<f64> {
    let sides = rounds.iter().filter_map(|round| round.get(side));
    sides.map(value).collect()
}

fn starts(text: &mut String, rounds: &Rounds) -> std::fmt::Result {
    let count: usize = rounds.iter().flatten().map(|m| m.all_starts().len()).sum();
    writeln!(
        text,
        "\nProcess start to first reply, ms, {} starts of each side:\n",
        count / 2
    )?;
    writeln!(text, "| function | RYLA p50 | p99 | baseline p50 | p99 |")?;
    writeln!(text, "|---|---:|---:|---:|---:|")?;
    let mut row = |name: &str, of: &dyn Fn(&Measured) -> Vec<f64>| {
        let all = |side: usize| -> Vec<f64> {
            let sides = rounds.iter().filter_map(|round| round.get(side));
            sides.flat_map(of).collect()
        };
        let [ours, theirs] = [all(0), all(1)];
        writeln!(
            text,
            "| {name} | {:.1} | {:.1} | {:.1} | {:.1} |",
            percentile(&ours, 0.5),
            percentile(&ours, 0.99),
            percentile(&theirs, 0.5),
            percentile(&theirs, 0.99),
        )
    };
    for function in FUNCTIONS {
        row(function, &|m| {
            m.starts.get(function).cloned().unwrap_or_default()
        })?;
    }
    row("all", &Measured::all_starts)
}

fn memory(text: &mut String, rounds: &Rounds) -> std::fmt::Result {
    writeln!(
        text,
        "\nPeak RSS of a process after the load, MiB, median of the rounds:\n"
    )?;
    writeln!(text, "| function | RYLA | baseline |\n|---|---:|---:|")?;
    for function in FUNCTIONS {
        let median = |side: usize| {
            let sides = rounds.iter().filter_map(|round| round.get(side));
            let peaks: Vec<f64> = sides
                .filter_map(|m| m.peaks_mib.get(function).copied())
                .collect();
            Spread::of(&peaks).median
        };
        writeln!(text, "| {function} | {:.1} | {:.1} |", median(0), median(1))?;
    }
    Ok(())
}

/// What a job asks for, its read included. The same in every round: the last one is shown.
fn requests(text: &mut String, rounds: &Rounds) -> std::fmt::Result {
    let Some([ours, theirs]) = rounds.last().map(Vec::as_slice) else {
        return Ok(());
    };
    writeln!(text, "\nRequests and units for a job, its read included:\n")?;
    writeln!(text, "| | RYLA | baseline |\n|---|---:|---:|")?;
    let mut row = |what: &str, of: &dyn Fn(&Measured) -> f64| {
        #[expect(clippy::cast_precision_loss, reason = "thousands of jobs")]
        let each = |side: &Measured| of(side) / side.jobs as f64;
        writeln!(text, "| {what} | {:.2} | {:.2} |", each(ours), each(theirs))
    };
    row("DynamoDB requests", &|m| {
        requests_of(m.asked.dynamodb.total())
    })?;
    let names: BTreeSet<String> = [ours, theirs]
        .iter()
        .flat_map(|side| side.asked.dynamodb.by_operation())
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        row(&format!("- of them {name}"), &|m| {
            requests_of(of_operation(&m.asked.dynamodb, &name))
        })?;
    }
    row("DynamoDB write units", &|m| {
        m.asked.dynamodb.total().write_units
    })?;
    row("DynamoDB read units", &|m| {
        m.asked.dynamodb.total().read_units
    })?;
    row("S3 requests of the functions", &|m| {
        requests_of(m.asked.s3.total())
    })?;
    row("SQS requests of the functions", &|m| {
        requests_of(m.asked.sqs.total())
    })
}

#[expect(clippy::cast_precision_loss, reason = "thousands of requests")]
fn requests_of(count: Count) -> f64 {
    count.requests as f64
}

fn of_operation(usage: &Usage, wanted: &str) -> Count {
    let mut operations = usage.by_operation();
    let found = operations.find(|(name, _)| *name == wanted);
    found.map(|(_, count)| count).unwrap_or_default()
}
