//! The embedded SQS: the dispatch queue and its dead-letter queue, in memory, without a socket. Its
//! long poll looks only every 100 ms, so nobody here uses it: the poll loop is woken instead.

use super::REGION;
use anyhow::Context;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use ryla_domain::time::Ms;
use std::fmt;
use winterbaume_core::MockAws;
use winterbaume_sqs::SqsService;

/// The dispatch queue.
pub(super) const NAME: &str = "ryla-dispatch";
/// Where a message goes that was received too often.
pub(super) const DEAD_LETTERS: &str = "ryla-dispatch-dead";

/// The account that the emulator plays.
const ACCOUNT: &str = "123456789012";

/// Deliveries of a message before it goes to the dead letters, as in template.yaml.
const MAX_RECEIVE_COUNT: u32 = 5;

/// How many messages a queue holds. The emulator counts a message nowhere in the moment between its
/// becoming visible again and its next delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Can be received now.
    pub waiting: u64,
    /// Will be, after a delay.
    pub delayed: u64,
    /// Were received and neither deleted nor given back yet.
    pub in_flight: u64,
}

impl Depth {
    /// All of them.
    pub const fn total(self) -> u64 {
        self.waiting + self.delayed + self.in_flight
    }
}

/// The emulator.
pub(super) struct Queues(MockAws);

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues(..)")
    }
}

impl Queues {
    pub(super) fn new() -> Self {
        let service = SqsService::new();
        Self(
            MockAws::builder()
                .account_id(ACCOUNT)
                .with_service(service)
                .build(),
        )
    }

    /// What the SDK takes for the network.
    pub(super) fn http_client(&self) -> SharedHttpClient {
        self.0.http_client()
    }
}

/// The URL of a queue.
pub(super) fn url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

/// Makes both queues.
pub(super) async fn create(sqs: &aws_sdk_sqs::Client, redelivery: Ms) -> anyhow::Result<()> {
    sqs.create_queue()
        .queue_name(DEAD_LETTERS)
        .send()
        .await
        .context("making the dead-letter queue")?;
    let redrive = serde_json::json!({
        "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTERS}"),
        "maxReceiveCount": MAX_RECEIVE_COUNT,
    });
    let visibility_s = redelivery.0.div_ceil(1000).max(1);
    sqs.create_queue()
        .queue_name(NAME)
        .attributes(
            QueueAttributeName::VisibilityTimeout,
            visibility_s.to_string(),
        )
        .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
        .send()
        .await
        .context("making the dispatch queue")?;
    Ok(())
}

/// What a queue holds.
pub(super) async fn depth(sqs: &aws_sdk_sqs::Client, name: &str) -> anyhow::Result<Depth> {
    let reply = sqs
        .get_queue_attributes()
        .queue_url(url(name))
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .context("asking for the queue's depth")?;
    let number = |name: QueueAttributeName| {
        let attributes = reply.attributes.as_ref()?;
        attributes.get(&name)?.parse().ok()
    };
    let all = |name| number(name).unwrap_or_default();
    Ok(Depth {
        waiting: all(QueueAttributeName::ApproximateNumberOfMessages),
        delayed: all(QueueAttributeName::ApproximateNumberOfMessagesDelayed),
        in_flight: all(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
    })
}
