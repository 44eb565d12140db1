//! A system that answers from a script and remembers what it was asked. It draws nothing: its picture
//! is the shortest PNG that has a size.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// The only key that it knows.
pub(crate) const KEY: &str = "ryla_test";

/// What the fake does, and what happened.
#[derive(Default)]
pub(crate) struct Script {
    /// The job at each reading; the last one stays.
    pub(crate) states: VecDeque<Value>,
    /// Submits whose connection is cut after the job was made.
    pub(crate) lost_submits: u32,
    /// Downloads that end in the middle.
    pub(crate) cut_downloads: u32,
    /// The answer to a submit in place of a job.
    pub(crate) refusal: Option<(u16, Value)>,
    /// The jobs that the list shows, page by page; none: one page with one job.
    pub(crate) pages: Vec<Vec<Value>>,
    /// What operators are shown of what is kept warm; null: this key is no operator's.
    pub(crate) warm: Value,
    /// Every request: method, path, keys, idempotency key, body.
    pub(crate) seen: Vec<Seen>,
}

/// A request that was made.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) what: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) modal_key: Option<String>,
    pub(crate) body: Value,
}

/// A running fake; it ends with the process.
pub(crate) struct Fake {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Fake {
    pub(crate) fn start(script: Script) -> Self {
        let script = Arc::new(Mutex::new(script));
        let (tell, told) = std::sync::mpsc::channel();
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, shared).await;
            });
        });
        Self {
            address: told.recv().unwrap(),
            script,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The requests of that method and path.
    pub(crate) fn seen(&self, what: &str) -> Vec<Seen> {
        let script = self.script();
        script
            .seen
            .iter()
            .filter(|seen| seen.what == what)
            .cloned()
            .collect()
    }
}

/// The job in one of its states. Its output is on the fake itself, `HOST` standing for it.
pub(crate) fn job(status: &str, more: &Value) -> Value {
    let mut job = json!({
        "id": "job00001", "model": "ryla/flux-dev", "version": "v", "status": status, "output": null, "error": null,
        "input": { "prompt": "a lighthouse", "seed": 7, "output_format": "png" },
        "created_at": "2026-11-21T09:30:00.123Z",
        "metrics": { "phase": "running", "progress": 40, "provider": "preview", "cost_usd": null, "trace_id": "trace-of-the-job",
                     "timeline": { "accepted_ms": 0, "dispatched_ms": 4, "running_ms": 9, "done_ms": null } },
        "urls": { "get": "HOST/v1/predictions/job00001" },
    });
    merge(&mut job, more);
    job
}

/// The job as it ends well.
pub(crate) fn succeeded() -> Value {
    let ended = json!({ "output": "HOST/o/r30/token/1-0.png",
                        "metrics": { "progress": 100, "timeline": { "done_ms": 1204 } } });
    job("succeeded", &ended)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// The first bytes of a PNG of that size.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::clone(&script);
        tokio::spawn(async move {
            let service =
                service_fn(move |request| respond(request, Arc::clone(&script), host.clone()));
            // An error is a connection that the script cut.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Reply = Result<Response<Full<Bytes>>, &'static str>;

async fn respond(request: Request<Incoming>, script: Arc<Mutex<Script>>, host: String) -> Reply {
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let authorization = header(AUTHORIZATION.as_str());
    let idempotency_key = header("idempotency-key");
    let modal_key = header("modal-key");
    let what = format!("{} {}", request.method(), request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut script = script.lock().unwrap();
    script.seen.push(Seen {
        what: what.clone(),
        query: query.clone(),
        authorization: authorization.clone(),
        idempotency_key,
        modal_key,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    if what.starts_with("GET /o/") {
        return Ok(picture(&mut script));
    }
    if what == "GET /v1/health" {
        // As the GPU app, which knows nothing of the system's keys.
        let text = include_str!("../../../tests/fixtures/v1/modal/health.json");
        return Ok(reply(200, &serde_json::from_str(text).unwrap()));
    }
    if authorization != Some(format!("Bearer {KEY}")) {
        let problem =
            json!({ "title": "Unauthorized", "detail": "Send a valid API key.", "status": 401 });
        return Ok(reply(401, &problem));
    }
    let (status, body) = match what.as_str() {
        "GET /v1/models" => (200, json!({ "results": [model()] })),
        "GET /v1/models/ryla/flux-dev" => (200, model()),
        "POST /v1/models/ryla/flux-dev/predictions" => {
            if script.lost_submits > 0 {
                script.lost_submits -= 1;
                return Err("cut");
            }
            script.refusal.clone().unwrap_or_else(|| {
                (
                    201,
                    job("starting", &json!({ "metrics": { "phase": "accepted" } })),
                )
            })
        }
        "GET /v1/warm" if !script.warm.is_null() => (200, script.warm.clone()),
        "GET /v1/predictions" if !script.pages.is_empty() => (200, page(&script.pages, &query)),
        "GET /v1/predictions" => (200, json!({ "next": null, "results": [succeeded()] })),
        "GET /v1/predictions/job00001" => {
            let state = if script.states.len() > 1 {
                script.states.pop_front()
            } else {
                script.states.front().cloned()
            };
            (200, state.unwrap())
        }
        "POST /v1/predictions/job00001/cancel" => {
            let canceled = job(
                "canceled",
                &json!({ "metrics": { "cancel_reason": "user", "timeline": { "done_ms": 30 } } }),
            );
            script.states = [canceled.clone()].into();
            (200, canceled)
        }
        _ => (
            404,
            json!({ "title": "Not found", "detail": "There is no such prediction.", "status": 404 }),
        ),
    };
    let body: Value = serde_json::from_str(&body.to_string().replace("HOST", &host)).unwrap();
    Ok(reply(status, &body))
}

/// The page that the query's cursor names, the first one without.
fn page(pages: &[Vec<Value>], query: &str) -> Value {
    let cursor = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("cursor="));
    let number: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
    let next = (number + 1 < pages.len()).then(|| {
        format!(
            "https://elsewhere.example/v1/predictions?cursor={}",
            number + 1
        )
    });
    json!({ "next": next, "results": pages[number] })
}

fn picture(script: &mut Script) -> Response<Full<Bytes>> {
    let mut png = png(512, 256);
    let whole = png.len();
    if script.cut_downloads > 0 {
        script.cut_downloads -= 1;
        png.truncate(whole / 2);
    }
    Response::builder()
        .header("content-type", "image/png")
        .header(CONTENT_LENGTH, whole)
        .body(Full::from(png))
        .unwrap()
}

fn reply(status: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("x-request-id", "trace-of-the-request")
        .body(Full::from(body.to_string()))
        .unwrap()
}

fn model() -> Value {
    let schema = json!({ "type": "object", "required": ["prompt"], "properties": {
        "prompt": { "type": "string", "description": "What the picture shows.", "x-order": 0 },
        "width": { "type": "integer", "minimum": 256, "maximum": 2048, "default": 1024, "description": "Width in pixels.", "x-order": 1 },
        "seed": { "type": "integer", "x-order": 2 },
        "output_format": { "type": "string", "enum": ["jpg", "png"], "default": "jpg", "x-order": 3 },
    }});
    json!({ "owner": "ryla", "name": "flux-dev", "description": "Text to picture.",
            "latest_version": { "openapi_schema": { "components": { "schemas": { "Input": schema } } } } })
}
