//! What every [`Queue`] does.

use super::fresh;
use async_trait::async_trait;
use ryla_domain::time::Ms;
use ryla_engine::port::{MAX_DELAY, Queue};

/// The far end of a queue, as a test holds it.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Receives and acknowledges what is visible now; may be a part of it, but not always nothing.
    async fn take(&self) -> Vec<String>;
    /// Lets that length of time pass for the queue.
    async fn pass(&self, length: Ms);
}

/// The whole contract.
pub async fn all(queue: &dyn Queue, inbox: &dyn Inbox) {
    a_message_arrives_as_it_was_sent(queue, inbox).await;
    a_delayed_message_is_not_seen_before_its_time(queue, inbox).await;
    a_delay_beyond_the_limit_is_cut_and_not_refused(queue, inbox).await;
}

/// Looks until the message has come, for at most 3 s; others are taken on the way.
async fn arrives(inbox: &dyn Inbox, body: &str) -> bool {
    for _ in 0..30 {
        if inbox.take().await.iter().any(|taken| taken == body) {
            return true;
        }
        inbox.pass(Ms(100)).await;
    }
    false
}

/// Bodies are JSON with any text in it.
pub async fn a_message_arrives_as_it_was_sent(queue: &dyn Queue, inbox: &dyn Inbox) {
    let body = format!(
        r#"{{"run":"{}","text":"größer \"🦀\" <&>"}}"#,
        fresh("plain")
    );
    queue.send(&body, Ms(0)).await.unwrap();
    assert!(
        arrives(inbox, &body).await,
        "a message without delay arrives unchanged"
    );
}

/// A part of a second counts as a whole one.
pub async fn a_delayed_message_is_not_seen_before_its_time(queue: &dyn Queue, inbox: &dyn Inbox) {
    let body = fresh("delayed");
    queue.send(&body, Ms(1_500)).await.unwrap();
    let early = inbox.take().await;
    assert!(
        !early.contains(&body),
        "a message with a delay of 1.5 s is not there at once"
    );
    inbox.pass(Ms(1_100)).await;
    let early = inbox.take().await;
    assert!(
        !early.contains(&body),
        "a message with a delay of 1.5 s is not there after 1.1 s"
    );
    inbox.pass(Ms(900)).await;
    assert!(
        arrives(inbox, &body).await,
        "a message with a delay of 1.5 s arrives"
    );
}

/// Its receiver looks at the row and waits again.
pub async fn a_delay_beyond_the_limit_is_cut_and_not_refused(queue: &dyn Queue, inbox: &dyn Inbox) {
    let body = fresh("late");
    queue.send(&body, Ms(MAX_DELAY.0 * 10)).await.unwrap();
    let early = inbox.take().await;
    assert!(
        !early.contains(&body),
        "a message with the longest delay is not there at once"
    );
}
