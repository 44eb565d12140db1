//! `ryla warm export`: a system's list of jobs as a trace, all pages of it.

use crate::fake::{Fake, Script, job};
use crate::shell::Shell;
use serde_json::{Value, json};

/// A job of that model, created then; `attempts` 0 where no backend was asked.
fn created(at: &str, model: &str, attempts: u32, more: &Value) -> Value {
    let mut one = job("succeeded", &json!({"metrics": {"attempts": attempts}}));
    one["created_at"] = json!(at);
    one["model"] = json!(model);
    for (name, value) in more.as_object().unwrap() {
        one["metrics"][name] = value.clone();
    }
    one
}

fn history() -> Fake {
    let cold = json!({"predict_time": 6.0, "gpu_seconds": 51.5, "cold_start_seconds": 45.0});
    let warm = json!({"predict_time": 6.0, "gpu_seconds": 6.5, "cold_start_seconds": 0.0});
    Fake::start(Script {
        pages: vec![
            vec![
                created("2026-11-21T09:31:00Z", "ryla/sdxl", 1, &warm),
                created(
                    "2026-11-21T09:30:30.250Z",
                    "ryla/flux-lora",
                    2,
                    &json!({"predict_time": 7.25}),
                ),
            ],
            vec![created(
                "2026-11-21T09:30:10Z",
                "ryla/flux-dev",
                0,
                &json!({}),
            )],
            vec![
                created("2026-11-21T09:30:00Z", "ryla/flux-dev", 1, &cold),
                json!({"id": "strange"}),
            ],
        ],
        ..Script::default()
    })
}

#[test]
fn all_pages_become_one_trace_oldest_first_that_simulate_reads() {
    let fake = history();
    let shell = Shell::with(&fake);
    let words = [
        "warm",
        "export",
        "--out",
        "trace.csv",
        "--after",
        "2026-11-01T00:00:00Z",
    ];
    let done = shell.run(&words);
    assert_eq!(done.ended_with(0).stdout, "");
    assert_eq!(
        done.stderr,
        "left out: 1 jobs never reached a GPU backend\n\
         left out: 1 jobs have a shape that this command does not know\n\
         trace.csv: 3 requests\n"
    );
    assert_eq!(
        std::fs::read_to_string(shell.path().join("trace.csv")).unwrap(),
        "timestamp_s,endpoint,service_s,boot_s\n\
         1795253400.000,flux,6.500,45.000\n\
         1795253430.250,flux,7.250,\n\
         1795253460.000,sdxl,6.500,0.000\n"
    );
    let asked = fake.seen("GET /v1/predictions");
    assert_eq!(asked.len(), 3);
    assert!(
        asked[0].query.contains("page_size=100")
            && asked[0]
                .query
                .contains("created_after=2026-11-01T00%3A00%3A00Z"),
        "{}",
        asked[0].query
    );
    let simulated = shell.run(&[
        "warm",
        "simulate",
        "trace.csv",
        "--policy",
        "adaptive",
        "--json",
    ]);
    let report: Value = serde_json::from_str(&simulated.ended_with(0).stdout).unwrap();
    assert_eq!(
        (&report["requests"], &report["endpoints"]),
        (&json!(3), &json!(2))
    );
}

#[test]
fn without_a_file_the_trace_goes_to_standard_output() {
    let done = Shell::with(&history()).run(&["warm", "export"]);
    assert!(
        done.ended_with(0)
            .stdout
            .starts_with("timestamp_s,endpoint,service_s,boot_s\n"),
        "{}",
        done.stdout
    );
    assert_eq!(done.stdout.lines().count(), 4);
}

#[test]
fn a_system_without_history_and_a_wrong_time_are_said() {
    let none = Fake::start(Script {
        pages: vec![vec![]],
        ..Script::default()
    });
    let done = Shell::with(&none).run(&["warm", "export", "--out", "trace.csv"]);
    assert!(done.ended_with(2).stderr.contains("nothing to export"));
    let shell = Shell::with(&none);
    let done = shell.run(&["warm", "export", "--after", "yesterday"]);
    assert!(done.ended_with(2).stderr.contains("must be a time such as"));
    let shell = Shell::with(&history());
    let done = shell.run(&["warm", "export", "--out", "no/such/folder.csv"]);
    let told = "cannot write no/such/folder.csv: ";
    assert!(done.ended_with(2).stderr.contains(told), "{}", done.stderr);
    assert!(
        Shell::bare()
            .run(&["warm", "export"])
            .ended_with(3)
            .stderr
            .contains("ryla dev")
    );
}
