//! The whole stack over HTTP.

use crate::support::{create, ended, eventually, http, in_time, read, send_then_read, small};
use ryla_domain::time::Ms;
use ryla_local::{Options, PreviewOptions, Stack};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_goes_all_the_way_and_leaves_nothing_open() {
    let begun = Instant::now();
    let stack = Stack::start(Options::default()).await.unwrap();
    let started = begun.elapsed();
    let http = http();
    let begun = Instant::now();
    let created = create(&stack, &http, &small("a lighthouse at dusk", 7)).await;
    let id = created["id"].as_str().unwrap();
    let job = ended(&stack, &http, id).await;
    eprintln!("start {started:?}, one job {:?}", begun.elapsed());
    assert_eq!(job["status"], "succeeded", "{job}");
    let url = job["output"]
        .as_str()
        .or_else(|| job["output"][0].as_str())
        .unwrap();
    let picture = http.get(url).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    assert!(
        picture
            .bytes()
            .await
            .unwrap()
            .starts_with(&[0xff, 0xd8, 0xff])
    );
    let key = ryla_domain::id::JobKey {
        account: ryla_local::ACCOUNT.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    assert_eq!(stack.preview().unwrap().gpu_runs_of(&key), 1);
    assert_eq!(stack.due_entries().await.unwrap(), 0);
    eventually(|| async { (stack.queue_depth().await.unwrap().total() == 0).then_some(()) }).await;
    assert_eq!(stack.dead_letters().await.unwrap().total(), 0);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seed_gives_the_same_bytes_at_two_concurrency_levels() {
    let mut pictures = Vec::new();
    for concurrency in [1, 4] {
        let options = Options {
            preview: PreviewOptions {
                concurrency,
                ..PreviewOptions::default()
            },
            ..Options::default()
        };
        let stack = Stack::start(options).await.unwrap();
        let http = http();
        let mut bytes = Vec::new();
        let ids =
            futures_util::future::join_all((0..4).map(|seed| {
                let (stack, http) = (&stack, &http);
                async move {
                    create(stack, http, &small("a red fox in snow", seed)).await["id"].to_string()
                }
            }))
            .await;
        for id in ids {
            let job = ended(&stack, &http, id.trim_matches('"')).await;
            let url = job["output"]
                .as_str()
                .or_else(|| job["output"][0].as_str())
                .unwrap();
            bytes.push(http.get(url).send().await.unwrap().bytes().await.unwrap());
        }
        pictures.push(bytes);
        stack.shutdown().await;
    }
    assert_eq!(pictures[0], pictures[1]);
    assert_ne!(pictures[0][0], pictures[0][1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_long_is_refused_in_words_and_not_by_a_reset() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let url = format!("{}/v1/models/ryla/flux-dev/predictions", stack.url());
    let headers = [
        ("authorization", format!("Bearer {}", stack.api_key())),
        ("content-type", "application/json".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    for megabytes in [7, 40] {
        let body = vec![b' '; megabytes * 1024 * 1024];
        let answer = in_time(send_then_read(&url, "POST", &headers, &body))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        let problem = answer.split("\r\n\r\n").nth(1).unwrap();
        let problem: serde_json::Value = serde_json::from_str(problem).unwrap();
        assert_eq!(problem["status"], 413, "{problem}");
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_held_requests_with_the_job_as_it_is() {
    let options = Options {
        preview: PreviewOptions {
            run: Ms::seconds(20),
            ..PreviewOptions::default()
        },
        ..Options::default()
    };
    let stack = Stack::start(options).await.unwrap();
    let sent = http()
        .post(format!(
            "{}/v1/models/ryla/flux-dev/predictions",
            stack.url()
        ))
        .bearer_auth(stack.api_key())
        .header("prefer", "wait=40")
        .json(&json!({"input": small("a fox", 1)}))
        .send();
    let held = tokio::spawn(sent);
    eventually(|| async { (stack.preview().unwrap().gpu_runs() == 1).then_some(()) }).await;
    assert!(!held.is_finished(), "the request is held");
    let begun = Instant::now();
    stack.shutdown().await;
    let reply = held.await.unwrap().unwrap();
    assert_eq!(reply.status(), 201);
    let job: serde_json::Value = reply.json().await.unwrap();
    assert_eq!(job["status"], "starting", "{job}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tls_only_clients_that_trust_our_ca_get_through_and_the_gpu_is_one_of_them() {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let options = Options {
        tls: true,
        ..Options::default()
    };
    let stack = Stack::start(options).await.unwrap();
    assert!(stack.url().starts_with("https://127.0.0.1:"));
    assert!(http().get(stack.url()).send().await.is_err());
    let ca = CertificateDer::from_pem_file(stack.ca_file().unwrap()).unwrap();
    let http = ryla_backends::http::client(Ms::seconds(5), Some(&ca)).unwrap();
    let created = create(&stack, &http, &small("a fox", 1)).await;
    let job = ended(&stack, &http, created["id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let localhost = stack.url().replace("127.0.0.1", "localhost");
    let health = http
        .get(format!("{localhost}/v1/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_every_run_fails_the_job_fails_with_the_gpus_code() {
    let options = Options {
        preview: PreviewOptions {
            fail: 1.0,
            ..PreviewOptions::default()
        },
        ..Options::default()
    };
    let stack = Stack::start(options).await.unwrap();
    let http = http();
    let created = create(&stack, &http, &small("a fox", 1)).await;
    let id = created["id"].as_str().unwrap();
    let job = ended(&stack, &http, id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["metrics"]["error_code"], "gpu_error", "{job}");
    assert_eq!(stack.preview().unwrap().gpu_runs(), 3, "one a attempt");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_last_callback_is_lost_the_sweep_finds_the_picture() {
    let options = Options {
        preview: PreviewOptions {
            // With this seed the job below loses its second callback, which is the last, only.
            lose_callbacks: 0.5,
            seed: 4,
            ..PreviewOptions::default()
        },
        ..Options::default()
    }
    .with("FIRST_DUE_S", "2")
    .with("SWEEP_PERIOD_S", "1")
    .with("SILENCE_S", "1");
    let stack = Stack::start(options).await.unwrap();
    let http = http();
    let url = format!("{}/v1/predictions/lost-at-the-end", stack.url());
    let body = json!({"version": "ryla/flux-dev", "input": small("a fox", 1)});
    let sent = http.put(url).bearer_auth(stack.api_key()).json(&body);
    assert_eq!(sent.send().await.unwrap().status(), 201);
    eventually(|| async {
        (read(&stack, &http, "lost-at-the-end").await["status"] == "processing").then_some(())
    })
    .await;
    let job = ended(&stack, &http, "lost-at-the-end").await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(stack.preview().unwrap().gpu_runs(), 1);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_stack_does_not_ask_its_queue() {
    let stack = Stack::start(Options::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = stack.queue_receives();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stack.queue_receives(), before);
    stack.shutdown().await;
}
