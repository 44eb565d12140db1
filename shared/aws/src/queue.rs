//! The dispatch queue on SQS. Receiving is not here: in AWS the Lambda service does it, on a laptop
//! the poll loop.

use crate::{Capacity, Operation};
use async_trait::async_trait;
use ryla_domain::time::Ms;
use ryla_engine::port::{MAX_DELAY, Queue, QueueError};
use std::sync::Arc;

/// The dispatch queue on SQS.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
    capacity: Arc<Capacity>,
}

impl SqsQueue {
    pub(crate) const fn new(
        client: aws_sdk_sqs::Client,
        url: String,
        capacity: Arc<Capacity>,
    ) -> Self {
        Self {
            client,
            url,
            capacity,
        }
    }
}

/// SQS counts in whole seconds: rounded up, since a message that comes early finds nothing to do.
fn delay_seconds(delay: Ms) -> i32 {
    i32::try_from(delay.min(MAX_DELAY).0.div_ceil(1000)).unwrap_or(0)
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, body: &str, delay: Ms) -> Result<(), QueueError> {
        self.capacity.request(Operation::Send);
        let message = self.client.send_message().queue_url(&self.url);
        message
            .message_body(body)
            .delay_seconds(delay_seconds(delay))
            .send()
            .await
            .map(drop)
            .map_err(|error| QueueError(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_rounded_up_and_cut_to_what_sqs_takes() {
        let seconds =
            [0, 1, 1_000, 1_001, 899_999, 900_000, u64::MAX].map(|ms| delay_seconds(Ms(ms)));
        assert_eq!(seconds, [0, 1, 1, 2, 900, 900, 900]);
    }
}
