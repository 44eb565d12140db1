//! Submit: what a request becomes, and which requests are the same.

use crate::stage::{NoQueue, Quirk, Stage, account, at, prompt, request};
use ryla_domain::id::{AccountId, JobId};
use ryla_domain::job::{DeadlineBy, Job, RequestHash, StoredInput};
use ryla_domain::output::Retention;
use ryla_domain::route::Route;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_engine::message::Do;
use ryla_engine::port::ImageStore;
use ryla_engine::submit::{Identity, Submit, SubmitError, Submitted};
use serde_json::json;
use std::sync::Arc;

fn submit(stage: &Stage) -> Submit {
    let mut submit = stage.ports().submit(&stage.settings);
    submit.route = stage.only_preview().route();
    submit
}

async fn ask(stage: &Stage, identity: Identity) -> Result<Submitted, SubmitError> {
    let (account, input) = (account(), prompt("a lighthouse"));
    submit(stage)
        .run(&request(&account, &input, identity))
        .await
}

async fn accepted(stage: &Stage, identity: Identity) -> Job {
    ask(stage, identity).await.unwrap().job
}

fn key(text: &str) -> Identity {
    Identity::Key(text.to_owned())
}

#[tokio::test]
async fn a_request_becomes_one_row_and_one_message() {
    let stage = Stage::new();
    let submitted = ask(&stage, Identity::Random).await.unwrap();
    assert!(!submitted.replayed);
    let job = submitted.job;
    assert_eq!(stage.row(&job.key).await, job);
    assert_eq!(job.state.phase(), Phase::Accepted);
    assert_eq!(job.backend.as_str(), "preview");
    let sent = stage.sent();
    let [(message, delay)] = &sent[..] else {
        panic!("one message: {sent:?}")
    };
    assert_eq!(
        (message.what, &message.run, *delay),
        (Do::Start, &job.run(), Ms(0))
    );
    assert_eq!(
        stage.jobs.calls(),
        2,
        "one request to the table, and this test's read"
    );
}

#[tokio::test]
async fn equal_requests_without_a_name_are_two_jobs() {
    let stage = Stage::new();
    let first = accepted(&stage, Identity::Random).await;
    let second = accepted(&stage, Identity::Random).await;
    assert_ne!(first.key, second.key);
    assert_ne!(
        first.token, second.token,
        "nobody guesses one URL from another"
    );
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_job_with_one_request() {
    let stage = Stage::new();
    let first = accepted(&stage, key("once")).await;
    let calls = stage.jobs.calls();
    let again = ask(&stage, key("once")).await.unwrap();
    assert_eq!((again.job, again.replayed), (first, true));
    assert_eq!(stage.jobs.calls(), calls + 1);
    assert_eq!(stage.queue.sent().len(), 1, "and sends no second message");
}

#[tokio::test]
async fn a_key_is_the_accounts_own() {
    let stage = Stage::new();
    let ours = accepted(&stage, key("once")).await;
    let (theirs, input): (AccountId, _) = ("evil".parse().unwrap(), prompt("a lighthouse"));
    let submitted = submit(&stage)
        .run(&request(&theirs, &input, key("once")))
        .await;
    let submitted = submitted.unwrap();
    assert!(!submitted.replayed);
    assert_ne!(
        submitted.job.key.id, ours.key.id,
        "ids tell nothing of the key"
    );
}

#[tokio::test]
async fn another_body_under_a_used_key_or_id_is_refused() {
    let chosen: JobId = "my-own-id".parse().unwrap();
    for identity in [key("once"), Identity::Chosen(chosen)] {
        let stage = Stage::new();
        let first = accepted(&stage, identity.clone()).await;
        let (account, input) = (account(), prompt("another"));
        let mut other = request(&account, &input, identity);
        other.hash = RequestHash([2; 32]);
        let refused = submit(&stage).run(&other).await;
        assert!(
            matches!(refused, Err(SubmitError::UsedByAnother)),
            "{refused:?}"
        );
        assert_eq!(stage.jobs.jobs(), [first], "the first one stays as it was");
        assert_eq!(stage.queue.sent().len(), 1);
    }
}

#[tokio::test]
async fn an_expired_row_holds_its_key_no_longer() {
    let stage = Stage::new();
    let first = accepted(&stage, key("once")).await;
    stage.clock.set(first.expires_at);
    assert!(
        ask(&stage, key("once")).await.unwrap().replayed,
        "at its last moment"
    );
    stage.clock.set(first.expires_at + Ms(1));
    let second = ask(&stage, key("once")).await.unwrap();
    assert!(!second.replayed);
    assert_eq!(second.job.key, first.key);
    assert_ne!(second.job.token, first.token);
}

#[tokio::test]
async fn a_row_and_with_it_a_key_lives_longer_than_its_outputs() {
    for (days, retention) in [
        (1, Retention::Day),
        (7, Retention::Week),
        (365, Retention::Year),
    ] {
        let stage = Stage::new();
        let (account, mut input) = (account(), prompt("x"));
        input.insert("job".to_owned(), json!({ "retention_days": days }));
        let asked = request(&account, &input, Identity::Random);
        let job = submit(&stage).run(&asked).await.unwrap().job;
        assert_eq!(job.retention, retention);
        assert!(
            job.expires_at >= at(days * 86_400 + 3_600),
            "{days} days and an hour"
        );
        assert_eq!(
            job.expires_at.0 % 1_000,
            0,
            "whole seconds, as the table keeps it"
        );
    }
}

#[tokio::test]
async fn ones_own_row_is_not_a_repetition() {
    let chosen: JobId = "my-own-id".parse().unwrap();
    let identities = [
        key("once"),
        Identity::Chosen(chosen),
        Identity::Counted { retry: 0 },
        Identity::Random,
    ];
    for identity in identities {
        let stage = Stage::new();
        let mut submit = stage.ports_with(Quirk::Twice).submit(&stage.settings);
        submit.route = stage.only_preview().route();
        let (account, input) = (account(), prompt("x"));
        let asked = request(&account, &input, identity.clone());
        let submitted = submit.run(&asked).await.unwrap();
        assert!(!submitted.replayed, "{identity:?}");
        assert_eq!(stage.jobs.jobs().len(), 1, "{identity:?}");
        assert_eq!(stage.queue.sent().len(), 1, "{identity:?}");
    }
}

#[tokio::test]
async fn a_chosen_id_is_the_jobs_and_repeating_it_replays() {
    let stage = Stage::new();
    let id: JobId = "my-own-id".parse().unwrap();
    let first = accepted(&stage, Identity::Chosen(id.clone())).await;
    assert_eq!(first.key.id, id);
    let again = ask(&stage, Identity::Chosen(id)).await.unwrap();
    assert_eq!((again.job, again.replayed), (first, true));
}

#[tokio::test]
async fn first_tries_of_a_client_that_counts_are_wanted_twins() {
    let stage = Stage::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let submitted = ask(&stage, Identity::Counted { retry: 0 }).await.unwrap();
        assert!(!submitted.replayed);
        ids.push(submitted.job.key.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_counted_retry_gets_the_newest_twin() {
    let stage = Stage::new();
    accepted(&stage, Identity::Counted { retry: 0 }).await;
    let newest = accepted(&stage, Identity::Counted { retry: 0 }).await;
    for retry in [1, 2] {
        let again = ask(&stage, Identity::Counted { retry }).await.unwrap();
        assert_eq!((again.job, again.replayed), (newest.clone(), true));
    }
    assert_eq!(stage.jobs.jobs().len(), 2);
}

#[tokio::test]
async fn a_counted_retry_finds_its_first_try_across_the_minute_and_no_further() {
    let stage = Stage::new();
    stage.clock.set(at(59));
    let first = accepted(&stage, Identity::Counted { retry: 0 }).await;
    stage.clock.set(at(61));
    let again = ask(&stage, Identity::Counted { retry: 1 }).await.unwrap();
    assert_eq!((again.job, again.replayed), (first.clone(), true));
    stage.clock.set(at(121));
    let later = ask(&stage, Identity::Counted { retry: 1 }).await.unwrap();
    assert!(!later.replayed, "two minutes on it is a request of its own");
    assert_ne!(later.job.key, first.key);
}

#[tokio::test]
async fn a_counted_retry_that_overtook_its_first_try_is_one_job() {
    let stage = Stage::new();
    // Nothing was there when the retry looked; the first try's put lands before the retry's own.
    let first = submit(&stage);
    let overtaken = stage.ports_before_write(0, async move {
        let (account, input) = (account(), prompt("a lighthouse"));
        let asked = request(&account, &input, Identity::Counted { retry: 0 });
        first.run(&asked).await.unwrap();
    });
    let (account, input) = (account(), prompt("a lighthouse"));
    let mut late = overtaken.submit(&stage.settings);
    late.route = stage.only_preview().route();
    let asked = request(&account, &input, Identity::Counted { retry: 1 });
    let submitted = late.run(&asked).await.unwrap();
    assert!(submitted.replayed);
    assert_eq!(stage.jobs.jobs(), [submitted.job]);
}

#[tokio::test]
async fn more_twins_than_are_counted_get_ids_of_their_own() {
    let stage = Stage::new();
    for _ in 0..34 {
        accepted(&stage, Identity::Counted { retry: 0 }).await;
    }
    assert_eq!(stage.jobs.jobs().len(), 34);
}

#[tokio::test]
async fn without_a_backend_nothing_is_stored() {
    let stage = Stage::new();
    let mut submit = submit(&stage);
    submit.route = Route::default();
    let (account, input) = (account(), prompt(&"x".repeat(4_000)));
    let refused = submit
        .run(&request(&account, &input, Identity::Random))
        .await;
    assert!(
        matches!(refused, Err(SubmitError::NoBackend)),
        "{refused:?}"
    );
    nothing_was_stored(&stage);
}

#[tokio::test]
async fn invalid_input_is_refused_with_all_its_faults_and_nothing_is_stored() {
    let stage = Stage::new();
    let (account, mut input) = (account(), prompt(""));
    input.insert("width".to_owned(), json!(17));
    input.insert("hieght".to_owned(), json!(512));
    let asked = request(&account, &input, Identity::Random);
    let Err(SubmitError::Invalid(invalid)) = submit(&stage).run(&asked).await else {
        panic!("invalid input is refused")
    };
    assert_eq!(invalid.0.len(), 3);
    nothing_was_stored(&stage);
}

fn nothing_was_stored(stage: &Stage) {
    assert_eq!(stage.jobs.calls(), 0);
    assert!(stage.images.keys().is_empty());
    assert_eq!(stage.queue.sent(), []);
}

#[tokio::test]
async fn a_job_is_accepted_whatever_becomes_of_its_message() {
    let stage = Stage::new();
    let mut submit = submit(&stage);
    submit.queue = Arc::new(NoQueue);
    let (account, input) = (account(), prompt("x"));
    let submitted = submit
        .run(&request(&account, &input, Identity::Random))
        .await;
    let job = submitted.unwrap().job;
    assert_eq!(job.due.unwrap().at, at(120), "the sweep will find it");
    assert_eq!(stage.jobs.jobs(), [job]);
}

#[tokio::test]
async fn a_long_input_lies_in_the_bucket_before_its_row_is_there() {
    let stage = Stage::new();
    let long = "🗼".repeat(4_000);
    let (account, input) = (account(), prompt(&long));
    // A table that does not answer: what lies in the bucket then was put before.
    let mut submit = submit(&stage);
    submit.jobs = stage.ports_with(Quirk::Down).jobs;
    let failed = submit
        .run(&request(&account, &input, Identity::Random))
        .await;
    assert!(matches!(failed, Err(SubmitError::Store(_))));
    assert_eq!(stage.images.keys().len(), 1);

    let stage = Stage::new();
    let asked = request(&account, &input, Identity::Random);
    let job = self::submit(&stage).run(&asked).await.unwrap().job;
    assert_eq!(job.input, StoredInput::InBucket);
    let key = job.input_key();
    let (media, bytes) = ImageStore::get(stage.images.as_ref(), &key, 1 << 20)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(media, "application/json");
    let stored: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(stored["prompt"], json!(long));
    let read = stage.ports().read().input(&job).await.unwrap();
    assert_eq!(read, Some(stored));
}

#[tokio::test]
async fn the_objects_of_a_repetition_are_not_left_behind() {
    let stage = Stage::new();
    let (account, input) = (account(), prompt(&"🗼".repeat(4_000)));
    for _ in 0..3 {
        let asked = request(&account, &input, key("once"));
        submit(&stage).run(&asked).await.unwrap();
    }
    let [job] = &stage.jobs.jobs()[..] else {
        panic!("one job")
    };
    let input = job.input_key();
    assert_eq!(stage.images.keys(), [input.as_str()]);
}

#[tokio::test]
async fn an_input_that_fits_lies_in_the_row() {
    let stage = Stage::new();
    let job = accepted(&stage, Identity::Random).await;
    assert!(matches!(job.input, StoredInput::Inline(_)));
    assert!(stage.images.keys().is_empty());
}

#[tokio::test]
async fn the_earlier_deadline_counts_and_is_its_owners() {
    for (cancel_after, deadline, by) in [
        (None, at(900), DeadlineBy::System),
        (Some(Ms::seconds(899)), at(899), DeadlineBy::Caller),
        (Some(Ms::seconds(900)), at(900), DeadlineBy::System),
        (Some(Ms(u64::MAX)), at(900), DeadlineBy::System),
    ] {
        let stage = Stage::new();
        let (account, input) = (account(), prompt("x"));
        let mut asked = request(&account, &input, Identity::Random);
        asked.cancel_after = cancel_after;
        let job = submit(&stage).run(&asked).await.unwrap().job;
        assert_eq!(
            (job.deadline.at, job.deadline.by),
            (deadline, by),
            "{cancel_after:?}"
        );
    }
}

#[tokio::test]
async fn a_job_is_first_due_after_two_minutes_or_at_its_deadline() {
    for (cancel_after, due) in [(None, 77), (Some(Ms::seconds(5)), 5)] {
        let mut stage = Stage::new();
        stage.settings.timers.first_due = Ms::seconds(77);
        let (account, input) = (account(), prompt("x"));
        let mut asked = request(&account, &input, Identity::Random);
        asked.cancel_after = cancel_after;
        let job = submit(&stage).run(&asked).await.unwrap().job;
        assert_eq!(job.due.unwrap().at, at(due));
    }
}

#[tokio::test]
async fn a_seed_is_drawn_that_javascript_can_repeat() {
    let stage = Stage::new();
    for _ in 0..50 {
        let job = accepted(&stage, Identity::Random).await;
        let StoredInput::Inline(input) = &job.input else {
            panic!("a short input")
        };
        assert!(input["seed"].as_u64().unwrap() < 1 << 53);
    }
}
