//! A flood of a thousand requests, all at once: with one key one job, without a key a thousand.

use crate::app::{TestApp, options, small, until};
use futures_util::future::join_all;
use ryla_local::{Options, PreviewOptions};
use std::collections::BTreeSet;
use std::time::Duration;

const REQUESTS: usize = 1_000;

/// The ids that the requests were answered with, and how many of the answers were replays.
async fn flood(app: &TestApp, key: Option<&str>) -> (Vec<String>, usize) {
    let requests = (0..REQUESTS).map(async |_| {
        let mut creation = app.alice().creation(&small("a fox in the snow"));
        if let Some(key) = key {
            creation = creation.header("idempotency-key", key);
        }
        let reply = app.alice().send(creation).await;
        let id = reply.expect(201)["id"].as_str().unwrap().to_owned();
        (id, reply.header("idempotent-replayed") == Some("true"))
    });
    let replies: Vec<(String, bool)> = join_all(requests).await;
    let replayed = replies.iter().filter(|(_, replayed)| *replayed).count();
    (replies.into_iter().map(|(id, _)| id).collect(), replayed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_with_one_key_make_one_job_and_one_gpu_run() {
    let app = TestApp::start(options()).await;
    let (ids, replayed) = flood(&app, Some("the-same")).await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(
        replayed,
        REQUESTS - 1,
        "one of them made the job, the others heard of it"
    );
    assert_eq!(app.alice().ended(&ids[0]).await["status"], "succeeded");
    let listed = app.alice().get("/v1/predictions").await.expect(200);
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
    assert_eq!(app.gpu().gpu_runs(), 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_equal_requests_without_a_key_make_a_thousand_jobs_with_one_gpu_run_each() {
    let preview = PreviewOptions {
        concurrency: 8,
        ..PreviewOptions::default()
    };
    let app = TestApp::start(Options {
        preview,
        ..options()
    })
    .await;
    let (ids, replayed) = flood(&app, None).await;
    assert_eq!(replayed, 0);
    let ids: BTreeSet<String> = ids.into_iter().collect();
    assert_eq!(ids.len(), REQUESTS);
    // The bulk ends here; `finish` holds every single one to account.
    until(
        "the GPU has seen them all",
        Duration::from_mins(5),
        async || match app.gpu().gpu_runs() {
            1_000 => Ok(()),
            runs => Err(format!("{runs} runs")),
        },
    )
    .await;
    let some: Vec<_> = ids.iter().step_by(100).collect();
    for id in &some {
        assert_eq!(app.alice().ended(id).await["status"], "succeeded");
    }
    let runs: Vec<u32> = ids
        .iter()
        .map(|id| app.gpu().gpu_runs_of(&app.alice().job(id)))
        .collect();
    assert!(runs.iter().all(|runs| *runs == 1), "{runs:?}");
    app.finish().await;
}
