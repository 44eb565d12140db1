//! SQS and its Lambda event source as far as both sides need them: a message that is sent goes to the
//! dispatch function at once, in batches of at most ten, one batch for each process.

use crate::runtime::Function;
use crate::serve::{Server, json};
use crate::usage::{Count, Usage};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::task::JoinHandle;

/// The most messages of one batch, as in template.yaml.
const BATCH: usize = 10;

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Message {
    id: String,
    body: String,
}

/// The running stub.
#[derive(Debug)]
pub struct Sqs {
    server: Server,
    usage: Arc<Mutex<Usage>>,
    queue: Arc<AsyncMutex<UnboundedReceiver<Message>>>,
    failed: Arc<AtomicU64>,
}

/// Messages on their way to a function; dropping it stops them.
#[derive(Debug)]
pub struct EventSource(JoinHandle<()>);

impl Drop for EventSource {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sqs {
    /// Serves one queue from now on.
    pub async fn start() -> std::io::Result<Self> {
        let (sender, queue) = unbounded_channel();
        let usage = Arc::new(Mutex::new(Usage::default()));
        let counted = Arc::clone(&usage);
        let server = Server::start(move |request| {
            let response = answer(&request, &sender, &counted);
            async move { response }
        })
        .await?;
        Ok(Self {
            server,
            usage,
            queue: Arc::new(AsyncMutex::new(queue)),
            failed: Arc::default(),
        })
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The URL of its queue.
    pub fn queue_url(&self) -> String {
        format!("{}/000000000000/dispatch", self.server.url())
    }

    /// What was asked so far.
    pub fn usage(&self) -> Usage {
        let usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.clone()
    }

    /// Messages that the function did not carry out.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Takes the next message out of the queue.
    pub async fn next(&self) -> Option<Message> {
        self.queue.lock().await.recv().await
    }

    /// Hands every message to the function from now on.
    pub fn feed(&self, function: Arc<Function>, processes: usize) -> EventSource {
        let (queue, failed) = (Arc::clone(&self.queue), Arc::clone(&self.failed));
        let free = Arc::new(Semaphore::new(processes));
        EventSource(tokio::spawn(async move {
            let mut queue = queue.lock().await;
            while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
                let mut batch = Vec::new();
                if queue.recv_many(&mut batch, BATCH).await == 0 {
                    return;
                }
                let (function, failed) = (Arc::clone(&function), Arc::clone(&failed));
                tokio::spawn(async move {
                    failed.fetch_add(deliver(&function, &batch).await, Ordering::Relaxed);
                    drop(permit);
                });
            }
        }))
    }
}

/// The event that the Lambda service makes of messages.
pub fn event(batch: &[Message]) -> Bytes {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.id,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795381922000"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:dispatch",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({"Records": records}).to_string().into()
}

/// How many of the messages the function left.
async fn deliver(function: &Function, batch: &[Message]) -> u64 {
    let all = batch.len() as u64;
    let Ok(reply) = function.invoke(event(batch)).await else {
        return all;
    };
    let Ok(reply) = serde_json::from_slice::<Value>(&reply) else {
        return all;
    };
    let failures = reply.get("batchItemFailures").and_then(Value::as_array);
    failures.map_or(0, |failures| failures.len() as u64)
}

fn answer(
    request: &Request<Bytes>,
    sender: &UnboundedSender<Message>,
    usage: &Mutex<Usage>,
) -> Response<Bytes> {
    let target = request.headers().get("x-amz-target");
    let operation = target
        .and_then(|target| target.to_str().ok()?.strip_prefix("AmazonSQS."))
        .unwrap_or_default();
    let mut usage = usage.lock().unwrap_or_else(PoisonError::into_inner);
    usage.add(operation, Count::read(0.0));
    let count = usage.total().requests;
    drop(usage);
    let body = match operation {
        "SendMessage" => {
            let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let body = sent.get("MessageBody").and_then(Value::as_str);
            let id = format!("00000000-0000-0000-0000-{count:012}");
            let message = Message {
                id: id.clone(),
                body: body.unwrap_or_default().to_owned(),
            };
            // Fails only where the stub is going away.
            let _ = sender.send(message);
            json!({"MessageId": id})
        }
        "GetQueueAttributes" => json!({"Attributes": {}}),
        other => {
            let error =
                json!({"__type": "com.amazonaws.sqs#UnsupportedOperation", "message": other});
            return json(StatusCode::BAD_REQUEST, &error);
        }
    };
    json(StatusCode::OK, &body)
}
