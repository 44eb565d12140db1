//! Delete: what is the owner's goes, the figures stay.

use crate::stage::{Stage, at};
use ryla_domain::failure::Code;
use ryla_domain::job::{AttemptEnd, Job, StoredInput};
use ryla_domain::report::Report;
use ryla_domain::state::Phase;
use ryla_engine::delete::DeleteError;
use ryla_testing::sample::{a_claim, a_job, a_report, an_output, key};

/// Succeeded in its second attempt, with a picture of each attempt in the bucket and a long input.
async fn twice_tried(stage: &Stage) -> Job {
    let job = a_job()
        .input(StoredInput::InBucket)
        .in_phase(Phase::Running);
    stage.put_picture(&job);
    let end = AttemptEnd {
        code: Code::GpuError,
        report: Report::default(),
        next: Some(job.backend.clone()),
        max_attempts: 3,
        at: at(20),
    };
    let job = job.clone().end_attempt(&job.origin(), end).unwrap();
    let job = job.claim(a_claim("second", at(21))).unwrap();
    stage.put_picture(&job);
    let input = job.input_key();
    stage
        .images
        .place(&input, "application/json", b"{}".to_vec());
    let pictures = vec![an_output()];
    let job = job
        .clone()
        .succeed(&job.origin(), pictures, a_report(), at(40))
        .unwrap();
    stage.store(job).await
}

#[tokio::test]
async fn every_object_of_the_job_goes_and_its_outcome_stays() {
    let stage = Stage::new();
    let job = twice_tried(&stage).await;
    let others = a_job().with(|job| job.token = ryla_domain::id::OutputToken::generated(&[8; 20]));
    stage.put_picture(&others.build());
    assert_eq!(stage.images.keys().len(), 4);

    let delete = stage.ports().delete();
    let deleted = delete.run(&job.key).await.unwrap().unwrap();
    assert_eq!(stage.images.keys().len(), 1, "somebody else's");
    assert!(deleted.data_removed);
    assert!(deleted.input == StoredInput::Removed);
    assert_eq!(deleted.state, job.state, "output, cost and times");
    assert_eq!(stage.row(&job.key).await, deleted);

    assert_eq!(delete.run(&job.key).await.unwrap(), Some(deleted.clone()));
    assert_eq!(stage.row(&job.key).await, deleted, "again is harmless");
}

#[tokio::test]
async fn an_open_job_is_not_deleted() {
    for phase in [
        Phase::Accepted,
        Phase::Dispatching,
        Phase::Running,
        Phase::Canceling,
    ] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(phase)).await;
        stage.put_picture(&job);
        let refused = stage.ports().delete().run(&job.key).await;
        assert!(
            matches!(refused, Err(DeleteError::StillOpen)),
            "{}",
            phase.name()
        );
        assert_eq!(stage.row(&job.key).await, job);
        assert_eq!(stage.images.keys().len(), 1);
    }
}

#[tokio::test]
async fn a_failed_or_canceled_job_may_have_left_pictures_too() {
    let cancelled_in_its_run = a_job().in_phase(Phase::Canceling);
    let cancelled_in_its_run = cancelled_in_its_run
        .confirm_cancel(Report::default(), at(30))
        .unwrap();
    for job in [a_job().in_phase(Phase::Failed), cancelled_in_its_run] {
        let stage = Stage::new();
        let job = stage.store(job).await;
        stage.put_picture(&job);
        stage.ports().delete().run(&job.key).await.unwrap();
        assert!(
            stage.images.keys().is_empty(),
            "{}",
            job.state.phase().name()
        );
    }
}

#[tokio::test]
async fn a_job_that_is_not_there_is_not_deleted() {
    let stage = Stage::new();
    let absent = key("acme", "no-such-job");
    assert_eq!(stage.ports().delete().run(&absent).await.unwrap(), None);
}
