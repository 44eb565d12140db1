//! The ports on AWS: `DynamoDB` for rows, S3 for pictures and long inputs, SQS for hints. Knows the
//! names of tables' attributes and of SDK errors; decides nothing about jobs.

pub mod row;
pub mod schema;

mod accounts;
mod capacity;
mod client;
mod endpoints;
mod environment;
mod error;
mod expression;
mod fences;
mod images;
mod jobs;
mod ports;
mod queue;
mod roots;

pub use accounts::DynamoAccountStore;
pub use capacity::{Capacity, Operation, Usage};
pub use client::{Addressing, Aws, Endpoint, Endpoints, WarmUp};
pub use endpoints::DynamoEndpointStore;
pub use images::S3ImageStore;
pub use jobs::DynamoJobStore;
pub use queue::SqsQueue;
