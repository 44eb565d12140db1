//! Wakes the poll loop: at once for a message that was sent, and at the time at which a delayed or
//! returned one becomes visible, so that an idle laptop does not poll.

use async_trait::async_trait;
use ryla_domain::time::Ms;
use ryla_engine::port::{MAX_DELAY, Queue, QueueError};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Without any news the loop looks this often (SQS's own long poll): the wall clock, by which the
/// emulator judges, may have been set back.
const LOOK_ANYWAY: Duration = Duration::from_secs(20);

/// A message is visible from its millisecond on; ours and the emulator's clock are not the same.
const GRACE: Duration = Duration::from_millis(5);

/// When the poll loop has something to look for.
#[derive(Debug, Default)]
pub struct Waker {
    due: Mutex<BinaryHeap<Reverse<Instant>>>,
    news: Notify,
}

impl Waker {
    /// There will be a message after that time.
    pub fn after(&self, delay: Duration) {
        let grace = if delay.is_zero() {
            Duration::ZERO
        } else {
            GRACE
        };
        self.due().push(Reverse(Instant::now() + delay + grace));
        self.news.notify_one();
    }

    /// Returns when there is something to look for.
    pub(crate) async fn due_now(&self) {
        let anyway = Instant::now() + LOOK_ANYWAY;
        loop {
            let news = self.news.notified();
            let next = self.due().peek().map_or(anyway, |next| next.0.min(anyway));
            if next > Instant::now() {
                tokio::select! {
                    () = news => continue,
                    () = sleep_until(next) => {}
                }
            }
            let mut due = self.due();
            let now = Instant::now();
            while due.peek().is_some_and(|next| next.0 <= now) {
                due.pop();
            }
            return;
        }
    }

    fn due(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Instant>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A queue that wakes the poll loop with each message.
#[derive(Clone)]
pub struct WakingQueue {
    inner: Arc<dyn Queue>,
    waker: Arc<Waker>,
}

impl WakingQueue {
    /// Sends through `inner` and wakes `waker`.
    pub fn new(inner: Arc<dyn Queue>, waker: Arc<Waker>) -> Self {
        Self { inner, waker }
    }
}

#[async_trait]
impl Queue for WakingQueue {
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError> {
        let sent = self.inner.send(body, delay).await;
        // Also where it failed: the message may have arrived all the same. SQS counts whole seconds.
        let seconds = delay.min(MAX_DELAY).0.div_ceil(1000);
        self.waker.after(Duration::from_secs(seconds));
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_loop_sleeps_until_the_earliest_message_and_not_a_moment_longer() {
        let waker = Waker::default();
        let begun = Instant::now();
        waker.after(Duration::from_secs(3));
        waker.after(Duration::from_secs(1));
        waker.after(Duration::from_secs(1));
        waker.due_now().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1) + GRACE);
        waker.due_now().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(3) + GRACE);
        waker.due_now().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(23) + GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_sent_while_the_loop_sleeps_wakes_it() {
        let waker = Arc::new(Waker::default());
        waker.after(Duration::from_secs(15));
        let sleeper = tokio::spawn({
            let waker = Arc::clone(&waker);
            async move { waker.due_now().await }
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        let begun = Instant::now();
        waker.after(Duration::ZERO);
        sleeper.await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
