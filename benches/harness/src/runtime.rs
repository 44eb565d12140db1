//! The Lambda Runtime API of one function: events wait in line, each process that asks gets the next one.
//! Any number of processes may serve one function; each has one event at a time, as in Lambda.

use crate::serve::{Server, empty, reply};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, Request, Response, StatusCode};
use ryla_engine::port::Clock;
use ryla_engine::system::SystemClock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

/// How long a function may take, as in template.yaml; starting it counts too.
const TIME_LIMIT: Duration = Duration::from_secs(29);
const TIME_LIMIT_MS: i64 = 29_000;

const INVOCATIONS: &str = "/2018-06-01/runtime/invocation/";

type Outcome = Result<Bytes, String>;

struct Event {
    id: String,
    body: Bytes,
}

struct Shared {
    name: String,
    waiting: AsyncMutex<UnboundedReceiver<Event>>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    count: u64,
    replies: HashMap<String, oneshot::Sender<Outcome>>,
}

/// One function.
pub struct Function {
    shared: Arc<Shared>,
    events: UnboundedSender<Event>,
    server: Server,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Function").field(&self.shared.name).finish()
    }
}

impl Function {
    /// Serves the Runtime API for a function of that name.
    pub async fn start(name: &str) -> std::io::Result<Self> {
        let (events, waiting) = unbounded_channel();
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            waiting: AsyncMutex::new(waiting),
            open: Mutex::default(),
        });
        let handed = Arc::clone(&shared);
        let server = Server::start(move |request| {
            let shared = Arc::clone(&handed);
            async move { shared.answer(request).await }
        })
        .await?;
        Ok(Self {
            shared,
            events,
            server,
        })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` is set to.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Hands the function an event and waits for its reply.
    pub async fn invoke(&self, event: Bytes) -> anyhow::Result<Bytes> {
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut open = self.shared.open();
            open.count += 1;
            let id = format!("8476a536-e9f4-11e8-9739-{:012x}", open.count);
            open.replies.insert(id.clone(), sender);
            id
        };
        let queued = self.events.send(Event {
            id: id.clone(),
            body: event,
        });
        queued.ok().context("the function is gone")?;
        let outcome = tokio::time::timeout(TIME_LIMIT, receiver).await;
        let name = &self.shared.name;
        match outcome {
            Ok(Ok(Ok(reply))) => Ok(reply),
            Ok(Ok(Err(error))) => bail!("{name} reports an error: {error}"),
            Ok(Err(_)) => bail!("{name} is gone"),
            Err(_) => {
                self.shared.open().replies.remove(&id);
                bail!("{name} did not answer within {TIME_LIMIT:?}")
            }
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let error = || String::from_utf8_lossy(request.body()).into_owned();
        if path == "/2018-06-01/runtime/init/error" {
            for (_, reply) in self.open().replies.drain() {
                let _ = reply.send(Err(format!("at its start: {}", error())));
            }
            return empty(StatusCode::ACCEPTED);
        }
        let Some(rest) = path.strip_prefix(INVOCATIONS) else {
            return empty(StatusCode::NOT_FOUND);
        };
        match (request.method(), rest.split_once('/')) {
            (&Method::GET, None) if rest == "next" => self.next().await,
            (&Method::POST, Some((id, "response"))) => self.end(id, Ok(request.body().clone())),
            (&Method::POST, Some((id, "error"))) => self.end(id, Err(error())),
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    async fn next(&self) -> Response<Bytes> {
        let event = self.waiting.lock().await.recv().await;
        let Some(event) = event else {
            return empty(StatusCode::GONE);
        };
        let mut response = reply(StatusCode::OK, "application/json", event.body);
        let headers = response.headers_mut();
        let deadline = SystemClock.now().0 + TIME_LIMIT_MS;
        headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline));
        let texts = [
            ("lambda-runtime-aws-request-id", event.id),
            (
                "lambda-runtime-invoked-function-arn",
                format!(
                    "arn:aws:lambda:us-east-1:000000000000:function:{}",
                    self.name
                ),
            ),
            (
                "lambda-runtime-trace-id",
                "Root=1-6b035aa2-5d1c2b3a4e5f60718293a4b5;Sampled=0".to_owned(),
            ),
        ];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
        response
    }

    fn end(&self, id: &str, outcome: Outcome) -> Response<Bytes> {
        match self.open().replies.remove(id) {
            Some(reply) => {
                let _ = reply.send(outcome);
                empty(StatusCode::ACCEPTED)
            }
            None => empty(StatusCode::BAD_REQUEST),
        }
    }
}
