//! Figures of a tick as metrics: lines of JSON in `CloudWatch`'s embedded metric format, which the log group
//! turns into metrics by itself, without a call. docs/LOGGING.md lists them.

use ryla_domain::time::UnixMs;
use ryla_engine::warm::{EndpointFigures, Tally};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes the lines of a tick to the log, where `CloudWatch` finds metrics in them.
pub fn write_metrics(
    log: &mut impl Write,
    tally: &Tally,
    namespace: &str,
    now: UnixMs,
) -> io::Result<()> {
    lines(tally, namespace, now)
        .iter()
        .try_for_each(|line| writeln!(log, "{line}"))
}

/// One line for each endpoint with news, and one for all, unless another tick has done this one's work, and
/// tells it: this one's silence is not to pass for leases that were renewed.
pub fn lines(tally: &Tally, namespace: &str, now: UnixMs) -> Vec<String> {
    let line = |dimensions: &[(&str, &str)], metrics: &[Metric]| {
        let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
        let declared: Vec<Value> = metrics
            .iter()
            .map(|metric| json!({"Name": metric.name, "Unit": metric.unit}))
            .collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.0,
                "CloudWatchMetrics": [
                    {"Namespace": namespace, "Dimensions": [names], "Metrics": declared},
                ],
            }),
        );
        for (name, value) in dimensions {
            line.insert((*name).to_owned(), json!(value));
        }
        for metric in metrics {
            line.insert(metric.name.to_owned(), metric.value.clone());
        }
        Value::Object(line).to_string()
    };
    let mut lines: Vec<String> = tally
        .endpoints
        .iter()
        .map(|one| {
            let (backend, class) = (&one.endpoint.backend, &one.endpoint.class);
            let dimensions = [("Backend", backend.as_str()), ("Class", class.as_str())];
            line(&dimensions, &of_endpoint(one))
        })
        .collect();
    let outdone = tally.gave_way && tally.endpoints.is_empty() && tally.failed == 0;
    if tally.steered && !outdone {
        lines.push(line(&[], &of_all(tally)));
    }
    lines
}

struct Metric {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

const fn metric(name: &'static str, unit: &'static str, value: Value) -> Metric {
    Metric { name, unit, value }
}

fn of_endpoint(one: &EndpointFigures) -> Vec<Metric> {
    let mut metrics = vec![
        metric("Arrivals", "Count", json!(one.arrivals)),
        metric("ColdStarts", "Count", json!(one.cold_starts)),
        metric("ColdStartsAvoided", "Count", json!(one.avoided)),
        metric("IdleSeconds", "Seconds", json!(one.idle_s)),
        metric("IdleUsd", "None", json!(one.idle_usd)),
        metric("Floor", "Count", json!(one.floor)),
    ];
    if let Some(percent) = percent(one.cold_starts, one.arrivals) {
        metrics.push(metric("ColdStartRate", "Percent", json!(percent)));
    }
    metrics
}

fn of_all(tally: &Tally) -> [Metric; 4] {
    let used = if tally.budget_usd > 0.0 {
        tally.idle_usd_today / tally.budget_usd * 100.0
    } else {
        0.0
    };
    [
        metric("LeasesNotRenewed", "Count", json!(tally.unheld)),
        metric("StatesNotWritten", "Count", json!(tally.failed)),
        metric("IdleUsdToday", "None", json!(tally.idle_usd_today)),
        metric("IdleBudgetUsed", "Percent", json!(used)),
    ]
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u32::try_from(part).ok()?, u32::try_from(whole).ok()?);
    (whole > 0).then(|| f64::from(part) / f64::from(whole) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::warm::Endpoint;

    fn figures(arrivals: u64, cold_starts: u64) -> EndpointFigures {
        EndpointFigures {
            endpoint: Endpoint {
                backend: "modal".parse().unwrap(),
                class: "flux".parse().unwrap(),
            },
            arrivals,
            cold_starts,
            avoided: 1,
            idle_s: 12.5,
            idle_usd: 0.0068,
            floor: 2,
        }
    }

    fn read(tally: &Tally) -> Vec<Value> {
        let lines = lines(tally, "RYLA/stack", UnixMs(1_800_000_000_000));
        let parsed = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        parsed.collect()
    }

    #[test]
    fn an_endpoint_has_its_figures_under_its_own_dimensions() {
        let tally = Tally {
            endpoints: vec![figures(4, 1)],
            ..Tally::default()
        };
        let line = &read(&tally)[0];
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_i64);
        assert_eq!(declared["Namespace"], "RYLA/stack");
        assert_eq!(declared["Dimensions"], json!([["Backend", "Class"]]));
        assert_eq!(
            (&line["Backend"], &line["Class"]),
            (&json!("modal"), &json!("flux"))
        );
        let values: Vec<(&str, &Value)> = declared["Metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| metric["Name"].as_str().unwrap())
            .map(|name| (name, &line[name]))
            .collect();
        let expected = [
            ("Arrivals", json!(4)),
            ("ColdStarts", json!(1)),
            ("ColdStartsAvoided", json!(1)),
            ("IdleSeconds", json!(12.5)),
            ("IdleUsd", json!(0.0068)),
            ("Floor", json!(2)),
            ("ColdStartRate", json!(25.0)),
        ];
        assert_eq!(values.len(), expected.len());
        for ((name, value), (expected, of)) in values.into_iter().zip(&expected) {
            assert_eq!((name, value), (*expected, of));
        }
    }

    #[test]
    fn without_arrivals_there_is_no_rate_and_all_is_told_even_of_nothing() {
        let tally = Tally {
            endpoints: vec![figures(0, 0)],
            steered: true,
            unheld: 1,
            failed: 3,
            budget_usd: 5.0,
            idle_usd_today: 1.25,
            ..Tally::default()
        };
        let lines = read(&tally);
        assert!(lines[0].get("ColdStartRate").is_none());
        assert_eq!(lines[1]["LeasesNotRenewed"], 1);
        assert_eq!(lines[1]["StatesNotWritten"], 3);
        assert_eq!(lines[1]["IdleBudgetUsed"], 25.0);
        let all = &lines[1]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(all["Dimensions"], json!([[]]));
        let nothing = read(&Tally {
            steered: true,
            ..Tally::default()
        });
        assert_eq!(nothing.len(), 1, "silence is what the alarm listens for");
        assert_eq!(nothing[0]["LeasesNotRenewed"], 0);
        assert_eq!(nothing[0]["IdleBudgetUsed"], 0.0, "of no budget");
        let done_by_another = read(&Tally::default());
        assert!(done_by_another.is_empty(), "nobody renewed anything");
    }

    #[test]
    fn each_line_is_a_line_of_the_log() {
        let tally = Tally {
            endpoints: vec![figures(4, 1), figures(0, 0)],
            steered: true,
            ..Tally::default()
        };
        let (mut log, now) = (Vec::new(), UnixMs(1_800_000_000_000));
        write_metrics(&mut log, &tally, "RYLA/stack", now).unwrap();
        let expected = lines(&tally, "RYLA/stack", now).join("\n") + "\n";
        assert_eq!(String::from_utf8(log).unwrap(), expected);
        assert_eq!(expected.lines().count(), 3);
    }

    #[test]
    fn of_two_ticks_at_once_the_one_that_wrote_nothing_is_silent_unless_the_table_failed_it() {
        let gave_way = Tally {
            steered: true,
            gave_way: true,
            unheld: 2,
            ..Tally::default()
        };
        assert!(read(&gave_way).is_empty());
        let some = Tally {
            endpoints: vec![figures(1, 0)],
            ..gave_way.clone()
        };
        assert_eq!(
            read(&some).len(),
            2,
            "the other one was not faster everywhere"
        );
        let failed = Tally {
            failed: 1,
            ..gave_way
        };
        let failed = read(&failed);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0]["StatesNotWritten"], 1);
    }
}
