//! The real system inside the command: `ryla generate` where none is named, and `ryla dev`.

use crate::shell::{Done, Shell};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};

/// A run that is over at once, so that the tests wait for nothing but the system itself.
const AT_ONCE: [&str; 2] = ["--preview-run", "0"];

/// A `ryla dev` that is up; killed where a test ends without stopping it.
struct Dev(Option<Child>);

impl Dev {
    /// Starts it on a free port and waits until it says that it is up.
    fn start(shell: &Shell, words: &[&str]) -> Self {
        let words = [
            &["dev", "--listen", "127.0.0.1:0", "--log-level", "error"],
            words,
        ]
        .concat();
        let mut child = shell.spawn(&words);
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        // What it prints further must not meet a closed pipe.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        assert_eq!(first, "RYLA is up; ^C stops it.\n");
        Self(Some(child))
    }

    fn interrupt(mut self) -> Done {
        let child = self.0.take().unwrap();
        signal(&child, "-INT");
        child.wait_with_output().unwrap().into()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

fn object(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|_| Value::String(done.stdout.clone()))
}

#[test]
fn without_any_system_a_real_jpeg_of_the_asked_size_lies_on_disk() {
    let shell = Shell::bare();
    let words = [
        "generate",
        "flux-dev",
        "a lighthouse at dusk",
        "--out",
        "lighthouse.jpg",
    ];
    let size = ["--width", "512", "--height", "256"];
    let done = shell.run(&[&words[..], &size, &AT_ONCE].concat());
    done.ended_with(0);
    assert!(
        done.stdout
            .contains("cost  unknown (preview)\nfile  lighthouse.jpg (512 x 256, "),
        "{}",
        done.stdout
    );
    let bytes = std::fs::read(shell.path().join("lighthouse.jpg")).unwrap();
    assert_eq!(bytes[..3], [0xff, 0xd8, 0xff]);
    assert_eq!(shell.files(), ["lighthouse.jpg"]);
}

#[test]
fn the_file_is_named_after_the_seed_that_was_drawn() {
    let shell = Shell::bare();
    let words = [
        "generate", "flux-dev", "x", "--json", "--width", "256", "--height", "256",
    ];
    let done = shell.run(&[&words[..], &AT_ONCE].concat());
    let report = object(done.ended_with(0));
    let name = format!("flux-dev-{}.jpg", report["seed"]);
    assert_eq!(
        (shell.files(), report["file"].as_str()),
        (vec![name.clone()], Some(name.as_str()))
    );
    for step in ["accepted_ms", "dispatched_ms", "running_ms", "done_ms"] {
        assert!(report["timeline"][step].is_u64(), "{step} in {report}");
    }
}

#[test]
fn the_systems_own_words_name_the_flag_that_is_wrong() {
    let shell = Shell::bare();
    let done = shell.run(&[
        "generate",
        "flux-dev",
        "x",
        "--width",
        "100",
        "--output-format",
        "jgp",
    ]);
    done.ended_with(2);
    assert!(done.stderr.contains("\n  --width: "), "{}", done.stderr);
    assert!(
        done.stderr.contains("\n  --output-format: "),
        "{}",
        done.stderr
    );
    assert!(done.last_line().starts_with("trace id: "));
}

#[test]
fn jobs_of_a_running_system_are_found_from_its_folder_and_it_ends_in_order() {
    let shell = Shell::bare();
    let dev = Dev::start(&shell, &["--data", "data", "--api-key", "my-own-key"]);
    let file = std::fs::read(shell.path().join("data/dev.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["api_key"], "my-own-key");
    let system = [
        "--api-url",
        file["url"].as_str().unwrap(),
        "--api-key",
        "my-own-key",
        "--json",
    ];
    let words = [
        "generate", "flux-dev", "x", "--width", "256", "--height", "256",
    ];
    let made = object(shell.run(&[&words[..], &system].concat()).ended_with(0));
    let list = object(
        shell
            .run(&["jobs", "list", "--data", "data", "--json"])
            .ended_with(0),
    );
    assert_eq!(list[0]["id"], made["id"]);
    let watch = [
        "jobs",
        "watch",
        made["id"].as_str().unwrap(),
        "--data",
        "data",
        "--json",
    ];
    assert_eq!(
        object(shell.run(&watch).ended_with(0))["seed"],
        made["seed"]
    );
    dev.interrupt().ended_with(0);
    shell.run(&["jobs", "list", "--data", "data"]).ended_with(3);
}

#[test]
fn a_laptops_own_account_sees_what_is_kept_warm_and_exports_its_history() {
    let shell = Shell::bare();
    let dev = Dev::start(&shell, &["--data", "data", "--preview-boot", "0.2"]);
    let data = ["--data", "data"];
    let words = |words: &[&str]| shell.run(&[words, &data[..]].concat());
    let shown = object(words(&["warm", "status", "--json"]).ended_with(0));
    assert_eq!(shown["settings"]["idle_usd_per_day"], 5.0, "{shown}");
    let empty = words(&["warm", "export"]);
    assert!(empty.ended_with(2).stderr.contains("nothing to export"));

    let file = std::fs::read(shell.path().join("data/dev.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let system = [
        "--api-url",
        file["url"].as_str().unwrap(),
        "--api-key",
        file["api_key"].as_str().unwrap(),
    ];
    let small = [
        "generate", "flux-dev", "x", "--width", "256", "--height", "256",
    ];
    shell.run(&[&small[..], &system].concat()).ended_with(0);
    words(&["warm", "export", "--out", "trace.csv"]).ended_with(0);
    let trace = std::fs::read_to_string(shell.path().join("trace.csv")).unwrap();
    let row: Vec<&str> = trace.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(row[1], "flux", "{trace}");
    let seconds = |cell: &str| cell.parse::<f64>().unwrap();
    assert!(
        seconds(row[2]) > 0.0 && (0.2..10.0).contains(&seconds(row[3])),
        "{trace}"
    );
    let simulated = shell.run(&["warm", "simulate", "trace.csv", "--json"]);
    assert_eq!(object(simulated.ended_with(0))["requests"], 1);
    dev.interrupt().ended_with(0);
}

#[test]
fn with_tls_the_folder_knows_the_ca_and_a_client_without_it_is_told_how() {
    let shell = Shell::bare();
    let dev = Dev::start(&shell, &["--tls"]);
    shell.run(&["jobs", "list"]).ended_with(0);
    let file = std::fs::read(shell.path().join(".ryla/dev.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let url = file["url"].as_str().unwrap();
    assert!(url.starts_with("https://"));
    let done = shell.run(&["jobs", "list", "--api-url", url]);
    assert!(
        done.ended_with(3).stderr.contains("--ca names the CA"),
        "{}",
        done.stderr
    );
    let ca = file["ca_file"].as_str().unwrap();
    let key = file["api_key"].as_str().unwrap();
    let named = [
        "jobs",
        "list",
        "--api-url",
        url,
        "--api-key",
        key,
        "--ca",
        ca,
    ];
    shell.run(&named).ended_with(0);
    dev.interrupt().ended_with(0);
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let mut shell = Shell::bare();
    shell.set("RETENTION_DAYS", "8");
    let done = shell.run(&["dev", "--memory", "--listen", "127.0.0.1:0"]);
    assert!(
        done.ended_with(2).stderr.contains("RETENTION_DAYS"),
        "{}",
        done.stderr
    );
}
