//! The contract of every port, kept by the real adapters: the AWS SDK against the embedded DynamoDB, S3
//! and SQS, and the modal protocol against the preview GPU. No poll loop and no sweep runs beside them.

mod backend;
mod bucket;
mod callbacks;
mod queue;
mod table;

use ryla_local::{Embedded, EmbeddedOptions};

async fn embedded() -> Embedded {
    Embedded::start(EmbeddedOptions::default()).await.unwrap()
}
