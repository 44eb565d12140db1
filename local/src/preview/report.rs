//! A run's callbacks: signed with the run's own key, delivered one after the other in the order of
//! their numbers. The last one, and the question for a new URL, are tried for five minutes; the others
//! once.

use super::fate::Fate;
use super::ledger::Task;
use reqwest::StatusCode;
use ryla_backends::modal::wire::{
    Callback, CallbackRefusal, CallbackReply, Event, RunResult, SIGNATURE_HEADER, Stage,
    TRACE_HEADER, decode,
};
use ryla_domain::V;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use ryla_engine::signature;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How long one delivery may take.
const POST_LIMIT: Duration = Duration::from_secs(10);

/// For how long an event that the run depends on is tried again.
const RETRY_FOR: Duration = Duration::from_mins(5);

/// The first pause before another try; each next one is twice as long.
const FIRST_PAUSE: Ms = Ms(500);

/// What a report says besides what happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) progress: Option<u8>,
    pub(super) phase: Option<Stage>,
    pub(super) renew: bool,
    pub(super) result: RunResult,
}

struct Outgoing {
    callback: Callback,
    reply: Option<oneshot::Sender<CallbackReply>>,
}

/// Takes a run's events; [`Delivery::run`] carries them out.
pub(super) struct Reporter {
    task: Arc<Task>,
    seq: u64,
    queue: mpsc::UnboundedSender<Outgoing>,
}

/// Delivers what a reporter takes, until its last event.
pub(super) struct Delivery {
    task: Arc<Task>,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    fate: Fate,
    /// How far the server's clock is ahead of ours, in seconds.
    offset_s: i64,
    queue: mpsc::UnboundedReceiver<Outgoing>,
}

enum Delivered {
    Accepted(Option<CallbackReply>),
    Stale(i64),
    Again,
    Refused,
}

impl Reporter {
    pub(super) fn new(
        task: Arc<Task>,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
        fate: Fate,
    ) -> (Self, Delivery) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let delivery = Delivery {
            task: Arc::clone(&task),
            http,
            clock,
            fate,
            offset_s: 0,
            queue: receiver,
        };
        let reporter = Self {
            task,
            seq: 0,
            queue: sender,
        };
        (reporter, delivery)
    }

    /// Puts an event in line.
    pub(super) fn tell(&mut self, event: Event, note: Note) {
        let callback = self.callback(event, note);
        let reply = None;
        // Fails only where the delivery was cut off, and then nobody listens.
        let _ = self.queue.send(Outgoing { callback, reply });
    }

    /// Asks for new upload permissions; `None` where none came back.
    pub(super) async fn renew(&mut self) -> Option<CallbackReply> {
        let note = Note {
            phase: Some(Stage::Upload),
            renew: true,
            ..Note::default()
        };
        let callback = self.callback(Event::Progress, note);
        let (sender, reply) = oneshot::channel();
        let reply_to = Some(sender);
        let _ = self.queue.send(Outgoing {
            callback,
            reply: reply_to,
        });
        reply.await.ok()
    }

    fn callback(&mut self, event: Event, note: Note) -> Callback {
        self.seq += 1;
        Callback {
            v: V,
            event_id: format!("{}-{}", self.task.call, self.seq),
            seq: self.seq,
            event,
            call_id: Some(self.task.call.clone()),
            progress: note.progress,
            phase: note.phase,
            renew: note.renew,
            outputs: note.result.outputs,
            error: note.result.error,
            timings: note.result.timings,
            gpu: note.result.gpu,
        }
    }
}

impl Delivery {
    /// Delivers until the last event of the run was delivered or given up.
    pub(super) async fn run(mut self) {
        while let Some(outgoing) = self.queue.recv().await {
            let last = outgoing.callback.event.is_last();
            let reply = self.deliver(&outgoing.callback).await;
            if let (Some(reply_to), Some(reply)) = (outgoing.reply, reply) {
                let _ = reply_to.send(reply);
            }
            if last {
                return;
            }
        }
    }

    async fn deliver(&mut self, callback: &Callback) -> Option<CallbackReply> {
        if self.fate.loses(&self.task.submit.run, callback.seq) {
            return None;
        }
        let body = serde_json::to_vec(callback).ok()?;
        let begun = Instant::now();
        let mut retry = 0;
        let mut signed_again = false;
        loop {
            match self.post(&body).await {
                Delivered::Accepted(reply) => {
                    if reply.as_ref().is_some_and(|reply| !reply.go_on) {
                        self.task.stop.cancel();
                    }
                    return reply;
                }
                Delivered::Refused => return None,
                Delivered::Stale(server_time) if !signed_again => {
                    signed_again = true;
                    self.offset_s = server_time - self.clock.now().seconds();
                    continue;
                }
                Delivered::Stale(_) | Delivered::Again => {}
            }
            let pause = self.pause(retry);
            let needed = callback.event.is_last() || callback.renew;
            if !needed || begun.elapsed() + pause > RETRY_FOR {
                return None;
            }
            tokio::time::sleep(pause).await;
            retry += 1;
        }
    }

    /// 0.5 x 2^n s, a quarter more or less so that many workers do not come back at once.
    fn pause(&self, retry: u32) -> Duration {
        let spread = 0.75 + 0.5 * self.fate.jitter(&self.task.submit.run, retry);
        FIRST_PAUSE
            .doubled(retry.min(16))
            .duration()
            .mul_f64(spread)
    }

    async fn post(&self, body: &[u8]) -> Delivered {
        let submit = &self.task.submit;
        let now = UnixMs::from_seconds(self.clock.now().seconds() + self.offset_s);
        let key = SecretString::from(submit.callback.key.expose().as_str());
        let sent = self
            .http
            .post(&submit.callback.url)
            .header(SIGNATURE_HEADER, signature::sign(&key, body, now))
            .header(TRACE_HEADER, &submit.traceparent)
            .header("content-type", "application/json")
            .timeout(POST_LIMIT)
            .body(body.to_vec())
            .send()
            .await;
        let Ok(response) = sent else {
            return Delivered::Again;
        };
        let status = response.status();
        let Ok(answer) = response.bytes().await else {
            return Delivered::Again;
        };
        match status {
            StatusCode::OK => Delivered::Accepted(decode(&answer).ok()),
            StatusCode::UNAUTHORIZED => {
                CallbackRefusal::stale_by(&answer).map_or(Delivered::Refused, Delivered::Stale)
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Delivered::Again,
            status if status.is_server_error() => Delivered::Again,
            _ => Delivered::Refused,
        }
    }
}
