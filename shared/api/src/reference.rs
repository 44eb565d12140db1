//! The parts of the documentation that are made from code: `cargo run -p ryla-api --example reference`
//! writes them, a test keeps them equal.

use crate::document;
use crate::problem::Refusal;
use crate::routes::{Access, ROUTES};
use ryla_domain::failure::Code;
use ryla_domain::model::{Media, catalog};
use std::fmt::Write as _;

/// What stands around the generated part of docs/API.md.
pub const BEGIN: &str = "<!-- generated: begin -->\n";
/// The end of the generated part.
pub const END: &str = "<!-- generated: end -->\n";

/// docs/openapi.json, for an address that a deployer replaces.
pub fn openapi_json() -> String {
    let mut document = document::openapi("https://api.example.com");
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// docs/API.md with its generated part as the code has it now.
pub fn api_md(page: &str) -> String {
    let head = page.split(BEGIN).next().unwrap_or_default();
    let tail = page.split(END).nth(1).unwrap_or_default();
    format!("{head}{BEGIN}\n{}\n{END}{tail}", tables())
}

/// The generated part of docs/API.md: models, routes, fields, problems, failure codes.
fn tables() -> String {
    let mut text = String::new();
    models(&mut text);
    routes(&mut text);
    fields(&mut text);
    problems(&mut text);
    failures(&mut text);
    text
}

fn models(text: &mut String) {
    text.push_str("### Models\n\n`usual run` is an estimate for a warm GPU, and decides alone whether a request that waits is held.\n\n| model | pictures in | out | usual run | what |\n|---|---|---|---|---|\n");
    for model in catalog() {
        let pictures: Vec<String> = model
            .picture_fields()
            .iter()
            .map(|field| format!("`{field}`"))
            .collect();
        let out = match model.media {
            Media::Picture => "picture",
            Media::Video => "video (MP4)",
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {out} | {} s | {} |",
            model.slug(),
            pictures.join(", "),
            model.typical_s,
            model.description
        );
    }
}

fn routes(text: &mut String) {
    text.push_str("\n### Routes\n\n| method | path | who | what |\n|---|---|---|---|\n");
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
}

fn fields(text: &mut String) {
    for (part, fields) in document::PREDICTION_PARTS
        .into_iter()
        .chain(document::WARM_PARTS)
    {
        let _ = write!(
            text,
            "\n### Fields of `{part}`\n\n| field | what |\n|---|---|\n"
        );
        for (name, _, what) in fields {
            let _ = writeln!(text, "| `{name}` | {what} |");
        }
    }
}

fn problems(text: &mut String) {
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
}

fn failures(text: &mut String) {
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
}

/// One of each, as it may happen, for the table and for the snapshot; the match makes a new kind a
/// compile error here.
pub(crate) fn every_refusal() -> Vec<Refusal> {
    let list = vec![
        Refusal::NoRoute,
        Refusal::Method(vec!["GET", "PUT"]),
        Refusal::Unauthorized,
        Refusal::NoPrediction,
        Refusal::NoModel,
        Refusal::NoVersion,
        Refusal::NoOutput,
        Refusal::OutputTooLarge,
        Refusal::NotJson("It is JSON, but not an object.".to_owned()),
        Refusal::TooLarge(crate::MAX_BODY_BYTES),
        Refusal::field("input.width", "must be a whole number from 256 to 2048"),
        Refusal::UsedByAnother,
        Refusal::StillOpen,
        Refusal::NotFailed,
        Refusal::InputRemoved,
        Refusal::BadSignature,
        Refusal::StaleTimestamp(1_777_636_800),
        Refusal::BadCallback,
        Refusal::NoBackend,
        Refusal::NotThereYet,
        Refusal::Newer,
        Refusal::Unavailable("inside".into()),
        Refusal::Corrupt("inside".into()),
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
