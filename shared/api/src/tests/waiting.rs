//! Holding requests until the job has ended.

use super::app::{ALICE, BOB, Setup, TestApp};
use super::ask::{Answer, fine};
use super::faults::on;
use futures_util::future::join;
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_engine::wait::{Expected, LAST_BEFORE, MAX_READS};
use ryla_testing::sample::CREATED_AT;
use serde_json::Value;

/// A model that is done in two seconds.
const QUICK: Expected = Expected {
    run: Some(Ms(2_000)),
    cold_start: Some(Ms(0)),
};

fn quick() -> TestApp {
    Setup {
        expected: QUICK,
        ..Setup::default()
    }
    .start()
}

fn waited(app: &TestApp) -> Ms {
    use ryla_engine::port::Clock as _;
    app.clock.now().since(CREATED_AT)
}

/// Sends the request and lets the one job live on to that phase as soon as the request is held.
async fn while_held(app: &TestApp, ask: super::ask::Ask<'_>, phase: Phase) -> (Answer, Job) {
    app.clock.hold_sleepers();
    let life = async {
        while app.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        let job = app.live(&app.only_job().key, phase);
        app.clock.advance(Ms(250));
        job
    };
    join(ask.send(), life).await
}

#[tokio::test]
async fn a_post_that_waits_is_answered_when_the_job_has_ended_and_then_shows_everything() {
    for (phase, status) in [
        (Phase::Succeeded, "succeeded"),
        (Phase::Failed, "failed"),
        (Phase::Canceled, "canceled"),
    ] {
        let app = quick();
        let ask = app.create(ALICE, &fine()).header("prefer", "wait");
        let (answer, _) = while_held(&app, ask, phase).await;
        let shown = answer.expect(201).json();
        assert_eq!(shown["status"], status);
        assert_eq!(shown["output"].is_string(), phase == Phase::Succeeded);
        assert_eq!(waited(&app), Ms(250));
    }
}

#[tokio::test]
async fn a_wait_that_runs_out_says_starting_whatever_the_job_does_by_then() {
    for phase in [
        Phase::Accepted,
        Phase::Dispatching,
        Phase::Running,
        Phase::Canceling,
    ] {
        let app = quick();
        let body = serde_json::json!({ "version": "ryla/flux-dev", "input": fine() });
        let put = |wait| {
            let ask = app.ask("PUT", "/v1/predictions/my-own-id").by(ALICE);
            ask.json(&body).header("prefer", wait)
        };
        put("wait=0").send().await.expect(201);
        app.live(&app.only_job().key, phase);
        let shown = put("wait=5").send().await.expect(201).json();
        assert_eq!(shown["status"], "starting", "{}", phase.name());
        assert_eq!(shown["output"], Value::Null);
        assert_eq!(shown["metrics"]["phase"], phase.name());
        assert_eq!(waited(&app), Ms(5_000 - LAST_BEFORE.0));
    }
}

#[tokio::test]
async fn a_post_is_not_held_when_the_model_cannot_be_done_in_time() {
    let app = TestApp::new();
    for prefer in ["wait", "wait=25"] {
        let ask = app.create(ALICE, &fine()).header("prefer", prefer);
        ask.send().await.expect(201);
    }
    let app_of_2_s = quick();
    let ask = app_of_2_s
        .create(ALICE, &fine())
        .header("prefer", "wait=1.9");
    ask.send().await.expect(201);
    assert_eq!(app.clock.slept(), []);
    assert_eq!(app_of_2_s.clock.slept(), []);
}

#[tokio::test]
async fn a_post_without_prefer_is_not_held() {
    let app = quick();
    for prefer in ["respond-async", "wait=0", "handling=strict"] {
        let ask = app.create(ALICE, &fine()).header("prefer", prefer);
        ask.send().await.expect(201);
    }
    app.create(ALICE, &fine()).send().await.expect(201);
    assert_eq!(app.clock.slept(), []);
}

#[tokio::test]
async fn a_retry_is_held_like_any_other_creation() {
    let app = quick();
    app.plant_alices("my-failed-job", Phase::Failed);
    let ask = app
        .ask("POST", "/v1/predictions/my-failed-job/retry")
        .by(ALICE);
    let answer = ask.header("prefer", "wait=3").send().await;
    assert_eq!(answer.expect(201).json()["status"], "starting");
    assert_eq!(waited(&app), Ms(2_700));
}

#[tokio::test]
async fn no_wait_is_longer_than_the_system_offers_and_none_costs_more_than_its_reads() {
    let app = quick();
    for prefer in ["wait", "wait=60", "wait=1e300"] {
        let before = (waited(&app), app.store_calls());
        let ask = app.create(ALICE, &fine()).header("prefer", prefer);
        ask.send().await.expect(201);
        assert_eq!(waited(&app), Ms(before.0.0 + 24_700), "{prefer}");
        let reads = app.store_calls() - before.1 - 1;
        assert!(reads <= u64::from(MAX_READS), "{prefer}: {reads}");
    }
    let job = app.plant_alices("my-open-job-1", Phase::Running);
    let before = waited(&app);
    let path = format!("/v1/predictions/{}?wait=1e300", job.key.id);
    app.get(ALICE, path).await.expect(200);
    assert_eq!(waited(&app), Ms(before.0 + 24_700));
}

#[tokio::test]
async fn waiting_can_be_switched_off() {
    let app = Setup {
        settings: &[("WAIT_MAX_MS", "0")],
        expected: QUICK,
        ..Setup::default()
    }
    .start();
    for prefer in ["wait", "wait=10"] {
        let ask = app.create(ALICE, &fine()).header("prefer", prefer);
        assert_eq!(ask.send().await.expect(201).json()["status"], "starting");
    }
    app.plant_alices("my-open-job-1", Phase::Running);
    let shown = app
        .get(ALICE, "/v1/predictions/my-open-job-1?wait=10")
        .await;
    assert_eq!(shown.expect(200).json()["status"], "processing");
    assert_eq!(app.clock.slept(), []);
}

#[tokio::test]
async fn a_get_that_waits_is_answered_when_the_job_has_ended() {
    let app = TestApp::new();
    let id = app.create(ALICE, &fine()).send().await.expect(201).id();
    let ask = app
        .ask("GET", format!("/v1/predictions/{id}?wait=20"))
        .by(ALICE);
    let (answer, _) = while_held(&app, ask, Phase::Succeeded).await;
    assert_eq!(answer.expect(200).json()["status"], "succeeded");
    assert_eq!(waited(&app), Ms(250));
}

#[tokio::test]
async fn a_get_whose_wait_runs_out_says_how_far_the_job_is() {
    let app = TestApp::new();
    app.plant_alices("my-open-job-1", Phase::Running);
    let shown = app.get(ALICE, "/v1/predictions/my-open-job-1?wait=2").await;
    assert_eq!(shown.expect(200).json()["status"], "processing");
    assert_eq!(waited(&app), Ms(1_700));
    app.get(BOB, "/v1/predictions/my-open-job-1?wait=2")
        .await
        .expect(404);
    assert_eq!(waited(&app), Ms(1_700));
}

#[tokio::test]
async fn a_get_of_an_ended_job_does_not_wait() {
    let app = TestApp::new();
    app.plant_alices("my-ended-job", Phase::Failed);
    let shown = app.get(ALICE, "/v1/predictions/my-ended-job?wait=20").await;
    assert_eq!(shown.expect(200).json()["status"], "failed");
    assert_eq!((app.clock.slept(), app.store_calls()), (Vec::new(), 1 + 1));
}

#[tokio::test]
async fn a_read_that_fails_while_a_post_is_held_is_no_reason_to_refuse_the_job() {
    let app = quick();
    on(&app.faults.reads);
    let ask = app.create(ALICE, &fine()).header("prefer", "wait");
    let answer = ask.send().await.expect(201);
    assert_eq!(answer.json()["status"], "starting");
    assert_eq!(app.only_job().key.id.as_str(), answer.id());
}
