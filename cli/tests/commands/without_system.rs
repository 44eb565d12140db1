//! What needs no system, and what happens where none is.

use crate::shell::Shell;
use serde_json::Value;
use std::net::TcpListener;

#[test]
fn a_system_that_cannot_be_reached_is_three_for_people_and_for_scripts() {
    let shell = Shell::bare();
    let words = [
        "generate",
        "flux-dev",
        "x",
        "--api-url",
        "http://127.0.0.1:1",
        "--json",
    ];
    let done = shell.run(&words);
    done.ended_with(3);
    assert!(
        done.stderr.contains("cannot reach http://127.0.0.1:1/: "),
        "{}",
        done.stderr
    );
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&report["id"], report["error_code"].as_str()),
        (&Value::Null, Some("unreachable"))
    );
}

#[test]
fn an_address_or_a_ca_that_cannot_be_used_is_two() {
    let shell = Shell::bare();
    let done = shell.run(&["jobs", "list", "--api-url", "example.com"]);
    assert!(
        done.ended_with(2)
            .stderr
            .contains("must be an http or https URL")
    );
    let words = [
        "jobs",
        "list",
        "--api-url",
        "https://example.com",
        "--ca",
        "missing.pem",
    ];
    assert!(
        shell
            .run(&words)
            .ended_with(2)
            .stderr
            .contains("missing.pem")
    );
}

#[test]
fn a_new_key_is_shown_once_with_the_command_that_stores_its_hash() {
    let done = Shell::bare().run(&["keys", "new", "--account", "acme", "--table", "ryla-prod"]);
    let key = done
        .ended_with(0)
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("ryla_"));
    let key = key.unwrap();
    assert_eq!(key.len(), 32);
    assert!(
        done.stdout
            .contains("aws dynamodb put-item --table-name ryla-prod")
    );
    assert!(done.stdout.contains(r#""account":{"S":"acme"}"#));
    assert_eq!(done.stdout.matches(key).count(), 1);
    Shell::bare()
        .run(&["keys", "new", "--account", "No Name"])
        .ended_with(2);
}

#[test]
fn version_and_help_are_no_failures_and_no_command_is() {
    let shell = Shell::bare();
    let version = format!("ryla {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(shell.run(&["--version"]).ended_with(0).stdout, version);
    for words in [
        ["help", "generate"],
        ["generate", "--help"],
        ["jobs", "--help"],
        ["dev", "--help"],
    ] {
        assert!(!shell.run(&words).ended_with(0).stdout.is_empty());
    }
    shell.run(&[]).ended_with(2);
    assert!(
        shell
            .run(&["generat"])
            .ended_with(2)
            .stderr
            .contains("'generate'")
    );
}

#[test]
fn a_port_that_is_taken_is_said_and_three() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let done = Shell::bare().run(&["dev", "--memory", "--listen", &address]);
    done.ended_with(3);
    assert!(
        done.stderr.contains(&format!("{address} is taken")),
        "{}",
        done.stderr
    );
}
