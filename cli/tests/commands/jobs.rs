//! `ryla jobs`, on a named system and on the one that runs here.

use crate::fake::{Fake, KEY, Script, job, succeeded};
use crate::shell::Shell;
use serde_json::{Value, json};

fn system(state: Value) -> Fake {
    Fake::start(Script {
        states: [state].into(),
        ..Script::default()
    })
}

#[test]
fn jobs_are_found_through_the_running_systems_folder() {
    let fake = system(succeeded());
    let shell = Shell::bare();
    let folder = shell.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let dev = json!({ "url": fake.url(), "api_key": KEY, "pid": 1 });
    std::fs::write(folder.join("dev.json"), dev.to_string()).unwrap();
    let done = shell.run(&["jobs", "list", "--data", "data"]);
    assert_eq!(
        done.ended_with(0).stdout,
        "ID        STATUS     CREATED (UTC)        MODEL     PROMPT\n\
         job00001  succeeded  2026-11-21 09:30:00  flux-dev  a lighthouse\n"
    );
    let list = shell.run(&["jobs", "--data", "data", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.ended_with(0).stdout).unwrap();
    assert_eq!(list[0]["id"], "job00001");
}

#[test]
fn where_no_system_runs_it_is_three_and_the_way_out_is_said() {
    let shell = Shell::bare();
    let done = shell.run(&["jobs", "list"]);
    assert!(
        done.ended_with(3)
            .stderr
            .contains("Start one with `ryla dev`"),
        "{}",
        done.stderr
    );
    std::fs::create_dir(shell.path().join(".ryla")).unwrap();
    // Port 1 is nobody's: a system that died without taking its file along.
    let dev = json!({ "url": "http://127.0.0.1:1", "api_key": KEY, "pid": 1 });
    std::fs::write(shell.path().join(".ryla/dev.json"), dev.to_string()).unwrap();
    let done = shell.run(&["jobs", "list"]);
    assert!(
        done.ended_with(3)
            .stderr
            .contains("cannot reach http://127.0.0.1:1"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_job_is_shown_for_people_and_for_scripts() {
    let shell = Shell::with(&system(succeeded()));
    let shown = shell.run(&["jobs", "get", "job00001"]);
    for part in [
        "status    succeeded",
        "/o/r30/token/1-0.png",
        "trace id  trace-of-the-job",
        "cost  unknown (preview)",
    ] {
        assert!(
            shown.ended_with(0).stdout.contains(part),
            "{part} in\n{}",
            shown.stdout
        );
    }
    let shown = shell.run(&["jobs", "get", "job00001", "--json"]);
    let shown: Value = serde_json::from_str(&shown.ended_with(0).stdout).unwrap();
    assert_eq!(
        shown["urls"]["get"]
            .as_str()
            .map(|url| url.ends_with("/job00001")),
        Some(true)
    );
}

#[test]
fn an_unknown_job_is_wrong_use() {
    let done = Shell::with(&system(succeeded())).run(&["jobs", "get", "nowhere1"]);
    done.ended_with(2);
    assert!(
        done.stderr.contains("There is no such prediction."),
        "{}",
        done.stderr
    );
    assert_eq!(done.last_line(), "trace id: trace-of-the-request");
}

#[test]
fn cancel_shows_what_became_of_the_job() {
    let fake = system(job("processing", &json!({})));
    let done = Shell::with(&fake).run(&["jobs", "cancel", "job00001"]);
    assert!(
        done.ended_with(0)
            .stdout
            .starts_with("status    canceled: The job was canceled. (user)\n")
    );
    assert_eq!(fake.seen("POST /v1/predictions/job00001/cancel").len(), 1);
}

#[test]
fn watch_ends_as_the_job_does() {
    let fake = system(job("processing", &json!({})));
    fake.script().states.push_back(succeeded());
    let done = Shell::with(&fake).run(&["jobs", "watch", "job00001"]);
    assert!(
        done.ended_with(0)
            .stdout
            .contains("url   http://127.0.0.1:"),
        "{}",
        done.stdout
    );
    assert_eq!(done.stderr, "job00001  drawing\njob00001  done\n");

    let failed = system(job(
        "failed",
        &json!({ "error": "No.", "metrics": { "error_code": "internal" } }),
    ));
    let done = Shell::with(&failed).run(&["jobs", "watch", "job00001"]);
    assert!(done.ended_with(1).stderr.contains("error: No. (internal)"));
    assert_eq!(done.last_line(), "trace id: trace-of-the-job");
}
