//! The documentation that is made from code is what the code makes.

use super::app::TestApp;
use crate::document::PREDICTION_PARTS;
use crate::reference::{BEGIN, END, api_md, openapi_json};
use ryla_domain::state::Phase;

const HOW: &str = "run `cargo run -p ryla-api --example reference` in the repository's root";

fn read(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn openapi_json_is_the_document_of_this_code() {
    assert!(
        read("docs/openapi.json") == openapi_json(),
        "docs/openapi.json: {HOW}"
    );
}

#[test]
fn api_md_has_the_tables_of_this_code() {
    let page = read("docs/API.md");
    assert_eq!(
        (page.matches(BEGIN).count(), page.matches(END).count()),
        (1, 1)
    );
    assert!(page == api_md(&page), "docs/API.md: {HOW}");
}

/// Every figure that a client may see has its line, and every line is of a figure that there is.
#[tokio::test]
async fn every_metric_is_seen_in_some_state_and_is_documented() {
    let app = TestApp::new();
    let mut seen = std::collections::BTreeSet::new();
    for phase in Phase::ALL {
        let id = format!("a-job-that-is-{}", phase.name());
        app.plant_alices(&id, phase);
        let shown = app
            .get(super::app::ALICE, format!("/v1/predictions/{id}"))
            .await
            .json();
        let metrics = shown["metrics"].as_object().unwrap();
        seen.extend(metrics.keys().cloned());
    }
    let (_, documented) = PREDICTION_PARTS[1];
    let documented = documented.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(seen, documented.collect());
}
