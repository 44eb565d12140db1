//! What the preview GPU sees of the world: a bucket and an API that note each request and answer as
//! the test says.

use crate::preview::{Preview, PreviewOptions, PreviewParts};
use crate::serve::Server;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use ryla_backends::modal::wire::{Callback, decode};
use ryla_domain::id::Run;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use ryla_engine::signature::MasterSecrets;
use ryla_engine::system::SystemClock;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// A request that arrived.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

type Answers = Arc<Mutex<HashMap<&'static str, VecDeque<(u16, Value)>>>>;

/// A preview GPU and its surroundings.
pub(super) struct World {
    pub(super) preview: Preview,
    pub(super) http: reqwest::Client,
    pub(super) secrets: MasterSecrets,
    server: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Answers,
}

impl World {
    pub(super) async fn start(options: PreviewOptions) -> Self {
        let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
        let preview = Preview::start(options, http.clone(), Arc::new(SystemClock));
        Self::around(preview.await.unwrap(), http).await
    }

    /// One whose containers and leases live on that clock, and whose leases lie in that folder.
    pub(super) async fn timed(
        options: PreviewOptions,
        containers_clock: Arc<dyn Clock>,
        folder: &Path,
    ) -> Self {
        let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
        let preview = Preview::of(PreviewParts {
            options,
            http: http.clone(),
            clock: Arc::new(SystemClock),
            containers_clock,
            folder: folder.to_owned(),
        });
        Self::around(preview.await.unwrap(), http).await
    }

    async fn around(preview: Preview, http: reqwest::Client) -> Self {
        let (seen, answers): (Arc<Mutex<Vec<Seen>>>, Answers) = Default::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (note, script) = (Arc::clone(&seen), Arc::clone(&answers));
        let server = Server::start(listener, None, move |request| {
            answer(Arc::clone(&note), Arc::clone(&script), request)
        })
        .unwrap();
        Self {
            preview,
            http,
            secrets: MasterSecrets::parse(&format!("k1:{}", "s".repeat(32))).unwrap(),
            server,
            seen,
            answers,
        }
    }

    /// The next requests of that path are answered so; after that, as if all were well.
    pub(super) fn say(&self, path: &'static str, answers: impl IntoIterator<Item = (u16, Value)>) {
        let mut script = self.answers.lock().unwrap();
        script.entry(path).or_default().extend(answers);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// A submit message of a small picture.
    pub(super) fn message(&self, run: &str) -> Value {
        let (kid, key) = self.secrets.run_key(&run.parse::<Run>().unwrap());
        json!({
            "v": 1,
            "run": run,
            "workflow": ryla_domain::model::catalog()[0].workflow,
            "params": {"prompt": "a fox", "negative_prompt": "", "width": 64, "height": 48, "seed": 1},
            "inputs": [],
            "outputs": [{
                "slot": 0,
                "content_type": "image/png",
                "put_url": self.url("/put"),
                "headers": {"content-type": "image/png", "if-none-match": "*"},
            }],
            "callback": {"url": self.url("/callback"), "kid": kid, "key": key.expose_secret()},
            "deadline_at": SystemClock.now() + Ms::seconds(60),
            "run_limit_ms": 20_000,
            "traceparent": "00-00112233445566778899aabbccddeeff-0123456789abcdef-01",
        })
    }

    /// Posts a submit message.
    pub(super) async fn post(&self, message: &Value) -> (u16, Value) {
        let url = format!("{}/v1/jobs", self.preview.url());
        let reply = self.http.post(url).json(message).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    /// Posts a lease.
    pub(super) async fn lease(&self, message: &Value) -> (u16, Value) {
        let url = format!("{}/v1/warm", self.preview.url());
        let reply = self.http.post(url).json(message).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    pub(super) async fn submit(&self, run: &str) -> (u16, Value) {
        self.post(&self.message(run)).await
    }

    /// The state of a run.
    pub(super) async fn status(&self, run: &str) -> Value {
        let url = format!("{}/v1/jobs/{run}", self.preview.url());
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(super) async fn cancel(&self, run: &str) -> Value {
        let url = format!("{}/v1/jobs/{run}/cancel", self.preview.url());
        let reply: Value = self
            .http
            .post(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        reply["status"].clone()
    }

    /// The requests of a path so far.
    pub(super) fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }

    /// The callbacks so far; every one is signed for that run.
    pub(super) fn callbacks(&self, run: &str) -> Vec<Callback> {
        let run: Run = run.parse().unwrap();
        let check = |seen: Seen| {
            let signature = seen.headers["x-ryla-signature"].to_str().unwrap();
            let stamp = signature[2..].split(',').next().unwrap().parse().unwrap();
            let at = UnixMs::from_seconds(stamp);
            self.secrets
                .verify(&run, Some(signature), &seen.body, at)
                .unwrap();
            assert_eq!(
                seen.headers["traceparent"],
                self.message(&run.to_string())["traceparent"]
                    .as_str()
                    .unwrap()
            );
            decode(&seen.body).unwrap()
        };
        self.seen("/callback").into_iter().map(check).collect()
    }

    /// The callbacks once the last one is there.
    pub(super) async fn all_callbacks(&self, run: &str) -> Vec<Callback> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let callbacks = self.callbacks(run);
            if callbacks
                .last()
                .is_some_and(|callback| callback.event.is_last())
            {
                return callbacks;
            }
            assert!(Instant::now() < until, "no last callback: {callbacks:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the run stands so.
    pub(super) async fn stands(&self, run: &str, state: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.status(run).await;
            if status["status"] == state {
                return status;
            }
            assert!(Instant::now() < until, "{status}, not {state}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn answer(
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Answers,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = body.collect().await.unwrap().to_bytes();
    seen.lock().unwrap().push(Seen {
        method: parts.method,
        path: path.clone(),
        headers: parts.headers,
        body,
    });
    let scripted = answers
        .lock()
        .unwrap()
        .get_mut(path.as_str())
        .and_then(VecDeque::pop_front);
    let (status, body) = scripted.unwrap_or((200, json!({"v": 1, "continue": true})));
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
        .headers_mut()
        .insert("etag", "\"e1\"".parse().unwrap());
    response
}
