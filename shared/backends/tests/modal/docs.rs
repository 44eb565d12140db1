//! docs/BACKENDS.md is the protocol's definition: its examples are the fixtures and its tables are
//! the tables that the tests play, letter by letter.

use crate::answers::{Port, Row, accepted, all};
use crate::{cancel, check, wire};
use ryla_domain::failure::Code;
use ryla_domain::overdue::Answer;
use ryla_engine::port::Cancelled;
use std::fmt::Write;

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/BACKENDS.md");
    std::fs::read_to_string(path).unwrap()
}

fn start_row(row: &Row) -> String {
    let (port, retry, fail_over, code) = match row.port {
        Port::Started => ("Started", "-".to_owned(), "-", "-"),
        Port::Unknown => ("Unknown", "after asking".to_owned(), "after asking", "-"),
        Port::Unavailable(wait) => {
            let retry =
                wait.map_or_else(|| "later".to_owned(), |ms| format!("after {} s", ms / 1000));
            ("Unavailable", retry, "at once", "backend_unreachable")
        }
        Port::Refused(code) => {
            let meaning = Code::from_name(code).unwrap().meaning();
            let fail_over = if meaning.fail_over { "yes" } else { "no" };
            ("Refused", "never there".to_owned(), fail_over, code)
        }
    };
    let retry = match row.tries {
        1 => retry,
        tries => format!("{} more at once, then {retry}", tries - 1),
    };
    let reason = if row.reason.is_empty() {
        "-".to_owned()
    } else {
        format!("`{}`", row.reason)
    };
    let alarm = if row.alarm { "yes" } else { "" };
    format!(
        "| {} | {port} | {retry} | {fail_over} | {code} | {reason} | {alarm} |\n",
        row.answer
    )
}

#[test]
fn the_table_of_answers_stands_in_the_docs() {
    let mut table = String::from(
        "| answer | outcome | retry | fail-over | code | log `reason` | alarm |\n|---|---|---|---|---|---|---|\n",
    );
    for row in accepted().iter().chain(&all()) {
        table.push_str(&start_row(row));
    }
    assert!(
        page().contains(&table),
        "docs/BACKENDS.md must hold:\n{table}"
    );
}

#[test]
fn the_tables_of_statuses_stand_in_the_docs() {
    let page = page();
    for row in check::rows() {
        let answer = match row.answer {
            Answer::Failed { .. } => "Failed".to_owned(),
            Answer::Done(_) => "Done".to_owned(),
            Answer::Running { .. } => "Running".to_owned(),
            other => format!("{other:?}"),
        };
        let line = format!("| `{}` | {answer} |", row.status);
        assert!(page.contains(&line), "{line}");
    }
    for (status, cancelled) in cancel::ROWS {
        let word = match cancelled {
            Cancelled::Confirmed => "Confirmed",
            Cancelled::Requested => "Requested",
            Cancelled::Unreachable => "Unreachable",
        };
        let line = format!("| `{status}` | {word} |");
        assert!(page.contains(&line), "{line}");
    }
}

#[test]
fn every_message_of_the_protocol_stands_in_the_docs_as_an_example() {
    let page = page();
    let mut missing = String::new();
    for (name, text) in wire::fixtures() {
        if !page.contains(&format!("```json\n{text}```\n")) {
            writeln!(missing, "{name}:\n```json\n{text}```").unwrap();
        }
    }
    assert!(missing.is_empty(), "docs/BACKENDS.md must hold:\n{missing}");
    let examples = page.matches("```json\n").count();
    assert_eq!(
        examples,
        wire::fixtures().len(),
        "every example is a fixture"
    );
}
