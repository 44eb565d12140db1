//! Cancelling: the job ends and the GPU stops.

use crate::app::{Caller, TestApp, options};
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_local::{Options, PreviewOptions};
use std::time::{Duration, Instant};

fn one_slow_gpu() -> Options {
    let preview = PreviewOptions {
        run: Ms::seconds(60),
        concurrency: 1,
        ..PreviewOptions::default()
    };
    Options {
        preview,
        ..options()
    }
}

/// What the GPU says of a job's first run.
async fn on_the_gpu(app: &TestApp, caller: Caller<'_>, id: &str) -> Answer {
    let job = app.row(&caller.job(id)).await;
    let backend = app.backends().get(&job.backend).unwrap();
    backend.check(&job.run(), &job.trace).await
}

#[tokio::test]
async fn a_running_job_is_stopped_and_its_gpu_takes_the_next_one() {
    let app = TestApp::start(one_slow_gpu()).await;
    let (alice, bob) = (app.alice(), app.bob());
    let id = alice.small("a long exposure").await;
    alice.running(&id).await;
    assert!(matches!(
        on_the_gpu(&app, alice, &id).await,
        Answer::Running { .. }
    ));
    assert_eq!(
        bob.post(&format!("/v1/predictions/{id}/cancel"))
            .await
            .status,
        404
    );
    assert_eq!(alice.prediction(&id).await["status"], "processing");

    let begun = Instant::now();
    let canceling = alice
        .post(&format!("/v1/predictions/{id}/cancel"))
        .await
        .expect(200);
    assert!(
        matches!(
            canceling["status"].as_str(),
            Some("processing" | "canceled")
        ),
        "{canceling}"
    );
    let ended = alice.ended(&id).await;
    assert_eq!(ended["status"], "canceled");
    assert_eq!(ended["metrics"]["cancel_reason"], "user");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(on_the_gpu(&app, alice, &id).await, Answer::Canceled);

    // The one GPU is free again: with the first run going on this would take a minute.
    let next = bob.small("a short exposure").await;
    bob.running(&next).await;
    bob.post(&format!("/v1/predictions/{next}/cancel"))
        .await
        .expect(200);
    assert_eq!(bob.ended(&next).await["status"], "canceled");
    app.finish().await;
}

#[tokio::test]
async fn a_job_that_waits_for_a_gpu_is_canceled_without_ever_reaching_one() {
    let app = TestApp::start(one_slow_gpu()).await;
    let alice = app.alice();
    let first = alice.small("the one before").await;
    alice.running(&first).await;
    let second = alice.small("the one that waits").await;
    crate::app::until("it waits", Duration::from_secs(10), async || {
        match app.gpu().waiting() {
            1 => Ok(()),
            waiting => Err(format!("{waiting} wait")),
        }
    })
    .await;
    for id in [&second, &first] {
        let path = format!("/v1/predictions/{id}/cancel");
        alice.post(&path).await.expect(200);
        assert_eq!(alice.ended(id).await["status"], "canceled");
        // Neither goes on there, nor begins once the one GPU is free.
        assert_eq!(on_the_gpu(&app, alice, id).await, Answer::Canceled);
    }
    assert_eq!(app.gpu().gpu_runs_of(&alice.job(&second)), 0);
    assert_eq!(app.gpu().gpu_runs_of(&alice.job(&first)), 1);
    app.finish().await;
}

#[tokio::test]
async fn cancelling_a_finished_job_changes_nothing() {
    let app = TestApp::start(options()).await;
    let id = app.alice().small("a flower").await;
    let ended = app.alice().ended(&id).await;
    let canceled = app
        .alice()
        .post(&format!("/v1/predictions/{id}/cancel"))
        .await
        .expect(200);
    assert_eq!(canceled, ended);
    assert_eq!(app.alice().prediction(&id).await, ended);
    app.finish().await;
}

/// The caller's own deadline ends the job as canceled, and stops the GPU.
#[tokio::test]
async fn a_job_ends_when_its_caller_wanted_it_ended() {
    let app = TestApp::start(one_slow_gpu()).await;
    let creation = app.alice().creation(&crate::app::small("a slow clock"));
    let created = app
        .alice()
        .send(creation.header("cancel-after", "2s"))
        .await
        .expect(201);
    let id = created["id"].as_str().unwrap();
    let ended = app.alice().ended(id).await;
    assert_eq!(ended["status"], "canceled");
    assert_eq!(ended["metrics"]["cancel_reason"], "deadline");
    assert_eq!(on_the_gpu(&app, app.alice(), id).await, Answer::Canceled);
    app.finish().await;
}
