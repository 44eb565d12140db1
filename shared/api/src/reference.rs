//! The parts of the documentation that are made from code: `cargo run -p ryla-api --example reference`
//! writes them, a test keeps them equal.

use crate::document;
use crate::problem::Refusal;
use crate::routes::{Access, ROUTES};
use ryla_domain::failure::Code;
use std::fmt::Write as _;

/// What stands around the generated part of docs/API.md.
pub const BEGIN: &str = "<!-- generated: begin -->\n";
/// The end of the generated part.
pub const END: &str = "<!-- generated: end -->\n";

/// docs/openapi.json, for an address that a deployer replaces.
pub fn openapi_json() -> String {
    let document = document::openapi("https://api.example.com");
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The generated part of docs/API.md: routes, problems, failure codes.
pub fn tables() -> String {
    let mut text =
        String::from("### Routes\n\n| method | path | who | what |\n|---|---|---|---|\n");
    for route in ROUTES {
        let who = match route.access {
            Access::Key => "API key",
            Access::Open => "anybody",
            Access::Signature => "signature",
        };
        let _ = writeln!(
            text,
            "| {} | `{}` | {who} | {} |",
            route.method, route.path, route.summary
        );
    }
    text.push_str("\n### Problems\n\n| status | title | detail |\n|---|---|---|\n");
    for refusal in every_refusal() {
        let row = refusal.row();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            row.status.as_u16(),
            row.title,
            row.detail
        );
    }
    text.push_str("\n### Failure codes\n\n`error` is the sentence, `metrics.error_code` the code.\n\n| code | another attempt | another backend | refunded | sentence |\n|---|---|---|---|---|\n");
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    for code in Code::ALL {
        let m = code.meaning();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            m.name,
            yes(m.retry),
            yes(m.fail_over),
            yes(m.refund),
            m.sentence
        );
    }
    text
}

/// One of each, for the table; the match makes a new kind a compile error here.
fn every_refusal() -> Vec<Refusal> {
    let list = vec![
        Refusal::NoRoute,
        Refusal::Method(Vec::new()),
        Refusal::Unauthorized,
        Refusal::NoPrediction,
        Refusal::NoModel,
        Refusal::NoVersion,
        Refusal::NoOutput,
        Refusal::OutputTooLarge,
        Refusal::NotJson(String::new()),
        Refusal::TooLarge(0),
        Refusal::Invalid(Vec::new()),
        Refusal::UsedByAnother,
        Refusal::StillOpen,
        Refusal::NotFailed,
        Refusal::InputRemoved,
        Refusal::BadSignature,
        Refusal::StaleTimestamp(0),
        Refusal::BadCallback,
        Refusal::NoBackend,
        Refusal::NotThereYet,
        Refusal::Newer,
        Refusal::Unavailable("".into()),
        Refusal::Corrupt("".into()),
    ];
    for refusal in &list {
        match refusal {
            Refusal::NoRoute
            | Refusal::Method(_)
            | Refusal::Unauthorized
            | Refusal::NoPrediction
            | Refusal::NoModel
            | Refusal::NoVersion
            | Refusal::NoOutput
            | Refusal::OutputTooLarge
            | Refusal::NotJson(_)
            | Refusal::TooLarge(_)
            | Refusal::Invalid(_)
            | Refusal::UsedByAnother
            | Refusal::StillOpen
            | Refusal::NotFailed
            | Refusal::InputRemoved
            | Refusal::BadSignature
            | Refusal::StaleTimestamp(_)
            | Refusal::BadCallback
            | Refusal::NoBackend
            | Refusal::NotThereYet
            | Refusal::Newer
            | Refusal::Unavailable(_)
            | Refusal::Corrupt(_) => {}
        }
    }
    list
}
