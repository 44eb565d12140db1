//! The public JSON, byte for byte: one prediction in each state, every problem, a model, a page.

use super::app::{ALICE, TestApp};
use super::ask::{TRACE, fine};
use crate::reference::every_refusal;
use insta::{assert_json_snapshot, with_settings};
use ryla_domain::state::Phase;
use serde_json::{Map, Value, json};

/// Every snapshot: a file that is not in this list is left over.
const NAMES: [&str; 13] = [
    "account",
    "list",
    "model",
    "prediction-accepted",
    "prediction-canceled",
    "prediction-canceling",
    "prediction-created",
    "prediction-dispatching",
    "prediction-failed",
    "prediction-running",
    "prediction-succeeded",
    "problems",
    "warm",
];

pub(super) fn assert_shown(name: &str, value: &Value) {
    assert!(NAMES.contains(&name));
    with_settings!({ sort_maps => true, prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_json_snapshot!(name, value);
    });
}

#[tokio::test]
async fn a_prediction_in_each_state() {
    let app = TestApp::new();
    for phase in Phase::ALL {
        let id = format!("a-job-that-is-{}", phase.name());
        app.plant_alices(&id, phase);
        let shown = app
            .get(ALICE, format!("/v1/predictions/{id}"))
            .await
            .expect(200);
        assert_shown(&format!("prediction-{}", phase.name()), &shown.json());
    }
}

#[tokio::test]
async fn a_prediction_just_created() {
    let app = TestApp::new();
    let ask = app.create(ALICE, &fine()).header("cancel-after", "5m");
    let created = ask
        .header("traceparent", super::ask::TRACEPARENT)
        .send()
        .await
        .expect(201);
    assert_shown("prediction-created", &created.json());
}

#[tokio::test]
async fn a_page_of_the_list_with_links_both_ways() {
    let app = TestApp::new();
    for id in [
        "first-of-three-jobs",
        "second-of-three-jobs",
        "third-of-three-jobs",
    ] {
        app.plant_alices(id, Phase::Canceled);
    }
    let first = app
        .get(ALICE, "/v1/predictions?page_size=1")
        .await
        .expect(200)
        .json();
    let next = first["next"]
        .as_str()
        .unwrap()
        .strip_prefix(super::app::API)
        .unwrap();
    assert_shown("list", &app.get(ALICE, next).await.expect(200).json());
}

#[tokio::test]
async fn a_model_and_the_account() {
    let app = TestApp::new();
    let model = app.get(ALICE, "/v1/models/ryla/flux-dev").await.expect(200);
    assert_shown("model", &model.json());
    assert_shown(
        "account",
        &app.get(ALICE, "/v1/account").await.expect(200).json(),
    );
}

#[test]
fn every_problem() {
    let trace = TRACE.parse().unwrap();
    let mut problems = Map::new();
    for refusal in every_refusal() {
        let name = format!("{refusal:?}");
        let name = name.split('(').next().unwrap().to_owned();
        let (parts, body) = refusal.response(&trace).into_parts();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let shown = json!({
            "status": parts.status.as_u16(),
            "allow": header("allow"),
            "retry-after": header("retry-after"),
            "www-authenticate": header("www-authenticate"),
            "body": serde_json::from_slice::<Value>(&body.into_bytes()).unwrap(),
        });
        problems.insert(name, shown);
    }
    assert_shown("problems", &problems.into());
}

#[test]
fn no_snapshot_is_left_over() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/snapshots");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, NAMES.map(|name| format!("{name}.snap")));
}
