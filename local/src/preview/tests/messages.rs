//! What is submitted, asked and cancelled.

use super::world::World;
use super::{RUN, slow, world};
use crate::preview::PreviewOptions;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn of_twenty_equal_messages_one_runs_and_the_others_get_its_call() {
    let world = world().await;
    let answers = futures_util::future::join_all((0..20).map(|_| world.submit(RUN))).await;
    let new = answers.iter().filter(|(status, _)| *status == 202).count();
    let known = answers
        .iter()
        .filter(|(status, reply)| *status == 200 && reply["duplicate"] == true);
    assert_eq!((new, known.count()), (1, 19));
    assert!(
        answers
            .iter()
            .all(|(_, reply)| reply["call_id"] == answers[0].1["call_id"])
    );
    world.all_callbacks(RUN).await;
    assert_eq!(world.submit(RUN).await.0, 200);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(world.preview.gpu_runs(), 1);
    assert_eq!(world.seen("/put").len(), 1);
}

#[tokio::test]
async fn a_run_that_was_cancelled_before_it_came_is_refused_when_it_does() {
    let world = world().await;
    assert_eq!(world.status(RUN).await["status"], "unknown");
    assert_eq!(world.cancel(RUN).await, "cancelled");
    let (status, refusal) = world.submit(RUN).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("cancelled")));
    assert_eq!(world.status(RUN).await["status"], "cancelled");
    assert_eq!(world.preview.gpu_runs(), 0);
}

#[tokio::test]
async fn an_older_attempt_is_refused_once_a_newer_one_is_known() {
    let world = world().await;
    assert_eq!(world.submit("acme.my-own-id.2").await.0, 202);
    let (status, refusal) = world.submit(RUN).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("older_attempt")));
    assert_eq!(world.submit("evil.my-own-id.1").await.0, 202);
}

#[tokio::test]
async fn a_message_that_is_wrong_is_refused_by_its_field_and_never_quoted() {
    let world = world().await;
    let with = |path: &str, value: Value| {
        let mut message = world.message(RUN);
        *message.pointer_mut(path).unwrap() = value;
        message
    };
    let mut no_callback = world.message(RUN);
    no_callback.as_object_mut().unwrap().remove("callback");
    for (message, status, code, field) in [
        (with("/v", json!(2)), 400, "unsupported_version", "version"),
        (no_callback, 422, "invalid_input", "callback"),
        (
            with("/workflow", json!("secret")),
            422,
            "model_missing",
            "workflow",
        ),
        (with("/outputs", json!([])), 422, "invalid_input", "outputs"),
        (
            with("/outputs/0/content_type", json!("secret")),
            422,
            "invalid_input",
            "outputs.0.content_type",
        ),
        (
            with("/params/prompt", json!(["secret"])),
            422,
            "invalid_input",
            "params.prompt",
        ),
        (
            with("/params/width", json!(-1)),
            422,
            "invalid_input",
            "params.width",
        ),
        (with("/run", json!("secret")), 422, "invalid_input", "line"),
        (
            with("/params/prompt", json!("x".repeat(300_000))),
            413,
            "too_large",
            "long",
        ),
    ] {
        let (answered, refusal) = world.post(&message).await;
        assert_eq!(
            (answered, &refusal["code"]),
            (status, &json!(code)),
            "{refusal}"
        );
        let message = refusal["message"].as_str().unwrap();
        assert!(message.contains(field), "{refusal}");
        assert!(!message.contains("secret"), "{refusal}");
    }
    assert_eq!(world.preview.gpu_runs(), 0);
}

#[tokio::test]
async fn too_many_runs_are_told_when_to_come_back_and_none_begin_while_draining() {
    let world = World::start(PreviewOptions {
        depth: 1,
        ..slow(60_000)
    })
    .await;
    assert_eq!(world.submit("acme.job-0001.1").await.0, 202);
    world.stands("acme.job-0001.1", "running").await;
    assert_eq!(world.submit("acme.job-0002.1").await.0, 202);
    let url = format!("{}/v1/jobs", world.preview.url());
    let message = world.message("acme.job-0003.1");
    let reply = world.http.post(url).json(&message).send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
    assert_eq!(world.cancel("acme.job-0002.1").await, "cancelled");
    world.preview.drain();
    let (status, refusal) = world.submit("acme.job-0003.1").await;
    assert_eq!((status, &refusal["code"]), (503, &json!("draining")));
    assert_eq!(world.submit("acme.job-0001.1").await.0, 200);
}

#[tokio::test]
async fn it_says_what_it_is_and_whether_it_takes_runs() {
    let world = world().await;
    let health = async || -> Value {
        let url = format!("{}/v1/health", world.preview.url());
        world
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    assert_eq!(
        (&health().await["app"], &health().await["accepting"]),
        (&json!("ryla-preview"), &json!(true))
    );
    world.preview.drain();
    assert_eq!(health().await["accepting"], false);
}
