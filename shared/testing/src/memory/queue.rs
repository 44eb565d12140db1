//! The dispatch queue in memory: visible by the clock that the test turns.

use super::lock;
use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Clock, MAX_DELAY, Queue, QueueError};
use std::sync::{Arc, Mutex};

/// A message as the queue keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number, in order of sending; acknowledges it.
    pub id: u64,
    /// What was sent.
    pub body: String,
    /// When it can be received, or received again.
    pub visible_at: UnixMs,
    /// How often it was received.
    pub receives: u32,
}

/// A queue in memory. A received message is hidden for [`MemoryQueue::VISIBILITY`] and comes back
/// unless it is acknowledged.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    messages: Mutex<Vec<Message>>,
    sent: Mutex<Vec<Message>>,
}

impl MemoryQueue {
    /// For how long a received message is hidden.
    pub const VISIBILITY: Ms = Ms::seconds(180);

    /// An empty queue whose delays count on this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            messages: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    /// The visible messages, at most that many, oldest first; each is hidden from now on.
    pub fn receive(&self, at_most: usize) -> Vec<Message> {
        let now = self.clock.now();
        let mut messages = lock(&self.messages);
        messages.sort_by_key(|message| (message.visible_at, message.id));
        messages
            .iter_mut()
            .filter(|message| message.visible_at <= now)
            .take(at_most)
            .map(|message| {
                message.receives += 1;
                message.visible_at = now + Self::VISIBILITY;
                message.clone()
            })
            .collect()
    }

    /// Removes a message for good.
    pub fn ack(&self, message: &Message) {
        lock(&self.messages).retain(|kept| kept.id != message.id);
    }

    /// Makes a received message visible again after `delay`.
    pub fn retry(&self, message: &Message, delay: Ms) {
        let visible_at = self.clock.now() + delay;
        for kept in lock(&self.messages).iter_mut() {
            if kept.id == message.id {
                kept.visible_at = visible_at;
            }
        }
    }

    /// Loses every message that has not been acknowledged, as a queue may.
    pub fn lose_all(&self) -> usize {
        std::mem::take(&mut *lock(&self.messages)).len()
    }

    /// The messages that have not been acknowledged, hidden ones as well.
    pub fn waiting(&self) -> Vec<Message> {
        lock(&self.messages).clone()
    }

    /// Everything that was ever sent, as it was sent.
    pub fn sent(&self) -> Vec<Message> {
        lock(&self.sent).clone()
    }

    /// When the next message becomes visible; `None` where the queue is empty.
    pub fn next_visible_at(&self) -> Option<UnixMs> {
        lock(&self.messages).iter().map(|m| m.visible_at).min()
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError> {
        let mut sent = lock(&self.sent);
        let message = Message {
            id: sent.len() as u64,
            body: body.to_owned(),
            visible_at: self.clock.now() + delay.min(MAX_DELAY),
            receives: 0,
        };
        sent.push(message.clone());
        lock(&self.messages).push(message);
        Ok(())
    }
}

#[async_trait]
impl crate::contract::queue::Inbox for MemoryQueue {
    async fn take(&self) -> Vec<String> {
        let received = self.receive(10);
        for message in &received {
            self.ack(message);
        }
        received.into_iter().map(|message| message.body).collect()
    }

    async fn pass(&self, length: Ms) {
        self.clock.sleep(length).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, contract};

    fn queue() -> (Arc<ManualClock>, MemoryQueue) {
        let clock = Arc::new(ManualClock::at(UnixMs(0)));
        (Arc::clone(&clock), MemoryQueue::new(clock))
    }

    #[tokio::test]
    async fn the_memory_queue_keeps_the_contract() {
        let (_, queue) = queue();
        contract::queue::all(&queue, &queue).await;
    }

    #[tokio::test]
    async fn a_message_that_is_not_acknowledged_comes_back() {
        let (clock, queue) = queue();
        queue.send("a", Ms(0)).await.unwrap();
        assert_eq!(queue.receive(10).len(), 1);
        assert_eq!(queue.receive(10), []);
        clock.advance(MemoryQueue::VISIBILITY);
        let again = queue.receive(10);
        assert_eq!(again[0].receives, 2);
        queue.ack(&again[0]);
        assert_eq!(queue.waiting(), []);
        assert_eq!(queue.sent().len(), 1);
    }

    #[tokio::test]
    async fn no_delay_is_longer_than_the_real_queue_takes() {
        let (clock, queue) = queue();
        queue.send("a", Ms::seconds(3_600)).await.unwrap();
        assert_eq!(queue.next_visible_at(), Some(clock.now() + MAX_DELAY));
    }
}
