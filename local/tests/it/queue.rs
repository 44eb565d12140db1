//! The poll loop on the embedded SQS: batches, delays, redelivery, dead letters, and sleep.

use crate::support::{eventually, in_time};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use ryla_domain::time::Ms;
use ryla_engine::port::Queue;
use ryla_local::poller::{Poller, PollerOptions};
use ryla_local::wake::{Waker, WakingQueue};
use ryla_local::{Embedded, EmbeddedOptions};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A loop that notes each delivery; the messages in `failing` fail every time.
struct Rig {
    embedded: Embedded,
    queue: WakingQueue,
    poller: Poller,
    deliveries: Arc<Mutex<Vec<(String, Instant)>>>,
    largest_batch: Arc<AtomicUsize>,
}

impl Rig {
    async fn start(failing: &'static [&'static str]) -> Self {
        let embedded = Embedded::start(EmbeddedOptions {
            redelivery: Ms::seconds(1),
            ..EmbeddedOptions::default()
        })
        .await
        .unwrap();
        let waker = Arc::new(Waker::default());
        let sqs = Arc::new(embedded.aws().queue(embedded.queue_url()));
        let queue = WakingQueue::new(sqs, Arc::clone(&waker));
        let deliveries: Arc<Mutex<Vec<(String, Instant)>>> = Arc::default();
        let largest_batch: Arc<AtomicUsize> = Arc::default();
        let options = PollerOptions {
            queue_url: embedded.queue_url(),
            concurrency: 2,
            time_limit: Duration::from_millis(500),
            redelivery: embedded.redelivery().duration(),
        };
        let (noted, largest) = (Arc::clone(&deliveries), Arc::clone(&largest_batch));
        let sqs = embedded.aws().sqs().clone();
        let poller = Poller::start(sqs, options, waker, move |_, event: SqsEvent| {
            let (noted, largest) = (Arc::clone(&noted), Arc::clone(&largest));
            async move {
                largest.fetch_max(event.records.len(), Ordering::SeqCst);
                let mut response = SqsBatchResponse::default();
                for record in event.records {
                    let body = record.body.unwrap();
                    noted.lock().unwrap().push((body.clone(), Instant::now()));
                    match body.as_str() {
                        "hang" => std::future::pending().await,
                        "panic" => panic!("as asked"),
                        body if failing.contains(&body) => {
                            let mut failure = BatchItemFailure::default();
                            failure.item_identifier = record.message_id.unwrap();
                            response.batch_item_failures.push(failure);
                        }
                        _ => {}
                    }
                }
                response
            }
        });
        Self {
            embedded,
            queue,
            poller,
            deliveries,
            largest_batch,
        }
    }

    fn delivered(&self, body: &str) -> Vec<Instant> {
        let deliveries = self.deliveries.lock().unwrap();
        let of_body = deliveries.iter().filter(|(delivered, _)| delivered == body);
        of_body.map(|(_, at)| *at).collect()
    }

    async fn stop(self) {
        self.poller.stop(Duration::from_secs(1)).await;
        self.embedded.stop().await;
    }
}

#[tokio::test]
async fn every_message_is_delivered_once_in_batches_of_at_most_ten() {
    let rig = Rig::start(&[]).await;
    for n in 0..200 {
        rig.queue.send(&n.to_string(), Ms(0)).await.unwrap();
    }
    in_time(eventually(|| async {
        (rig.embedded.queue_depth().await.unwrap().total() == 0).then_some(())
    }))
    .await;
    assert!((0..200).all(|n| rig.delivered(&n.to_string()).len() == 1));
    assert!(rig.largest_batch.load(Ordering::SeqCst) <= 10);
    rig.stop().await;
}

#[tokio::test]
async fn a_message_arrives_at_once_and_a_delayed_one_when_it_is_due() {
    let rig = Rig::start(&[]).await;
    sleep(Duration::from_millis(100)).await;
    let sent = Instant::now();
    rig.queue.send("later", Ms(2_000)).await.unwrap();
    rig.queue.send("now", Ms(0)).await.unwrap();
    eventually(|| async { (rig.delivered("later").len() == 1).then_some(()) }).await;
    let waited = rig.delivered("now")[0] - sent;
    assert!(waited < Duration::from_millis(80), "{waited:?}");
    let waited = rig.delivered("later")[0] - sent;
    assert!((1_900..2_400).contains(&waited.as_millis()), "{waited:?}");
    rig.stop().await;
}

#[tokio::test]
async fn an_idle_loop_does_not_ask() {
    let rig = Rig::start(&[]).await;
    rig.queue.send("one", Ms(0)).await.unwrap();
    eventually(|| async { (rig.delivered("one").len() == 1).then_some(()) }).await;
    sleep(Duration::from_millis(300)).await;
    let before = rig.poller.receives();
    assert!(before <= 4, "{before}");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.poller.receives(), before);
    rig.stop().await;
}

#[tokio::test]
async fn what_fails_comes_again_alone_and_after_five_times_goes_to_the_dead_letters() {
    let rig = Rig::start(&["bad"]).await;
    for body in ["good", "bad", "fine"] {
        rig.queue.send(body, Ms(0)).await.unwrap();
    }
    eventually(|| async {
        let dead = rig.embedded.dead_letters().await.unwrap();
        (dead.waiting == 1).then_some(())
    })
    .await;
    assert_eq!(rig.delivered("bad").len(), 5);
    assert_eq!(
        (rig.delivered("good").len(), rig.delivered("fine").len()),
        (1, 1)
    );
    assert_eq!(rig.embedded.queue_depth().await.unwrap().total(), 0);
    rig.stop().await;
}

#[tokio::test]
async fn a_batch_that_hangs_or_panics_does_not_stop_the_loop_and_comes_again() {
    let rig = Rig::start(&[]).await;
    for body in ["hang", "panic"] {
        rig.queue.send(body, Ms(0)).await.unwrap();
        eventually(|| async { (rig.delivered(body).len() == 2).then_some(()) }).await;
    }
    rig.queue.send("good", Ms(0)).await.unwrap();
    eventually(|| async { (rig.delivered("good").len() == 1).then_some(()) }).await;
    rig.stop().await;
}
