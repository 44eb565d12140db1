//! Pictures served by the API itself.

use super::app::{ALICE, BOB, PICTURES, TestApp};
use super::faults::on;
use ryla_domain::id::{Attempt, OutputToken};
use ryla_domain::job::Job;
use ryla_domain::output::{ObjectKey, Retention};
use ryla_domain::state::Phase;

const PICTURE: &[u8] = b"\xff\xd8\xff not text";

fn with_picture() -> (TestApp, Job) {
    let app = TestApp::new();
    let job = app.plant_alices("my-own-job", Phase::Succeeded);
    app.images
        .place(&job.output_key(0), "image/jpeg", PICTURE.to_vec());
    (app, job)
}

#[tokio::test]
async fn the_output_of_a_prediction_is_a_final_url_that_anybody_who_has_it_can_read() {
    let (app, _) = with_picture();
    let shown = app
        .get(ALICE, "/v1/predictions/my-own-job")
        .await
        .expect(200)
        .json();
    let url = shown["output"].as_str().unwrap();
    let path = url.strip_prefix(PICTURES).unwrap();
    for authorization in [
        None,
        Some(format!("Bearer {ALICE}")),
        Some(format!("Bearer {BOB}")),
        Some("garbage".to_owned()),
        Some("Bearer canary".to_owned()),
    ] {
        let mut ask = app.ask("GET", path);
        if let Some(value) = authorization {
            ask = ask.header("authorization", value);
        }
        let answer = ask.send().await.expect(200);
        assert_eq!(
            (&*answer.body, answer.header("content-type")),
            (PICTURE, "image/jpeg")
        );
    }
}

#[tokio::test]
async fn serving_a_picture_asks_neither_for_a_key_nor_for_a_row() {
    let (app, job) = with_picture();
    on(&app.faults.jobs);
    on(&app.faults.accounts);
    let before = app.store_calls();
    app.ask("GET", format!("/{}", job.output_key(0)))
        .send()
        .await
        .expect(200);
    assert_eq!((app.store_calls(), app.accounts.reads()), (before, 0));
}

#[tokio::test]
async fn nothing_else_in_the_bucket_can_be_read() {
    let (app, job) = with_picture();
    app.images
        .place(&job.input_key(), "application/json", b"{}".to_vec());
    let token = &job.token;
    let other = OutputToken::generated(&[9; 20]);
    let unknown = ObjectKey::output(Retention::Month, &other, Attempt::FIRST, 0, "jpg");
    for path in [
        format!("/{unknown}"),
        format!("/in/r30/{token}.json"),
        format!("/o/r7/{token}/1-0.jpg"),
        format!("/o/r30/{token}/2-0.jpg"),
        format!("/o/r30/{token}/..%2F..%2F..%2Fin%2Fr30%2F{token}.json"),
        format!("/o/r30/{token}"),
        format!("/o/../in/r30/{token}.json"),
        format!("/v1/o/r30/{token}/1-0.jpg"),
    ] {
        app.ask("GET", path).send().await.expect(404);
    }
}

#[tokio::test]
async fn a_deleted_picture_is_gone() {
    let (app, job) = with_picture();
    app.ask("DELETE", "/v1/predictions/my-own-job")
        .by(ALICE)
        .send()
        .await
        .expect(200);
    let gone = app
        .ask("GET", format!("/{}", job.output_key(0)))
        .send()
        .await
        .expect(404);
    assert!(
        gone.json()["detail"]
            .as_str()
            .unwrap()
            .contains("no such output")
    );
}

#[tokio::test]
async fn a_picture_that_is_too_large_for_a_reply_is_told_from_one_that_is_not_there() {
    let (app, job) = with_picture();
    let path = || format!("/{}", job.output_key(0));
    app.images
        .place(&job.output_key(0), "image/jpeg", vec![7; 1_000]);
    app.ask("GET", path()).send().await.expect(200);
    app.images
        .place(&job.output_key(0), "image/jpeg", vec![7; 1_001]);
    app.ask("GET", path()).send().await.expect(501);
    on(&app.faults.images);
    app.ask("GET", path()).send().await.expect(503);
}
