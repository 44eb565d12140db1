//! A picture counts as far as the bucket bears it out.

use super::{NEXT_ATTEMPT, succeeded, tell};
use crate::stage::{Stage, at};
use ryla_domain::output::{Format, Output};
use ryla_domain::state::{Phase, State};
use ryla_engine::complete::{CompleteError, Event};
use ryla_engine::port::ImageStore;
use ryla_testing::backend::a_jpeg;
use ryla_testing::sample::{a_job, a_report};

#[tokio::test]
async fn the_figures_of_a_picture_come_from_the_bucket() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.put_picture(&job);
    stage.clock.set(at(30));
    tell(&stage, &job, succeeded()).await.unwrap();
    let State::Succeeded { ended, outputs } = stage.row(&job.key).await.state else {
        panic!("it succeeds")
    };
    let bytes = a_jpeg("a lighthouse").len() as u64;
    let picture = Output {
        slot: 0,
        bytes,
        width: 64,
        height: 48,
    };
    assert_eq!(outputs, [picture]);
    assert_eq!(ended.completed_at, at(30));
    assert_eq!(ended.report, a_report());
    // 812 + 15,904 + 287 ms on an L40S at 542 micro-dollars a second.
    assert_eq!(ended.cost_usd_micros, Some(9_216));
}

#[tokio::test]
async fn a_success_without_a_picture_is_to_be_told_again() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.clock.set(at(30));
    let told = tell(&stage, &job, succeeded()).await;
    assert!(matches!(told, Err(CompleteError::NotThereYet)), "{told:?}");
    assert_eq!(stage.row(&job.key).await, job);
    stage.put_picture(&job);
    tell(&stage, &job, succeeded()).await.unwrap();
    assert_eq!(stage.row(&job.key).await.state.phase(), Phase::Succeeded);
}

#[tokio::test]
async fn another_attempts_picture_is_not_this_ones() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    let mut next = job.clone();
    if let State::Running(s) = &mut next.state {
        s.attempt = s.attempt.next();
    }
    stage.put_picture(&next);
    stage.clock.set(at(30));
    let told = tell(&stage, &job, succeeded()).await;
    assert!(matches!(told, Err(CompleteError::NotThereYet)), "{told:?}");
}

#[tokio::test]
async fn what_is_not_the_promised_picture_ends_the_attempt_as_no_output() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0@\0\0\0\x30\x08\x02\0\0\0".to_vec();
    for (what, content_type, bytes) in [
        ("another type", "image/png", a_jpeg("x")),
        ("another picture's magic", "image/jpeg", png),
        ("no picture", "image/jpeg", b"<html>".to_vec()),
        ("nothing", "image/jpeg", Vec::new()),
    ] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(Phase::Running)).await;
        stage.images.place(&job.output_key(0), content_type, bytes);
        stage.clock.set(at(30));
        let reply = tell(&stage, &job, succeeded()).await.unwrap();
        assert!(!reply.ignored, "{what}");
        let row = stage.row(&job.key).await;
        let led = (row.state.phase(), row.state.attempt().number());
        assert_eq!(led, NEXT_ATTEMPT, "{what}");
    }
}

#[tokio::test]
async fn each_format_is_known_by_its_own_magic() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0@\0\0\0\x30\x08\x02\0\0\0".to_vec();
    let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x3f\xc0\x0b\0\0\0\0\0\0\0\0\0".to_vec();
    for (format, bytes) in [
        (Format::Jpg, a_jpeg("x")),
        (Format::Png, png),
        (Format::Webp, webp),
    ] {
        let stage = Stage::new();
        let job = a_job()
            .with(|job| job.format = format)
            .in_phase(Phase::Running);
        let job = stage.store(job).await;
        let key = job.output_key(0);
        stage.images.place(&key, format.content_type(), bytes);
        stage.clock.set(at(30));
        tell(&stage, &job, succeeded()).await.unwrap();
        let row = stage.row(&job.key).await;
        let State::Succeeded { outputs, .. } = &row.state else {
            panic!("{format:?}: {:?}", row.state)
        };
        assert_eq!(
            (outputs[0].width, outputs[0].height),
            (64, 48),
            "{format:?}"
        );
    }
}

/// A reader of sizes is content with the first letters of a format.
#[tokio::test]
async fn a_few_letters_of_a_format_make_no_picture() {
    let fine = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0@\0\0\0\x30\x08\x02\0\0\0".to_vec();
    let (mut signature, mut chunk) = (fine.clone(), fine);
    signature[7] = 0;
    chunk[12] = b'X';
    let webp = b"RIFF\x1a\0\0\0WEBPXYZL\x0d\0\0\0\x2f\x3f\xc0\x0b\0\0\0\0\0\0\0\0\0".to_vec();
    for (format, bytes) in [
        (Format::Png, signature),
        (Format::Png, chunk),
        (Format::Webp, webp),
    ] {
        let stage = Stage::new();
        let job = a_job().with(|job| job.format = format);
        let job = stage.store(job.in_phase(Phase::Running)).await;
        let key = job.output_key(0);
        stage.images.place(&key, format.content_type(), bytes);
        stage.clock.set(at(30));
        tell(&stage, &job, succeeded()).await.unwrap();
        let row = stage.row(&job.key).await;
        let led = (row.state.phase(), row.state.attempt().number());
        assert_eq!(led, NEXT_ATTEMPT, "{format:?}");
    }
}

#[tokio::test]
async fn the_picture_must_be_the_one_that_the_worker_put() {
    for (quoted, right) in [(false, true), (true, true), (false, false)] {
        let stage = Stage::new();
        let job = stage.store(a_job().in_phase(Phase::Running)).await;
        stage.put_picture(&job);
        let glimpse = stage.images.glimpse(&job.output_key(0)).await.unwrap();
        let etag = match (glimpse.unwrap().etag, quoted, right) {
            (etag, true, _) => format!("\"{etag}\""),
            (etag, false, true) => etag,
            _ => "0123".to_owned(),
        };
        stage.clock.set(at(30));
        let event = Event::Succeeded {
            report: a_report(),
            etags: vec![(0, etag)],
        };
        tell(&stage, &job, event).await.unwrap();
        let succeeded = stage.row(&job.key).await.state.phase() == Phase::Succeeded;
        assert_eq!(succeeded, right);
    }
}
