//! `ryla accept`, on the real system inside the command and on a named one; and pictures by path.

use crate::fake::{Fake, Script, job};
use crate::shell::{Done, Shell};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// Two samples and five at once of models that are drawn at once.
const QUICK: [&str; 5] = ["accept", "--samples", "2", "--preview-run", "0"];

fn run(shell: &Shell, words: &[&str]) -> crate::shell::Done {
    shell.run(&[&QUICK, words].concat())
}

#[test]
fn a_face_by_path_and_a_lora_by_name_reach_the_models_that_need_them() {
    let shell = Shell::bare();
    let drawn = [
        "generate",
        "flux",
        "a person",
        "--width",
        "256",
        "--height",
        "256",
        "--out",
        "me.jpg",
        "--preview-run",
        "0",
    ];
    shell.run(&drawn).ended_with(0);
    let done = run(
        &shell,
        &[
            "--models",
            "flux-lora,ryla/sdxl-instantid",
            "--reference",
            "me.jpg",
            "--lora",
            "my-face",
            "--out",
            "report.md",
        ],
    );
    done.ended_with(0);
    assert_eq!(done.stdout, "");
    let report = std::fs::read_to_string(shell.path().join("report.md")).unwrap();
    for line in [
        "## flux-lora",
        "## sdxl-instantid",
        "| every sample succeeds | pass | 2 of 2 |",
        "| five at once all finish | pass | 5 of 5 |",
        "| a picture under $0.50 | open | not known |",
        "| likeness to the reference | open | no face models here |",
        "| a second start downloads nothing | open | a preview GPU has no model files |",
        "| sdxl-instantid | InstantID | not measured | - | 0 |",
        ", 0 fail, ",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(!report.contains("## face-swap"));
}

#[test]
fn a_point_that_fails_is_told_and_is_the_exit_status() {
    let done = run(&Shell::bare(), &["--models", "flux", "--preview-fail", "1"]);
    done.ended_with(1);
    let line = "| every sample succeeds | **fail** | 0 of 2 (gpu_error) |";
    assert!(done.stdout.contains(line), "{}", done.stdout);
    assert!(
        done.stderr.contains("points that failed: 2"),
        "{}",
        done.stderr
    );
}

#[test]
fn what_cannot_be_asked_is_open_and_a_wrong_name_is_wrong_use() {
    let shell = Shell::bare();
    let done = run(&shell, &["--models", "face-swap"]);
    assert!(
        done.ended_with(0)
            .stdout
            .contains("| asked | open | needs --reference |")
    );
    let done = run(&shell, &["--models", "flux-pro"]);
    assert!(done.ended_with(2).stderr.contains("z-image-danrisi"));
    std::fs::write(shell.path().join("me.txt"), "no picture").unwrap();
    let done = run(&shell, &["--reference", "me.txt"]);
    assert!(
        done.ended_with(2)
            .stderr
            .contains("--reference: the file is no JPEG")
    );
}

#[test]
fn pictures_by_path_make_a_picture_and_a_video() {
    let shell = Shell::bare();
    let quick = ["--preview-run", "0", "--json"];
    let small = ["--width", "256", "--height", "256"];
    let face = ["generate", "flux", "a person", "--out", "face.png"];
    shell
        .run(&[&face[..], &small, &quick].concat())
        .ended_with(0);
    let swap = [
        "generate",
        "face-swap",
        "--base-image",
        "face.png",
        "--reference-image",
        "face.png",
        "--out",
        "swap.jpg",
    ];
    shell.run(&[&swap[..], &quick].concat()).ended_with(0);
    let film = [
        "generate",
        "live-portrait",
        "--reference-image",
        "face.png",
        "--seed",
        "7",
    ];
    shell
        .run(&[&film[..], &small, &quick].concat())
        .ended_with(0);
    assert_eq!(
        shell.files(),
        ["face.png", "live-portrait-7.mp4", "swap.jpg"]
    );
    let film = std::fs::read(shell.path().join("live-portrait-7.mp4")).unwrap();
    assert_eq!(film[4..8], *b"ftyp");
    let missing = shell.run(&["generate", "face-swap", "--reference-image", "face.png"]);
    assert!(missing.ended_with(2).stderr.contains("--base-image"));
}

#[test]
fn a_report_that_cannot_be_written_is_wrong_use_before_anything_is_asked_for() {
    let done = run(
        &Shell::bare(),
        &["--models", "flux", "--out", "no/such/folder/report.md"],
    );
    done.ended_with(2);
    assert!(
        done.stderr
            .contains("no/such/folder/report.md cannot be written"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("flux ..."), "{}", done.stderr);
}

/// A run on a real GPU, as a named system shows it.
fn on_a_gpu(status: &str) -> Value {
    let metrics = json!({ "provider": "modal", "gpu": "L40S", "predict_time": 12.5, "boot_seconds": 0.0,
                          "cold_start_seconds": 0.4, "cost_usd": 0.0072 });
    let output = (status == "succeeded").then_some("HOST/o/r30/token/1-0.png");
    job(status, &json!({ "output": output, "metrics": metrics }))
}

fn system(states: impl IntoIterator<Item = Value>) -> Fake {
    Fake::start(Script {
        states: states.into_iter().collect(),
        ..Script::default()
    })
}

#[test]
fn a_named_gpu_app_is_asked_by_its_own_key_what_its_last_start_downloaded() {
    let fake = system([on_a_gpu("succeeded")]);
    let mut shell = Shell::with(&fake);
    let words = ["accept", "--models", "flux-dev", "--samples", "2"];
    let silent = shell.run(&words);
    let line = "| a second start downloads nothing | open | only the GPU app tells: name it with MODAL_JOBS_URL |";
    assert!(
        silent.ended_with(0).stdout.contains(line),
        "{}",
        silent.stdout
    );
    shell.set("MODAL_JOBS_URL", &fake.url());
    shell.set("MODAL_KEY", "wk-test");
    let told = shell.run(&words);
    for line in [
        "| a second start downloads nothing | pass | 0 bytes by start 3 of class flux |",
        "| nodes and model files are there | pass | 0 runs ended for want of one |",
        "| mean run under 30 s | pass | 12.500 s |",
        "| cold start under 60 s | open | no container was cold |",
        "| a picture under $0.50 | pass | 0.007 USD |",
    ] {
        assert!(told.ended_with(0).stdout.contains(line), "{}", told.stdout);
    }
    let [asked] = &fake.seen("GET /v1/health")[..] else {
        panic!("the app is asked once for a model")
    };
    assert_eq!(
        (asked.authorization.as_deref(), asked.modal_key.as_deref()),
        (None, Some("wk-test"))
    );
    let away = shell.run(&[&words[..], &["--modal-jobs-url", "http://127.0.0.1:1"]].concat());
    let line = "| a second start downloads nothing | open | the GPU app does not answer |";
    assert!(away.ended_with(0).stdout.contains(line), "{}", away.stdout);
}

#[test]
fn the_interrupt_ends_it_with_a_report_of_what_was_seen() {
    let fake = system(["succeeded", "succeeded", "processing"].map(on_a_gpu));
    let shell = Shell::with(&fake);
    let child = shell.spawn(&["accept", "--models", "flux-dev", "--out", "report.md"]);
    let begun = Instant::now();
    while fake.seen("GET /v1/predictions/job00001").len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no third sample");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let done = Done::from(child.wait_with_output().unwrap());
    done.ended_with(130);
    let report = std::fs::read_to_string(shell.path().join("report.md")).unwrap();
    for line in [
        "**Stopped before the end:**",
        "| every sample succeeds | open | 2 of 2; stopped after 2 of 10 samples and 0 of 5 at once |",
        "| mean run under 30 s | open | 12.500 s; stopped after 2 of 10",
        "\n0 pass, 0 fail, ",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(
        done.stderr.contains("the report is in report.md"),
        "{}",
        done.stderr
    );
}
