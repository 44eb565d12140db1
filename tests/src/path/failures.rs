//! GPUs that fail, and callbacks that never arrive.

use crate::app::{TestApp, options, until};
use ryla_domain::failure::Code;
use ryla_domain::time::Ms;
use ryla_local::{Options, PreviewOptions};
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn a_job_that_fails_on_every_gpu_has_three_attempts_and_then_fails() {
    let preview = PreviewOptions {
        fail: 1.0,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(Options {
        preview,
        ..options()
    })
    .await;
    let id = app.alice().small("a glitch").await;
    let ended = app.alice().ended(&id).await;
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["metrics"]["error_code"], Code::GpuError.name());
    assert_eq!(ended["error"], Code::GpuError.meaning().sentence);
    assert_eq!(ended["metrics"]["attempts"], 3);
    assert_eq!(ended["output"], Value::Null);
    assert_eq!(app.gpu().gpu_runs_of(&app.alice().job(&id)), 3);
    app.finish().await;
}

#[tokio::test]
async fn a_failed_job_can_be_repeated_and_keeps_its_own_outcome() {
    let preview = PreviewOptions {
        fail: 1.0,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(
        Options {
            preview,
            ..options()
        }
        .with("MAX_ATTEMPTS", "1"),
    )
    .await;
    let id = app.alice().small("a second try").await;
    let failed = app.alice().ended(&id).await;
    assert_eq!(
        (&failed["status"], &failed["metrics"]["attempts"]),
        (&"failed".into(), &1.into())
    );
    let again = app
        .alice()
        .post(&format!("/v1/predictions/{id}/retry"))
        .await
        .expect(201);
    assert_ne!(again["id"], failed["id"]);
    assert_eq!(again["retry_of"], failed["id"]);
    assert_eq!(again["input"], failed["input"]);
    app.alice().ended(again["id"].as_str().unwrap()).await;
    assert_eq!(app.alice().prediction(&id).await, failed);
    app.finish().await;
}

/// No word of the worker arrives, not even that it began: the sweep asks the backend after the lease, and
/// finds the picture in the bucket.
#[tokio::test]
async fn jobs_whose_every_callback_is_lost_succeed_by_the_sweep_with_one_gpu_run_each() {
    let preview = PreviewOptions {
        lose_callbacks: 1.0,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(
        Options {
            preview,
            ..options()
        }
        .with("DISPATCH_TIMEOUT_S", "5") // with the grace of 15 s, a lease of 20 s
        .with("FIRST_DUE_S", "21")
        .with("SILENCE_S", "1"),
    )
    .await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            app.alice()
                .small(&format!("a message in a bottle, number {n}"))
                .await,
        );
    }
    until(
        "every run is over",
        Duration::from_mins(1),
        async || match app.gpu().gpu_runs() {
            5 => Ok(()),
            runs => Err(format!("{runs} runs")),
        },
    )
    .await;
    assert_eq!(
        app.alice().prediction(&ids[0]).await["status"],
        "starting",
        "nobody has said anything"
    );
    for id in &ids {
        let ended = app.alice().ended(id).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        assert_eq!(
            app.anonymous(ended["output"].as_str().unwrap())
                .await
                .status,
            200
        );
        assert_eq!(app.gpu().gpu_runs_of(&app.alice().job(id)), 1);
    }
    assert_eq!(app.gpu().gpu_runs(), 5);
    app.finish().await;
}

/// Some words arrive and some do not; which ones, a seed decides.
#[tokio::test]
async fn jobs_end_whichever_of_their_callbacks_are_lost() {
    let preview = PreviewOptions {
        run: Ms(100),
        lose_callbacks: 0.5,
        concurrency: 4,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(
        Options {
            preview,
            ..options()
        }
        .with("DISPATCH_TIMEOUT_S", "5")
        .with("FIRST_DUE_S", "2")
        .with("SILENCE_S", "1"),
    )
    .await;
    for n in 0..12 {
        app.alice()
            .named(&format!("half-a-story-{n:02}"), "half a story")
            .await;
    }
    for key in app.accepted() {
        let ended = app.alice().ended(key.id.as_str()).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        assert_eq!(app.gpu().gpu_runs_of(&key), 1);
    }
    app.finish().await;
}
