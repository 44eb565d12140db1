//! The dispatch queue. A message is a hint to look at a row: it may be lost, doubled, late or out of
//! order, and no state lives in it.

use async_trait::async_trait;
use ryla_domain::time::Ms;

/// The longest delay that a queue takes (SQS: 15 minutes).
pub const MAX_DELAY: Ms = Ms::seconds(900);

/// A message could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message")]
pub struct QueueError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Sends messages to the dispatcher.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends one message that becomes visible after `delay`, cut to [`MAX_DELAY`].
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError>;
}
