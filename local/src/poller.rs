//! What the SQS event source does for a Lambda: receives batches, calls the function's own code with a
//! time limit, deletes what succeeded and leaves the rest to come again.

use crate::wake::Waker;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use ryla_engine::port::Entropy;
use ryla_engine::system::OsEntropy;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most messages of one batch, as in template.yaml.
const BATCH: i32 = 10;

/// The pause after a receive that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How the queue is polled.
#[derive(Clone, Debug)]
pub struct PollerOptions {
    /// URL of the queue.
    pub queue_url: String,
    /// Most batches at once.
    pub concurrency: usize,
    /// How long a batch may take before it counts as failed, as Lambda's time-out.
    pub time_limit: Duration,
    /// The queue's visibility time: what was not deleted comes again after it.
    pub redelivery: Duration,
}

/// A running poll loop.
#[derive(Debug)]
pub struct Poller {
    stopping: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
    receives: Arc<AtomicU64>,
}

/// What every batch needs.
struct Loop<H> {
    sqs: aws_sdk_sqs::Client,
    options: PollerOptions,
    waker: Arc<Waker>,
    handler: H,
    receives: Arc<AtomicU64>,
}

impl Poller {
    /// Polls from now on; `handler` is called with the invocation's id and a batch.
    pub fn start<H, F>(
        sqs: aws_sdk_sqs::Client,
        options: PollerOptions,
        waker: Arc<Waker>,
        handler: H,
    ) -> Self
    where
        H: Fn(String, SqsEvent) -> F + Send + Sync + 'static,
        F: Future<Output = SqsBatchResponse> + Send + 'static,
    {
        let poller = Self {
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
            receives: Arc::default(),
        };
        let polling = Arc::new(Loop {
            sqs,
            options,
            waker,
            handler,
            receives: Arc::clone(&poller.receives),
        });
        let (stopping, cut) = (poller.stopping.clone(), poller.cut.clone());
        let tasks = poller.tasks.clone();
        poller.tasks.spawn(async move {
            tokio::select! {
                () = poll(polling, tasks, cut) => {}
                () = stopping.cancelled() => {}
            }
        });
        poller
    }

    /// How often the queue was asked: an idle loop does not ask.
    pub fn receives(&self) -> u64 {
        self.receives.load(Ordering::Relaxed)
    }

    /// Receives nothing more, lets open batches end, and cuts off what is still open after `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.cut.cancel();
    }
}

async fn poll<H, F>(polling: Arc<Loop<H>>, tasks: TaskTracker, cut: CancellationToken)
where
    H: Fn(String, SqsEvent) -> F + Send + Sync + 'static,
    F: Future<Output = SqsBatchResponse> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(polling.options.concurrency.max(1)));
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        match polling.receive().await {
            Ok(messages) if messages.is_empty() => {
                drop(permit);
                polling.waker.due_now().await;
            }
            Ok(messages) => {
                let (polling, cut) = (Arc::clone(&polling), cut.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = polling.batch(messages) => {}
                        () = cut.cancelled() => {}
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                drop(permit);
                let error = aws_sdk_sqs::error::DisplayErrorContext(&error).to_string();
                tracing::warn!(event = "port", call = "queue.receive", error, "port failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl<H, F> Loop<H>
where
    H: Fn(String, SqsEvent) -> F,
    F: Future<Output = SqsBatchResponse> + Send + 'static,
{
    async fn receive(&self) -> Result<Vec<Message>, aws_sdk_sqs::Error> {
        self.receives.fetch_add(1, Ordering::Relaxed);
        let received = self
            .sqs
            .receive_message()
            .queue_url(&self.options.queue_url)
            .max_number_of_messages(BATCH)
            .wait_time_seconds(0)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Calls the function and deletes what it carried out.
    async fn batch(&self, messages: Vec<Message>) {
        let mut event = SqsEvent::default();
        event.records = messages.iter().map(record).collect();
        let call = tokio::spawn((self.handler)(invocation(), event));
        let abort = call.abort_handle();
        let failed = match tokio::time::timeout(self.options.time_limit, call).await {
            Ok(Ok(response)) => {
                let failures = response.batch_item_failures.into_iter();
                Some(failures.map(|failure| failure.item_identifier).collect())
            }
            // It panicked.
            Ok(Err(_)) => None,
            Err(_) => {
                abort.abort();
                None
            }
        };
        if failed.is_none() {
            tracing::error!(
                event = "dispatch",
                messages = messages.len(),
                "the batch failed"
            );
        }
        let carried_out = |message: &&Message| {
            let id = message.message_id.as_deref().unwrap_or_default();
            failed
                .as_ref()
                .is_some_and(|failed: &HashSet<String>| !failed.contains(id))
        };
        let done: Vec<&Message> = messages.iter().filter(carried_out).collect();
        let deleted = self.delete(&done).await;
        if deleted < messages.len() {
            self.waker.after(self.options.redelivery);
        }
    }

    /// How many of them were deleted.
    async fn delete(&self, messages: &[&Message]) -> usize {
        let entries: Vec<_> = messages
            .iter()
            .enumerate()
            .filter_map(|(place, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(place.to_string())
                    .set_receipt_handle(message.receipt_handle.clone())
                    .build()
                    .ok()
            })
            .collect();
        if entries.is_empty() {
            return 0;
        }
        let delete = self
            .sqs
            .delete_message_batch()
            .queue_url(&self.options.queue_url);
        match delete.set_entries(Some(entries)).send().await {
            Ok(deleted) => deleted.successful.len(),
            Err(error) => {
                let error = aws_sdk_sqs::error::DisplayErrorContext(&error).to_string();
                tracing::warn!(event = "port", call = "queue.delete", error, "port failed");
                0
            }
        }
    }
}

/// The message as Lambda hands it to a function.
fn record(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record.body.clone_from(&message.body);
    record.md5_of_body.clone_from(&message.md5_of_body);
    let attributes = message.attributes.iter().flatten();
    record.attributes = attributes
        .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
        .collect();
    record.event_source = Some("aws:sqs".to_owned());
    record
}

/// A name for the call, as Lambda's request id.
fn invocation() -> String {
    let entropy: &dyn Entropy = &OsEntropy;
    data_encoding::HEXLOWER.encode(&entropy.bytes::<16>())
}
