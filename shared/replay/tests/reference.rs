//! The simulator against a second model, in Python, written from the description and not from the code.

#![expect(
    clippy::unwrap_used,
    reason = "tests: what goes wrong here is the test's own failure"
)]

use ryla_replay::generate::Shape;
use ryla_replay::score::{Policy, score};
use ryla_replay::setting::Setting;
use ryla_replay::trace::Trace;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn reference(trace: &Trace, name: &str) -> Value {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.csv"));
    std::fs::write(&path, trace.csv()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn compare(trace: &Trace, name: &str) {
    let expected = reference(trace, name);
    let mut compared = 0;
    for (mode, part) in [("each", trace.clone()), ("all", trace.pooled())] {
        for value in [0.01, 0.05, 0.25] {
            let setting = Setting::USUAL.valued(value);
            for policy in Policy::ALL.into_iter().chain([Policy::Cron(300)]) {
                if policy == Policy::Adaptive {
                    continue;
                }
                let of = &expected[format!("{mode} {value} {policy}")];
                let figures = score(policy, &part, None, &setting).unwrap();
                for (what, found) in [
                    ("total_usd_per_1000", figures.total_usd_per_1000()),
                    ("cold_share", figures.cold_share()),
                    ("idle_gpu_hours", figures.idle_gpu_hours()),
                ] {
                    let wanted = of[what].as_f64().unwrap();
                    let off = (found - wanted).abs() / wanted.abs().max(1e-9);
                    assert!(
                        off < 0.001 || (found - wanted).abs() < 1e-9,
                        "{name}, {mode}, {value}, {policy}, {what}: {found} and not {wanted}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 2 * 3 * 9 * 3);
}

#[test]
fn a_service_costs_what_the_reference_says() {
    let service = Shape::Service {
        endpoints: 12,
        busiest_per_day: 200.0,
        days: 3.0,
    };
    compare(&service.draw(5).unwrap(), "service");
}

#[test]
fn crowds_that_fill_every_container_cost_what_the_reference_says() {
    let crowds = Shape::Batches {
        size: 30,
        every_s: 400.0,
        batches: 40,
    };
    compare(&crowds.draw(6).unwrap(), "crowds");
}
