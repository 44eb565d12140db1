//! What the benches share: a GPU that answers at once, stubs of DynamoDB, S3 and SQS, an emulator of
//! the Lambda Runtime API, and the load. Measures; decides nothing about jobs and is never deployed.

pub mod compare;
pub mod dynamodb;
pub mod fleet;
pub mod gateway;
pub mod gpu;
pub mod load;
pub mod picture;
pub mod report;
pub mod runtime;
pub mod s3;
pub mod serve;
pub mod sqs;
pub mod stats;
pub mod usage;
pub mod world;
