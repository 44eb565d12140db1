//! `ryla accept`, and pictures by path, on the real system inside the command.

use crate::shell::Shell;

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
        "| likeness to the reference | open |",
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
