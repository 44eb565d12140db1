//! `ryla warm demo`: the figures that it prints are those that anybody can count from the log of what
//! happened to the containers.

use crate::shell::Shell;
use serde_json::Value;
use std::collections::HashMap;

/// The second request comes within its container's window, the others long after it or in a boot. No instant
/// at which it would be another way round, be it a window's end or a tick of `warm`, is nearer than half a
/// second of this machine's.
const TRACE: &str = "timestamp_s,endpoint\n0,flux\n84,flux\n272,flux\n20,sdxl\n22,sdxl\n278,sdxl\n";
const REQUESTS: f64 = 6.0;
/// Seconds of the trace in one of this machine's.
const SPEED: &str = "30";
/// Beyond that a wait was for a container and not for this machine.
const COLD_S: f64 = 15.0;
/// By how much the accounting may be wrong for each request: it cuts each end, and each arrival, to its second,
/// and a thirtieth of a second of this machine's lies between what happens and the count of it.
const COARSE_S: f64 = 2.0;

/// What the log of a pass says.
#[derive(Debug, Default)]
struct Counted {
    requests: f64,
    cold_starts: f64,
    wait_s: f64,
    /// Waits as shares of a boot.
    shares: f64,
    idle_s: f64,
    boots: f64,
    floors: Vec<u64>,
}

fn counted(log: &str, pass: &str) -> Counted {
    let mut counted = Counted::default();
    let mut idle_since: HashMap<(String, u64), f64> = HashMap::new();
    let mut last = 0.0;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["pass"] != pass {
            continue;
        }
        let at = event["at"].as_f64().unwrap() / 1000.0;
        last = f64::max(last, at);
        let class = event["class"].as_str().unwrap().to_owned();
        let container = || (class.clone(), event["container"].as_u64().unwrap());
        match event["event"].as_str().unwrap() {
            "set" => counted.floors.push(event["floor"].as_u64().unwrap()),
            "boot_began" => counted.boots += 1.0,
            "ready" | "idle" => assert_eq!(idle_since.insert(container(), at), None),
            what @ ("took" | "released") => {
                counted.idle_s += at - idle_since.remove(&container()).unwrap();
                if what == "took" {
                    counted.requests += 1.0;
                    let waited_s = event["waited_ms"].as_f64().unwrap() / 1000.0;
                    counted.wait_s += waited_s;
                    counted.shares += (waited_s / 30.0).min(1.0);
                    counted.cold_starts += f64::from(u8::from(waited_s > COLD_S));
                }
            }
            other => assert_eq!(other, "", "an event that nobody knows"),
        }
    }
    assert!(
        idle_since.is_empty(),
        "all have gone: {idle_since:?} at {last}"
    );
    counted
}

#[test]
fn what_is_printed_is_what_happened_to_the_containers() {
    let shell = Shell::bare();
    std::fs::write(shell.path().join("trace.csv"), TRACE).unwrap();
    let words = [
        "warm",
        "demo",
        "trace.csv",
        "--speed",
        SPEED,
        "--cold",
        "30",
        "--service",
        "10",
        "--gpu-hour",
        "3.6",
        "--value",
        "0.5",
        "--events",
        "events.jsonl",
        "--json",
    ];
    let done = shell.run(&words);
    let report: Value = serde_json::from_str(&done.ended_with(0).stdout).unwrap();
    let log = std::fs::read_to_string(shell.path().join("events.jsonl")).unwrap();
    let figure = |pass: &Value, name: &str| pass[name].as_f64().unwrap();
    let near = |a: f64, b: f64, within: f64| (a - b).abs() <= within;
    assert_eq!(report["cold_start_usd"], 0.53);

    for (pass, name) in report["passes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["without", "with"])
    {
        assert_eq!(pass["pass"], name);
        let counted = counted(&log, name);
        assert!(near(counted.requests, REQUESTS, 0.0), "{counted:?}");
        assert!(near(figure(pass, "requests"), REQUESTS, 0.0), "{pass}");
        assert!(near(figure(pass, "unsuccessful"), 0.0, 0.0), "{pass}");
        // What the accounting says is a model of what the log holds.
        let cold_starts = figure(pass, "cold_starts");
        assert!(
            near(cold_starts, counted.cold_starts, 0.0),
            "{pass}\n{counted:?}"
        );
        let coarse_s = COARSE_S * REQUESTS;
        let idle_usd = counted.idle_s * 0.001;
        for (name, expected, within) in [
            ("idle_seconds", counted.idle_s, coarse_s),
            ("idle_usd", idle_usd, coarse_s * 0.001),
            ("cost_usd", idle_usd + cold_starts * 0.53, coarse_s * 0.001),
        ] {
            assert!(
                near(figure(pass, name), expected, within),
                "{name}: {expected} in {pass}\n{counted:?}"
            );
        }
        let measured = &pass["measured"];
        for (name, figure) in [
            ("requests", counted.requests),
            ("boots", counted.boots),
            ("wait_seconds", counted.wait_s),
            ("idle_seconds", counted.idle_s),
        ] {
            assert!(
                near(measured[name].as_f64().unwrap(), figure, 1e-6),
                "{name}: {pass}\n{counted:?}"
            );
        }
        let cost_usd = (counted.idle_s + counted.boots * 30.0) * 0.001 + counted.shares * 0.5;
        assert!(
            near(measured["cost_usd"].as_f64().unwrap(), cost_usd, 1e-6),
            "{pass}\n{counted:?}"
        );
        for endpoint in pass["endpoints"].as_array().unwrap() {
            assert_eq!(
                (endpoint["in_flight"].as_u64(), endpoint["floor"].as_u64()),
                (Some(0), Some(0))
            );
        }
    }
    let without = counted(&log, "without");
    assert!(
        near(without.cold_starts, REQUESTS - 1.0, 0.0),
        "{without:?}"
    );
    assert!(
        without.floors.is_empty(),
        "no lever is touched: {without:?}"
    );
    assert!(near(
        figure(&report["passes"][0], "cold_starts_avoided"),
        0.0,
        0.0
    ));
    let with = counted(&log, "with");
    assert!(!with.floors.is_empty(), "leases are taken: {with:?}");
}

#[test]
fn faults_of_traces_and_flags_are_said_and_are_two() {
    let shell = Shell::bare();
    let file = |name: &str, text: &str| std::fs::write(shell.path().join(name), text).unwrap();
    file("empty.csv", "timestamp_s,endpoint\n");
    file("good.csv", "timestamp_s,endpoint\n1,a\n");
    let flood = (0..3_000).map(|n| format!("\n{n},a"));
    let flood = flood.fold("timestamp_s,endpoint".to_owned(), |all, row| all + &row);
    file("flood.csv", &flood);
    for (words, told) in [
        (&["empty.csv"][..], "empty.csv: the trace has no arrivals"),
        (&["missing.csv"], "missing.csv: "),
        (&["flood.csv", "--minutes", "60"], "take fewer --minutes"),
        (&["good.csv", "--speed", "0"], "must be 1 to 240"),
        (&["good.csv", "--speed", "-60"], "must be 1 to 240"),
        (&["good.csv", "--speed", "NaN"], "must be 1 to 240"),
        (&["good.csv", "--minutes", "0"], "0 is not in 1..=720"),
        (&["good.csv", "--value", "-0.05"], "must be 0 to 1000"),
        (&["good.csv", "--max", "0"], "must be 1 to 20"),
        (&["good.csv", "--cold", "inf"], "must be 0 to 600"),
        (
            &["good.csv", "--speed", "2", "--cold", "300"],
            "--cold 300 takes 150 s at --speed 2",
        ),
        (
            &["good.csv", "--speed", "1", "--service", "121"],
            "take a higher --speed",
        ),
        (&["good.csv", "--seed", "3"], "cannot be used with"),
        (
            &["good.csv", "--events", "good.csv"],
            "good.csv is the trace that is read",
        ),
    ] {
        let done = shell.run(&[&["warm", "demo"], words].concat());
        assert!(
            done.ended_with(2).stderr.contains(told),
            "{words:?}: {}",
            done.stderr
        );
    }
}
