//! Retry: a new job with the same resolved input; the first one stays as it ended.

use crate::stage::{Stage, at};
use ryla_domain::id::TraceId;
use ryla_domain::job::{Job, RequestHash, StoredInput};
use ryla_domain::state::Phase;
use ryla_engine::port::ImageStore;
use ryla_engine::retry::{Retry, RetryError};
use ryla_engine::submit::{Identity, Submitted};
use ryla_testing::sample::{a_job, flux_dev_input, key};

fn retry(stage: &Stage) -> Retry {
    let mut retry = stage.ports().retry(&stage.settings);
    retry.submit.route = stage.only_preview().route();
    retry
}

async fn repeat(stage: &Stage, job: &Job) -> Result<Option<Submitted>, RetryError> {
    let hash = RequestHash([3; 32]);
    let trace = TraceId::generated(&[4; 16]);
    let identity = Identity::Key("retry-1".to_owned());
    retry(stage).run(&job.key, identity, hash, trace).await
}

#[tokio::test]
async fn a_job_that_did_not_succeed_is_repeated_with_its_seed_and_retention() {
    for phase in [Phase::Failed, Phase::Canceled] {
        let stage = Stage::new();
        let job = a_job().with(|job| job.retention = ryla_domain::output::Retention::Day);
        let job = stage.store(job.in_phase(phase)).await;
        stage.clock.set(at(60));
        let again = repeat(&stage, &job).await.unwrap().unwrap().job;
        assert!(again.input == job.input, "seed and every default included");
        assert_eq!(again.retention, job.retention);
        assert_eq!(again.retry_of, Some(job.key.id.clone()));
        assert_eq!(again.state.phase(), Phase::Accepted);
        assert_ne!(again.token, job.token, "its outputs lie elsewhere");
        assert_eq!(
            stage.row(&job.key).await,
            job,
            "the first one stays as it ended"
        );
        let replayed = repeat(&stage, &job).await.unwrap().unwrap();
        assert_eq!((replayed.job, replayed.replayed), (again, true));
    }
}

#[tokio::test]
async fn an_open_or_successful_job_is_not_repeated() {
    for phase in [
        Phase::Accepted,
        Phase::Dispatching,
        Phase::Running,
        Phase::Canceling,
        Phase::Succeeded,
    ] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        let refused = repeat(&stage, &job).await;
        assert!(
            matches!(refused, Err(RetryError::NotFailed)),
            "{}",
            phase.name()
        );
        assert_eq!(stage.jobs.jobs(), [job]);
    }
}

#[tokio::test]
async fn a_long_input_is_read_back_from_the_bucket() {
    let stage = Stage::new();
    let job = a_job().input(StoredInput::InBucket).in_phase(Phase::Failed);
    let job = stage.store(job).await;
    let missing = repeat(&stage, &job).await;
    assert!(
        matches!(missing, Err(RetryError::InputRemoved)),
        "{missing:?}"
    );
    let input = flux_dev_input(&"🗼".repeat(3_000), 11);
    let (key, bytes) = (job.input_key(), input.to_string().into_bytes());
    ImageStore::put(stage.images.as_ref(), &key, "application/json", bytes)
        .await
        .unwrap();
    let again = repeat(&stage, &job).await.unwrap().unwrap().job;
    let read = stage.ports().read().input(&again).await.unwrap();
    assert!(read == Some(input));
    assert_ne!(again.input_key(), key, "the copy is the new job's own");
}

#[tokio::test]
async fn without_its_input_or_its_model_a_job_is_not_repeated() {
    let stage = Stage::new();
    let removed = a_job().in_phase(Phase::Failed).remove_data().unwrap();
    let removed = stage.store(removed).await;
    let refused = repeat(&stage, &removed).await;
    assert!(
        matches!(refused, Err(RetryError::InputRemoved)),
        "{refused:?}"
    );

    let gone = a_job()
        .id("gone-model")
        .with(|job| job.model = "sd-0.9".to_owned());
    let gone = stage.store(gone.in_phase(Phase::Failed)).await;
    let refused = repeat(&stage, &gone).await;
    assert!(matches!(refused, Err(RetryError::NoModel)), "{refused:?}");
    let absent = a_job()
        .with(|job| job.key = key("acme", "no-such-job"))
        .build();
    assert!(repeat(&stage, &absent).await.unwrap().is_none());
}
