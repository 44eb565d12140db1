//! `ryla generate` on a named system.

use crate::fake::{Fake, Script, job, png, succeeded};
use crate::shell::{Done, Shell};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

const SUBMIT: &str = "POST /v1/models/ryla/flux-dev/predictions";

fn system(states: impl IntoIterator<Item = Value>) -> Fake {
    Fake::start(Script {
        states: states.into_iter().collect(),
        ..Script::default()
    })
}

#[test]
fn a_picture_lies_on_disk_under_model_and_seed_and_its_story_is_told() {
    let fake = system([job("processing", &json!({})), succeeded()]);
    let shell = Shell::with(&fake);
    let done = shell.run(&["generate", "flux-dev", "a lighthouse", "--width", "512"]);
    done.ended_with(0);
    assert_eq!(
        done.stdout,
        "accepted       0 ms\ndispatched     4 ms\nrunning        9 ms\ndone        1204 ms\n\n\
         job   job00001\nseed  7\ncost  unknown (preview)\nfile  flux-dev-7.png (512 x 256, 33 bytes)\n"
    );
    assert_eq!(
        done.stderr,
        "job00001  queued\njob00001  drawing\njob00001  done\n"
    );
    assert_eq!(
        std::fs::read(shell.path().join("flux-dev-7.png")).unwrap(),
        png(512, 256)
    );
    let submits = fake.seen(SUBMIT);
    assert_eq!(
        submits[0].body,
        json!({ "input": { "prompt": "a lighthouse", "width": 512 } })
    );
    assert_eq!(fake.seen("GET /o/r30/token/1-0.png")[0].authorization, None);
}

#[test]
fn the_same_seed_again_replaces_no_picture_and_a_named_file_is_replaced_aloud() {
    let fake = system([succeeded()]);
    let shell = Shell::with(&fake);
    for _ in 0..2 {
        shell
            .run(&["generate", "flux-dev", "x", "--seed", "7"])
            .ended_with(0);
    }
    assert_eq!(shell.files(), ["flux-dev-7-2.png", "flux-dev-7.png"]);
    std::fs::write(shell.path().join("x.png"), "old").unwrap();
    let done = shell.run(&["generate", "flux-dev", "x", "--out", "x.png"]);
    assert!(
        done.ended_with(0)
            .stdout
            .contains("replaces the file that was there")
    );
    assert_eq!(
        std::fs::read(shell.path().join("x.png")).unwrap(),
        png(512, 256)
    );
    assert_eq!(fake.seen(SUBMIT)[2].body["input"]["output_format"], "png");
}

#[test]
fn a_script_gets_one_object_and_nothing_else() {
    let shell = Shell::with(&system([succeeded()]));
    let done = shell.run(&["generate", "flux-dev", "x", "--json", "--out", "x.png"]);
    done.ended_with(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (report["id"].as_str(), report["seed"].as_u64()),
        (Some("job00001"), Some(7))
    );
    assert_eq!(
        (&report["file"], &report["width"]),
        (&json!("x.png"), &json!(512))
    );
    assert_eq!(
        (&report["cost_usd"], &report["error"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(report["timeline"]["done_ms"], 1204);
    assert_eq!((done.stdout.lines().count(), done.stderr.as_str()), (1, ""));
}

#[test]
fn a_failed_job_is_one_and_its_trace_id_comes_last() {
    let failed =
        json!({ "error": "The picture does not fit.", "metrics": { "error_code": "gpu_oom" } });
    let fake = system([job("failed", &failed)]);
    let shell = Shell::with(&fake);
    let done = shell.run(&["generate", "flux-dev", "x"]);
    done.ended_with(1);
    assert!(
        done.stderr
            .contains("error: The picture does not fit. (gpu_oom)\n"),
        "{}",
        done.stderr
    );
    assert_eq!(done.last_line(), "trace id: trace-of-the-job");
    assert!(done.stdout.contains("job   job00001"));
    assert_eq!(shell.files(), Vec::<String>::new());
    let report = shell
        .run(&["generate", "flux-dev", "x", "--json"])
        .ended_with(1)
        .stdout
        .clone();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["error_code"], "gpu_oom");
    assert_eq!(report["error"], "The picture does not fit.");
}

#[test]
fn an_input_that_is_refused_is_two_and_each_field_is_called_by_its_flag() {
    let fields = json!([{ "field": "input.width", "message": "must be 256 to 2048, not 7" }]);
    let problem = json!({ "title": "Invalid input", "detail": "See invalid_fields.", "status": 422,
                          "invalid_fields": fields, "trace_id": "t-422" });
    let fake = Fake::start(Script {
        refusal: Some((422, problem)),
        ..Script::default()
    });
    let done = Shell::with(&fake).run(&["generate", "flux-dev", "x", "--width", "7"]);
    done.ended_with(2);
    assert_eq!(
        done.stderr,
        "error: Invalid input (422)\n  --width: must be 256 to 2048, not 7\ntrace id: t-422\n"
    );
    assert_eq!(fake.seen(SUBMIT).len(), 1);
}

#[test]
fn wrong_words_are_two_before_any_job_is_made() {
    let fake = system([succeeded()]);
    let shell = Shell::with(&fake);
    let fails = |words: &[&str], part: &str| {
        let done = shell.run(words);
        assert!(
            done.ended_with(2).stderr.contains(part),
            "{part} in\n{}",
            done.stderr
        );
    };
    fails(
        &["generate", "flux-dev", "x", "--widht", "512"],
        "'--width'",
    );
    fails(
        &["generate", "flux-dev", "x", "--width", "big"],
        "not a whole number",
    );
    fails(&["generate", "flux-dev"], "<PROMPT>");
    fails(
        &["generate", "flux-def", "x"],
        "The models are:\n  flux-dev",
    );
    fails(&["generate"], "name the model first");
    fails(
        &["generate", "flux-dev", "x", "--out", "missing/x.png"],
        "no file can be made in missing",
    );
    fails(
        &["generate", "flux-dev", "x", "--preview-run", "1"],
        "--preview",
    );
    assert_eq!(fake.seen(SUBMIT).len(), 0);
}

#[test]
fn the_models_help_shows_its_fields_and_is_no_failure() {
    let shell = Shell::with(&system([]));
    let done = shell.run(&["generate", "flux-dev", "--help"]);
    done.ended_with(0);
    for part in [
        "--width <INTEGER>",
        "[default: 1024]",
        "[256 to 2048]",
        "--preview-run",
        "Exit status",
    ] {
        assert!(done.stdout.contains(part), "{part} in\n{}", done.stdout);
    }
    let general = Shell::bare().run(&["generate", "--help"]);
    assert!(general.ended_with(0).stdout.contains("MODEL PROMPT"));
}

#[test]
fn a_wrong_key_does_not_reach_the_system() {
    let fake = system([]);
    let done = Shell::with(&fake).run(&["generate", "flux-dev", "x", "--api-key", "other"]);
    done.ended_with(3);
    assert!(
        done.stderr
            .contains("Unauthorized (401): Send a valid API key."),
        "{}",
        done.stderr
    );
    assert_eq!(done.last_line(), "trace id: trace-of-the-request");
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let fake = system([succeeded()]);
    fake.script().lost_submits = 2;
    Shell::with(&fake)
        .run(&["generate", "flux-dev", "x"])
        .ended_with(0);
    let submits = fake.seen(SUBMIT);
    let keys: Vec<_> = submits
        .iter()
        .map(|seen| seen.idempotency_key.clone())
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(
        keys[0].is_some() && keys.iter().all(|key| *key == keys[0]),
        "{keys:?}"
    );
}

#[test]
fn a_download_that_breaks_off_begins_again_and_leaves_one_whole_file() {
    let fake = system([succeeded()]);
    fake.script().cut_downloads = 2;
    let shell = Shell::with(&fake);
    shell.run(&["generate", "flux-dev", "x"]).ended_with(0);
    assert_eq!(shell.files(), ["flux-dev-7.png"]);
    assert_eq!(
        std::fs::read(shell.path().join("flux-dev-7.png")).unwrap(),
        png(512, 256)
    );
}

#[test]
fn a_picture_that_cannot_be_fetched_is_one_and_its_place_is_said() {
    let output = json!({ "output": "HOST/v1/nothing.png" });
    let fake = system([job("succeeded", &output)]);
    let shell = Shell::with(&fake);
    let done = shell.run(&["generate", "flux-dev", "x"]);
    done.ended_with(1);
    let place = format!("It is at {}/v1/nothing.png\n", fake.url());
    assert!(done.stderr.contains(&place), "{}", done.stderr);
    assert_eq!(done.last_line(), "trace id: trace-of-the-job");
    assert_eq!(shell.files(), Vec::<String>::new());
    let removed = system([job("succeeded", &json!({}))]);
    let shell = Shell::with(&removed);
    let done = shell.run(&["generate", "flux-dev", "x", "--json"]);
    assert!(
        done.ended_with(1)
            .stdout
            .contains(r#""error_code":"unsaved""#)
    );
}

#[test]
fn the_interrupt_cancels_the_job() {
    let fake = system([job("processing", &json!({}))]);
    let shell = Shell::with(&fake);
    let child = shell.spawn(&["generate", "flux-dev", "x"]);
    let begun = Instant::now();
    while fake.seen("GET /v1/predictions/job00001").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the job was never looked at"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let done = Done::from(child.wait_with_output().unwrap());
    done.ended_with(130);
    assert_eq!(fake.seen("POST /v1/predictions/job00001/cancel").len(), 1);
    assert!(
        done.stderr.contains("stopped; job job00001 is canceled"),
        "{}",
        done.stderr
    );
    assert_eq!(done.last_line(), "trace id: trace-of-the-job");
}
