//! Models and versions as the official clients need them, the account, and the health.

use super::app::{ALICE, BOB, TestApp};
use ryla_domain::model::{self, catalog};
use serde_json::json;

#[tokio::test]
async fn every_model_is_listed_and_read_with_what_the_clients_insist_on() {
    let app = TestApp::new();
    let list = app.get(ALICE, "/v1/models").await.expect(200).json();
    assert_eq!(list["results"].as_array().unwrap().len(), catalog().len());
    for shown in list["results"].as_array().unwrap() {
        let path = format!(
            "/v1/models/{}/{}",
            shown["owner"].as_str().unwrap(),
            shown["name"].as_str().unwrap()
        );
        assert_eq!(app.get(BOB, path).await.expect(200).json(), *shown);
        assert!(
            shown["latest_version"]["openapi_schema"]["components"]["schemas"]["Input"].is_object()
        );
    }
}

#[tokio::test]
async fn a_version_has_what_replicate_1_0_7_reads_after_a_run() {
    let app = TestApp::new();
    let versions = app
        .get(ALICE, "/v1/models/ryla/flux-dev/versions")
        .await
        .expect(200)
        .json();
    let version = &versions["results"][0];
    let id = version["id"].as_str().unwrap();
    let path = format!("/v1/models/ryla/flux-dev/versions/{id}");
    assert_eq!(app.get(BOB, path).await.expect(200).json(), *version);
    // A number from 0.3.9 on, a point in time, and an object with the schema of the output.
    let cog: Vec<u32> = version["cog_version"]
        .as_str()
        .unwrap()
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(cog >= vec![0, 3, 9]);
    assert!(
        version["created_at"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );
    assert_eq!(
        version["openapi_schema"]["components"]["schemas"]["Output"]["type"],
        "string"
    );
}

#[tokio::test]
async fn the_version_of_a_prediction_is_one_that_can_be_read() {
    let app = TestApp::new();
    let created = app
        .create(ALICE, &super::ask::fine())
        .send()
        .await
        .expect(201)
        .json();
    let path = format!(
        "/v1/models/ryla/flux-dev/versions/{}",
        created["version"].as_str().unwrap()
    );
    app.get(BOB, path).await.expect(200);
}

#[tokio::test]
async fn unknown_models_and_versions_are_not_found() {
    let app = TestApp::new();
    let version = model::find("ryla", "flux-dev").unwrap().version_id();
    for path in [
        "/v1/models/ryla/none".to_owned(),
        "/v1/models/acme/flux-dev".to_owned(),
        "/v1/models/ryla/none/versions".to_owned(),
        format!("/v1/models/ryla/none/versions/{version}"),
        "/v1/models/ryla/flux-dev/versions/none".to_owned(),
    ] {
        for key in [ALICE, BOB] {
            app.get(key, &path).await.expect(404);
        }
    }
}

#[tokio::test]
async fn the_account_is_that_of_the_key() {
    let app = TestApp::new();
    for (key, name) in [(ALICE, "alice"), (BOB, "bob")] {
        let shown = app.get(key, "/v1/account").await.expect(200).json();
        assert_eq!(
            shown,
            json!({ "type": "organization", "username": name, "name": name, "github_url": null })
        );
    }
}

#[tokio::test]
async fn health_needs_no_key_and_asks_no_table() {
    let app = TestApp::new();
    super::faults::on(&app.faults.jobs);
    super::faults::on(&app.faults.accounts);
    let shown = app.ask("GET", "/v1/health").send().await.expect(200).json();
    assert_eq!(
        shown,
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "backend": "modal" })
    );
    assert_eq!((app.store_calls(), app.accounts.reads()), (0, 0));
}
