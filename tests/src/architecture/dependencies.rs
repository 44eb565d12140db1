//! What is linked, as `cargo tree` says: one TLS stack, one HTTP stack, and nothing in a Lambda that only
//! tests and laptops need.

use super::{members, read, root};
use std::collections::BTreeSet;
use std::process::Command;

/// Names and versions of every crate in a dependency tree.
fn tree(arguments: &[&str]) -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo tree {arguments:?}: {errors}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<_> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let version = |word: &str| word.strip_prefix('v').map(str::to_owned);
            Some((words.next()?.to_owned(), words.next().and_then(version)?))
        })
        .collect();
    assert!(crates.len() > 50, "cargo tree {arguments:?} names the tree");
    crates
}

fn versions(crates: &BTreeSet<(String, String)>, name: &str) -> Vec<String> {
    let of_that_name = crates.iter().filter(|(n, _)| n == name);
    of_that_name.map(|(_, version)| version.clone()).collect()
}

#[test]
fn there_is_one_tls_stack_and_one_http_stack() {
    let crates = tree(&[
        "--workspace",
        "--all-features",
        "--edges",
        "normal,build,dev",
    ]);
    let rustls = versions(&crates, "rustls");
    assert_eq!(rustls.len(), 1, "rustls: {rustls:?}");
    let hyper = versions(&crates, "hyper");
    assert!(
        matches!(&hyper[..], [one] if one.starts_with("1.")),
        "hyper: {hyper:?}"
    );
    for provider in ["aws-lc-rs", "aws-lc-sys"] {
        assert_eq!(versions(&crates, provider).len(), 1, "{provider}");
    }
    for foreign in [
        "openssl",
        "openssl-sys",
        "native-tls",
        "hyper-tls",
        "tokio-native-tls",
        "ring",
        "boring",
        "boring-sys",
        "s2n-tls",
        "s2n-tls-sys",
        "rustls-openssl",
        "mbedtls",
        "wolfssl",
    ] {
        assert_eq!(versions(&crates, foreign), [""; 0], "{foreign}");
    }
}

#[test]
fn a_lambda_carries_nothing_that_only_tests_and_laptops_need() {
    let functions: Vec<String> = members()
        .into_iter()
        .filter_map(|folder| folder.strip_prefix("functions/").map(str::to_owned))
        .collect();
    assert_eq!(functions.len(), 6, "{functions:?}");
    for function in functions {
        let crates = tree(&[
            "--package",
            &format!("ryla-{function}"),
            "--edges",
            "normal",
        ]);
        for foreign in [
            "ryla-testing",
            "ryla-local",
            "ryla-scene",
            "dynoxide-rs",
            "s3s",
            "s3s-fs",
            "winterbaume-core",
            "winterbaume-sqs",
            "rcgen",
            "image",
            "tiny-skia",
            "clap",
            "tempfile",
        ] {
            assert_eq!(
                versions(&crates, foreign),
                [""; 0],
                "{function} carries {foreign}"
            );
        }
        assert_eq!(versions(&crates, "rustls").len(), 1, "{function}");
    }
}

/// AWS-LC's own entropy source costs 50 ms of every cold start; it is switched off where it is built.
#[test]
fn the_build_switches_jitter_entropy_off() {
    let config: toml::Table = read(".cargo/config.toml").parse().unwrap();
    let switch = config["env"]["AWS_LC_SYS_NO_JITTER_ENTROPY"].as_str();
    assert_eq!(switch, Some("1"));
}

/// The feature unfences the table for `tests/fences`: whoever else named it could ship it.
#[test]
fn only_the_tests_can_build_a_table_that_forgets_a_fence() {
    let names = |file: &str| read(file).contains("removable-fences");
    let manifests = members()
        .into_iter()
        .map(|folder| format!("{folder}/Cargo.toml"));
    let others = ["Cargo.toml", "template.yaml"].map(str::to_owned);
    let naming: BTreeSet<String> = manifests.chain(others).filter(|file| names(file)).collect();
    let allowed = ["shared/aws/Cargo.toml", "tests/Cargo.toml"];
    assert_eq!(naming, BTreeSet::from(allowed.map(str::to_owned)));
    let by_default = |folder: &str| {
        let manifest: toml::Table = read(format!("{folder}/Cargo.toml")).parse().unwrap();
        manifest["features"].get("default").is_some()
    };
    assert!(!by_default("shared/aws") && !by_default("tests"));
}
