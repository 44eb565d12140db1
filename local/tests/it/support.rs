//! What these tests share: a client, a limit on every wait, a prediction from its creation to its end.

use ryla_local::Stack;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// No test waits longer than this for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A client that does not know any proxy.
pub(crate) fn http() -> reqwest::Client {
    ryla_backends::http::client(ryla_domain::time::Ms::seconds(5), None).unwrap()
}

/// Fails where the future takes too long.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("took too long")
}

/// Asks until the answer is there.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "did not happen in time");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A small picture's input.
pub(crate) fn small(prompt: &str, seed: u64) -> Value {
    json!({"prompt": prompt, "width": 256, "height": 256, "seed": seed})
}

/// Creates a prediction; the reply at once.
pub(crate) async fn create(stack: &Stack, http: &reqwest::Client, input: &Value) -> Value {
    let url = format!("{}/v1/models/ryla/flux-dev/predictions", stack.url());
    let sent = http
        .post(url)
        .bearer_auth(stack.api_key())
        .json(&json!({"input": input}));
    let reply = sent.send().await.unwrap();
    assert_eq!(reply.status(), 201);
    reply.json().await.unwrap()
}

/// The prediction as it is now.
pub(crate) async fn read(stack: &Stack, http: &reqwest::Client, id: &str) -> Value {
    let url = format!("{}/v1/predictions/{id}", stack.url());
    let sent = http.get(url).bearer_auth(stack.api_key()).send();
    sent.await.unwrap().json().await.unwrap()
}

/// The prediction once it has ended.
pub(crate) async fn ended(stack: &Stack, http: &reqwest::Client, id: &str) -> Value {
    eventually(|| async {
        let prediction = read(stack, http, id).await;
        let status = prediction["status"].as_str().unwrap_or_default();
        matches!(status, "succeeded" | "failed" | "canceled").then_some(prediction)
    })
    .await
}

/// Sends a request as many clients do: all of it, and only then looks for an answer. Fails where the
/// connection is cut before.
pub(crate) async fn send_then_read(
    url: &str,
    method: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<String> {
    use std::fmt::Write as _;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (address, target) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await?;
    let mut head = format!(
        "{method} /{target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(b"\r\n").await?;
    socket.write_all(body).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
