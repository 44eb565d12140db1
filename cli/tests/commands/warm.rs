//! `ryla warm simulate` needs no system: traces in, figures out, faults of files and flags in words.
//! `ryla warm status` shows what a system says.

use crate::fake::{Fake, Script};
use crate::shell::Shell;
use serde_json::{Value, json};

const TRACE: &str = "timestamp_s,endpoint,tenant\n0,a,x\n200,a,x\n300,a,y\n90000,a,x\n40,b,x\n";

fn shell_with(trace: &str) -> Shell {
    let shell = Shell::bare();
    std::fs::write(shell.folder.path().join("trace.csv"), trace).unwrap();
    shell
}

#[test]
fn every_policy_is_played_and_told_as_json() {
    let shell = shell_with(TRACE);
    let done = shell.run(&["warm", "simulate", "trace.csv", "--json"]);
    let report: Value = serde_json::from_str(&done.ended_with(0).stdout).unwrap();
    let policies = report["policies"].as_array().unwrap();
    let names: Vec<&str> = policies
        .iter()
        .filter_map(|p| p["policy"].as_str())
        .collect();
    let expected = [
        "never-20",
        "never-60",
        "never-300",
        "always-1",
        "cron",
        "hybrid",
        "ski-rental",
        "adaptive",
        "clairvoyant",
    ];
    assert_eq!(names, expected);
    for policy in policies {
        for figure in ["total_usd_per_1000", "cold_share", "idle_gpu_hours"] {
            assert!(policy[figure].as_f64().unwrap() >= 0.0, "{policy}");
        }
    }
    // Only the third comes while a container is held: 35 s after the second has ended.
    let never = &policies[1];
    assert!(
        (never["cold_share"].as_f64().unwrap() - 0.8).abs() < 1e-9,
        "{never}"
    );
    assert!(
        done.stderr.contains("trace.csv: 1 rows were out of order"),
        "{}",
        done.stderr
    );
}

#[test]
fn settings_policies_and_endpoints_are_chosen_by_flags() {
    let shell = shell_with(TRACE);
    let words = |more: &[&str]| {
        let all = [
            &[
                "warm",
                "simulate",
                "trace.csv",
                "--policy",
                "ski-rental,always-2",
            ],
            more,
        ]
        .concat();
        shell.run(&all).ended_with(0).stdout.clone()
    };
    let table = words(&[
        "--cold",
        "30",
        "--gpu-hour",
        "3.6",
        "--value",
        "0.01",
        "--endpoint",
        "all",
    ]);
    assert!(
        table.contains("5 requests, 1 endpoint(s)") && table.contains("break-even 40 s"),
        "{table}"
    );
    assert!(
        table.contains("\nski-rental ") && table.contains("\nclairvoyant-line "),
        "{table}"
    );
    assert!(!table.contains("adaptive"));
    assert!(words(&["--endpoint", "b"]).contains("1 requests, 1 endpoint(s)"));
    assert!(words(&["--split", "0.5"]).contains("1 requests"));
    assert!(words(&["--learn", "trace.csv"]).contains("5 requests"));
}

#[test]
fn boot_and_service_as_the_trace_has_them_are_pointed_out() {
    let shell = shell_with("timestamp_s,endpoint,service_s,boot_s\n1,a,6.25,31.5\n90,a,6.25,0\n");
    let words = [
        "warm",
        "simulate",
        "trace.csv",
        "--policy",
        "never-60, adaptive",
    ];
    let done = shell.run(&words);
    done.ended_with(0);
    for told in ["--cold 31.5 plays it", "--service 6.2 plays it"] {
        assert!(done.stderr.contains(told), "{}", done.stderr);
    }
    let as_it_was = [&words[..], &["--cold", "31.5", "--service", "6.2"]].concat();
    let done = shell.run(&as_it_was);
    assert!(
        !done.ended_with(0).stderr.contains("median"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_picture_is_written_beside_the_figures() {
    let shell = shell_with(TRACE);
    let done = shell.run(&["warm", "simulate", "trace.csv", "--plot", "out.svg"]);
    assert!(done.ended_with(0).stdout.contains("adaptive"));
    let picture = std::fs::read_to_string(shell.folder.path().join("out.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(picture.contains("The busiest day of a"));
}

#[test]
fn faults_of_files_and_flags_are_said_and_are_two() {
    let shell = shell_with("timestamp_s,endpoint\n12:30,a\n");
    std::fs::write(shell.folder.path().join("good.csv"), TRACE).unwrap();
    for (words, told) in [
        (
            &["trace.csv"][..],
            "trace.csv: line 2: \"12:30\" is not a time in seconds",
        ),
        (&["missing.csv"], "missing.csv: "),
        (
            &["good.csv", "--value", "-0.05"],
            "the value of a cold wait must be a number of at least 0",
        ),
        (
            &["good.csv", "--cold", "NaN"],
            "the cold start in seconds must be a number",
        ),
        (
            &["good.csv", "--policy", "always-21"],
            "a floor of 21 containers is above the class's maximum of 20",
        ),
        (
            &["good.csv", "--policy", "sometimes"],
            "there is no policy \"sometimes\"",
        ),
        (
            &["good.csv", "--endpoint", "c"],
            "the trace has no endpoint \"c\"",
        ),
        (&["good.csv", "--split", "1.5"], "must lie between 0 and 1"),
        (
            &["good.csv", "--max", "0"],
            "the maximum of containers must be 1 to 1000",
        ),
        (
            &["good.csv", "--plot", "no/such/folder.svg"],
            "cannot write no/such/folder.svg",
        ),
        (
            &["good.csv", "--plot", "./good.csv"],
            "./good.csv is the trace that is read",
        ),
        (
            &["good.csv", "--gpu-hour", "-2"],
            "--gpu-hour must be at least 0, not -2",
        ),
        (&["good.csv", "--max", "-1"], "invalid digit"),
        (
            &["-", "--learn", "-"],
            "one trace at most can come from standard input",
        ),
        (
            &["trace.csv", "--learn", "good.csv", "--plot", "good.csv"],
            "good.csv is the trace that is read",
        ),
        (
            &["good.csv", "--endpoint", "b", "--split", "0.5"],
            "0 requests lie before that share of the time and 1 after it",
        ),
    ] {
        let done = shell.run(&[&["warm", "simulate"], words].concat());
        assert!(
            done.ended_with(2).stderr.contains(told),
            "{words:?}: {}",
            done.stderr
        );
    }
    let kept = std::fs::read_to_string(shell.folder.path().join("good.csv")).unwrap();
    assert_eq!(kept, TRACE, "what was read is still there");
    let free = shell.run(&["warm", "simulate", "good.csv", "--gpu-hour", "0", "--json"]);
    let report: Value = serde_json::from_str(&free.ended_with(0).stdout).unwrap();
    assert!(report["policies"][6]["total_usd_per_1000"].is_f64());
}

#[test]
fn status_is_for_operators_and_is_told_for_people_and_for_scripts() {
    let nobody = Shell::with(&Fake::start(Script::default()));
    let refused = nobody.run(&["warm", "status"]);
    let told = "only keys of the accounts in OPERATOR_ACCOUNTS";
    assert!(
        refused.ended_with(2).stderr.contains(told),
        "{}",
        refused.stderr
    );

    let warm = json!({"settings": null, "endpoints": [], "unreadable": [], "later": 1});
    let fake = Fake::start(Script {
        warm: warm.clone(),
        ..Script::default()
    });
    let shell = Shell::with(&fake);
    let table = shell.run(&["warm", "status"]);
    assert!(table.ended_with(0).stdout.starts_with("warm is off"));
    let done = shell.run(&["warm", "status", "--json"]);
    let shown: Value = serde_json::from_str(&done.ended_with(0).stdout).unwrap();
    assert_eq!(shown, warm);
}
