//! Requests that are held for their job.

use crate::app::{TestApp, options, small};
use ryla_domain::time::Ms;
use ryla_local::{Options, PreviewOptions};
use serde_json::Value;
use std::time::{Duration, Instant};

fn runs_for(run: Ms) -> Options {
    let preview = PreviewOptions {
        run,
        ..PreviewOptions::default()
    };
    Options {
        preview,
        ..options()
    }
}

#[tokio::test]
async fn a_creation_that_waits_is_answered_with_the_finished_picture() {
    let app = TestApp::start(runs_for(Ms(300))).await;
    for prefer in ["wait", "wait=10"] {
        let creation = app
            .alice()
            .creation(&small("a tree"))
            .header("prefer", prefer);
        let prediction = app.alice().send(creation).await.expect(201);
        assert_eq!(prediction["status"], "succeeded", "{prefer}");
        assert!(prediction["output"].is_string(), "{prefer}");
    }
    app.finish().await;
}

/// With `processing` the official clients take the job for finished and return nothing.
#[tokio::test]
async fn a_creation_whose_wait_runs_out_says_starting_also_while_a_worker_is_on_it() {
    // The preview GPU is expected to take as long as its run: 4 s fit in a wait of 6 s, two of them do not.
    let preview = PreviewOptions {
        run: Ms(4_000),
        concurrency: 1,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(Options {
        preview,
        ..options()
    })
    .await;
    let first = app.alice().small("a boat").await;
    app.alice().running(&first).await;
    let begun = Instant::now();
    let creation = app
        .alice()
        .creation(&small("an island"))
        .header("prefer", "wait=6");
    let prediction = app.alice().send(creation).await.expect(201);
    let held = begun.elapsed();
    assert!(
        held >= Duration::from_millis(5_500) && held < Duration::from_millis(7_500),
        "{held:?}"
    );
    assert_eq!(prediction["status"], "starting");
    assert_eq!(prediction["output"], Value::Null);
    let second = prediction["id"].as_str().unwrap();
    assert_eq!(app.alice().prediction(second).await["status"], "processing");
    assert_eq!(app.alice().ended(second).await["status"], "succeeded");
    app.finish().await;
}

#[tokio::test]
async fn a_creation_is_not_held_where_the_job_cannot_be_done_in_time() {
    // Held, it would be for 20 s.
    let app = TestApp::start(runs_for(Ms(60_000))).await;
    let begun = Instant::now();
    let creation = app
        .alice()
        .creation(&small("a bridge"))
        .header("prefer", "wait=20");
    let prediction = app.alice().send(creation).await.expect(201);
    assert_eq!(prediction["status"], "starting");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    let id = prediction["id"].as_str().unwrap();
    let cancel = format!("/v1/predictions/{id}/cancel");
    app.alice().post(&cancel).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_reader_waits_as_long_as_it_asked_and_no_longer_than_the_job_takes() {
    let app = TestApp::start(runs_for(Ms(2_000))).await;
    let id = app.alice().small("a volcano").await;
    let begun = Instant::now();
    let early = app
        .alice()
        .get(&format!("/v1/predictions/{id}?wait=1"))
        .await
        .expect(200);
    assert_ne!(early["status"], "succeeded");
    assert!(
        begun.elapsed() >= Duration::from_millis(650),
        "{:?}",
        begun.elapsed()
    );
    let ended = app
        .alice()
        .get(&format!("/v1/predictions/{id}?wait=30"))
        .await
        .expect(200);
    assert_eq!(ended["status"], "succeeded");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    app.finish().await;
}

#[tokio::test]
async fn waiting_can_be_switched_off() {
    let app = TestApp::start(runs_for(Ms(300)).with("WAIT_MAX_MS", "0")).await;
    let creation = app
        .alice()
        .creation(&small("a planet"))
        .header("prefer", "wait");
    assert_eq!(
        app.alice().send(creation).await.expect(201)["status"],
        "starting"
    );
    app.finish().await;
}
