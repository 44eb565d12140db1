//! The documentation that is made from code is what the code makes.

use super::app::TestApp;
use crate::document::PREDICTION_PARTS;
use crate::reference::{BEGIN, END, api_md, openapi_json};
use ryla_domain::output::Output;
use ryla_domain::report::Likeness;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_testing::sample::{a_job, a_report, an_output};
use serde_json::{Value, json};

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

/// The metrics of a job of two pictures whose worker said that of their slots.
async fn compared_faces(app: &TestApp, told: &[(u8, f64)]) -> Value {
    let id = format!("faces-compared-{}", told.len());
    let told = told
        .iter()
        .map(|(slot, share)| (*slot, Likeness::of_share(*share).unwrap()));
    let report = a_report().with_likeness(told);
    let pictures = [0, 1].map(|slot| Output {
        slot,
        ..an_output()
    });
    let job = a_job().account("alice").id(&id).in_phase(Phase::Running);
    let (origin, at) = (job.origin(), job.created_at + Ms::seconds(20));
    app.plant(&job.succeed(&origin, pictures.to_vec(), report, at).unwrap());
    let shown = app.get(super::app::ALICE, format!("/v1/predictions/{id}"));
    shown.await.json()["metrics"].clone()
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
    let compared = compared_faces(&app, &[(0, 0.87), (7, 0.9)]).await;
    assert_eq!(compared["likeness"], json!([0.87, null]));
    seen.extend(compared.as_object().unwrap().keys().cloned());
    // Nobody compared anything of these pictures: not even a list of nulls.
    let silent = compared_faces(&app, &[]).await;
    assert_eq!(silent.get("likeness"), None);
    let (_, documented) = PREDICTION_PARTS[1];
    let documented = documented.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(seen, documented.collect());
}
