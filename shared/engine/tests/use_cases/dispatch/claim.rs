//! One message, one claim, one run, and what the run is told.

use super::{dispatch_on, handle, started_on, started_on_pod, unavailable};
use crate::stage::{Quirk, Stage, at, claim, start_of};
use ryla_domain::job::StoredInput;
use ryla_domain::state::{Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::dispatch::Handled;
use ryla_engine::port::Work;
use ryla_testing::sample::{a_job, key};

#[tokio::test]
async fn a_message_claims_the_job_and_starts_its_run_with_one_write() {
    let stage = Stage::new();
    let calls = stage.jobs.calls() + 1;
    let job = started_on(&stage, &stage.only_preview()).await;
    assert_eq!(stage.preview.calls(), [format!("start {}", job.run())]);
    let State::Dispatching(s) = &job.state else {
        panic!("that it runs is for the worker to say: {:?}", job.state)
    };
    assert_eq!((s.claim.as_str(), s.claims), ("this-one", 1));
    assert_eq!(s.lease_until, at(1 + 45), "dispatch time-out and 15 s");
    assert_eq!(
        stage.jobs.calls(),
        calls + 2,
        "create, claim, and this test's read"
    );
}

#[tokio::test]
async fn the_worker_is_told_all_that_it_needs() {
    let stage = Stage::new();
    let job = started_on(&stage, &stage.only_preview()).await;
    let request = stage.preview.requests().remove(0);
    assert_eq!((&request.run, &request.trace), (&job.run(), &job.trace));
    assert_eq!(request.workflow, "flux-dev");
    assert_eq!(request.deadline_at, job.deadline.at);
    assert_eq!(request.run_limit, Ms::seconds(200));
    let Work::Params(input) = &request.work else {
        panic!("a short input travels in the message")
    };
    assert!(job.input == StoredInput::Inline(input.clone()));
    let run = format!("{}/{}/1", job.key.account, job.key.id);
    let url = format!("https://api.example/v1/callbacks/preview/{run}");
    assert_eq!(request.callback.url, url);
    let put = &request.outputs[0].put;
    assert!(put.url.expose().contains(job.output_key(0).as_str()));
    assert_eq!(request.outputs.len(), 1);
}

#[tokio::test]
async fn a_long_input_travels_as_a_url() {
    let stage = Stage::new();
    let job = stage
        .store(a_job().input(StoredInput::InBucket).build())
        .await;
    handle(&stage, &stage.only_preview(), &start_of(&job)).await;
    let Work::ParamsAt(url) = &stage.preview.requests()[0].work else {
        panic!("a long input lies in the bucket")
    };
    assert!(url.expose().contains(job.input_key().as_str()));
}

#[tokio::test]
async fn a_backend_with_handles_is_noted_as_running_at_once() {
    let stage = Stage::new();
    let job = started_on_pod(&stage).await;
    assert_eq!(job.state.phase(), Phase::Running);
}

#[tokio::test]
async fn a_late_or_doubled_message_starts_nothing() {
    for phase in Phase::ALL
        .into_iter()
        .filter(|phase| *phase != Phase::Accepted)
    {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        // The sample's claim holds until 46 s.
        stage.clock.set(at(46));
        let handled = handle(&stage, &stage.only_preview(), &start_of(&job)).await;
        assert_eq!(handled, Handled::Done, "{}", phase.name());
        assert_eq!(stage.row(&job.key).await, job, "{}", phase.name());
        assert!(stage.preview.calls().is_empty(), "{}", phase.name());
        assert_eq!(stage.sent(), []);
    }
    let stage = Stage::new();
    let absent = a_job()
        .with(|job| job.key = key("acme", "no-such-job"))
        .build();
    let handled = handle(&stage, &stage.only_preview(), &start_of(&absent)).await;
    assert_eq!(handled, Handled::Done);
}

#[tokio::test]
async fn a_job_past_its_deadline_is_not_started() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.clock.set(job.deadline.at);
    handle(&stage, &stage.only_preview(), &start_of(&job)).await;
    assert_eq!(stage.row(&job.key).await, job);
    assert!(stage.preview.calls().is_empty());
}

#[tokio::test]
async fn of_two_messages_at_once_one_claims() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let dispatch = dispatch_on(&stage, &stage.ports(), &stage.only_preview());
    let body = start_of(&job);
    for name in ["first", "second"] {
        assert_eq!(dispatch.handle(&body, &claim(name)).await, Handled::Done);
    }
    assert_eq!(stage.preview.calls().len(), 1);
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_is_won_if_it_is_ones_own() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let ports = stage.ports_with(Quirk::Twice);
    let dispatch = dispatch_on(&stage, &ports, &stage.only_preview());
    dispatch.handle(&start_of(&job), &claim("mine")).await;
    assert_eq!(stage.preview.calls().len(), 1);
    let State::Dispatching(s) = stage.row(&job.key).await.state else {
        panic!("claimed")
    };
    assert_eq!(s.claims, 1);
}

#[tokio::test]
async fn a_table_that_is_down_leaves_the_message_in_the_queue() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    let ports = stage.ports_with(Quirk::Down);
    let dispatch = dispatch_on(&stage, &ports, &stage.only_preview());
    let handled = dispatch.handle(&start_of(&job), &claim("mine")).await;
    assert_eq!(handled, Handled::Again);
    assert!(
        stage.preview.calls().is_empty(),
        "nothing runs without a claim"
    );
}

#[tokio::test]
async fn a_user_who_was_faster_than_a_hand_over_or_a_hold_keeps_the_run_from_starting() {
    for backends in [Stage::both, Stage::only_preview] {
        let stage = Stage::new();
        let job = stage.store(a_job().build()).await;
        stage.preview.script(unavailable());
        let (cancel, key) = (stage.ports().cancel(&stage.settings), job.key.clone());
        // The first write is the claim.
        let ports = stage.ports_before_write(1, async move {
            cancel.run(&key).await.unwrap();
        });
        let dispatch = dispatch_on(&stage, &ports, &backends(&stage));
        let handled = dispatch.handle(&start_of(&job), &claim("mine")).await;
        assert_eq!(handled, Handled::Done);
        assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Canceling);
        assert!(stage.preview.runs().is_empty() && stage.pod.calls().is_empty());
    }
}

#[tokio::test]
async fn an_adapters_own_run_limit_is_the_workers() {
    let mut stage = Stage::new();
    let vars = [
        ("MASTER_SECRETS", format!("k1:{}", "x".repeat(32))),
        ("MODAL_JOBS_URL", "https://x.modal.run".to_owned()),
        ("MODAL_TIMEOUT", "77000".to_owned()),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    stage.settings = ryla_engine::settings::Settings::from_vars(vars).unwrap();
    stage.settings.modal.as_mut().unwrap().id = "preview".parse().unwrap();
    started_on(&stage, &stage.only_preview()).await;
    assert_eq!(stage.preview.requests()[0].run_limit, Ms(77_000));
}
