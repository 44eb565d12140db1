//! AWS on a laptop: DynamoDB, S3 and SQS inside this process, spoken to by the real SDK clients over
//! loopback (SQS without a socket). Rows and objects outlive the process where a folder is given;
//! messages never do, which is why the first sweep after a start looks at every open job.

mod bucket;
mod key_locks;
mod objects;
mod queue;
mod table;

pub use queue::Depth;

use anyhow::Context;
use ryla_aws::{Aws, Endpoint, Endpoints};
use ryla_domain::time::Ms;
use ryla_engine::port::Entropy;
use ryla_engine::system::OsEntropy;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The region that the embedded services claim to be in.
pub const REGION: &str = "us-east-1";

/// What the embedded services are called and where they keep their data.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder of rows and objects; `None` keeps rows in memory and objects in a temporary folder.
    pub folder: Option<PathBuf>,
    /// Name of the table.
    pub table: String,
    /// Name of the bucket.
    pub bucket: String,
    /// How long a received message stays invisible: after it, what was not deleted comes again.
    pub redelivery: Ms,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            folder: None,
            table: "ryla".to_owned(),
            bucket: "ryla".to_owned(),
            redelivery: Ms::seconds(10),
        }
    }
}

/// The embedded services and their clients.
#[derive(Debug)]
pub struct Embedded {
    aws: Aws,
    table: table::Table,
    bucket: bucket::Bucket,
    queue: queue::Queues,
    options: EmbeddedOptions,
    /// Access key id and secret of the bucket.
    keys: (String, SecretString),
    /// Removed with the stack.
    _scratch: Option<TempDir>,
}

impl Embedded {
    /// Starts the services and makes table, bucket and queues where they do not exist yet.
    pub async fn start(options: EmbeddedOptions) -> anyhow::Result<Self> {
        let (root, scratch) = if let Some(folder) = &options.folder {
            (folder.join("s3"), None)
        } else {
            let scratch = tempfile::tempdir().context("making a temporary folder")?;
            (scratch.path().to_owned(), Some(scratch))
        };
        let (access_key_id, secret_access_key) = keys();
        let table = table::Table::start(database(options.folder.as_deref()).as_deref()).await?;
        let bucket =
            bucket::Bucket::start(&root, &options.bucket, &access_key_id, &secret_access_key)
                .await?;
        let queue = queue::Queues::new();
        let keys = (access_key_id.clone(), secret_access_key.clone().into());
        let aws = Aws::at(&Endpoints {
            region: REGION.to_owned(),
            access_key_id,
            secret_access_key,
            dynamodb: Endpoint::at(table.url()),
            s3: Endpoint::at(bucket.url()),
            sqs: Endpoint::in_process(queue.http_client()),
        });
        let (made, queued) = tokio::join!(
            ryla_aws::schema::create_table(aws.dynamodb(), &options.table),
            queue::create(aws.sqs(), options.redelivery)
        );
        made.context("making the table")?;
        queued?;
        Ok(Self {
            aws,
            table,
            bucket,
            queue,
            options,
            keys,
            _scratch: scratch,
        })
    }

    /// The SDK clients and the meter of what they use.
    pub const fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Name of the table.
    pub fn table(&self) -> &str {
        &self.options.table
    }

    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.options.bucket
    }

    /// URL of the dispatch queue.
    pub fn queue_url(&self) -> String {
        queue::url(queue::NAME)
    }

    /// URL of the queue of messages that nobody could carry out.
    pub fn dead_letter_url(&self) -> String {
        queue::url(queue::DEAD_LETTERS)
    }

    /// After how long a message that was not deleted comes again.
    pub const fn redelivery(&self) -> Ms {
        self.options.redelivery
    }

    /// The variables with which a function in another process finds table and bucket; the queue has no
    /// socket. Secret: who has them can read every row.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let (id, secret) = &self.keys;
        vec![
            ("AWS_ACCESS_KEY_ID", id.clone()),
            ("AWS_SECRET_ACCESS_KEY", secret.expose_secret().to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.table.url().to_owned()),
            ("AWS_ENDPOINT_URL_S3", self.bucket.url()),
            ("TABLE_NAME", self.table().to_owned()),
            ("BUCKET_NAME", self.bucket().to_owned()),
            ("QUEUE_URL", self.queue_url()),
        ]
    }

    /// How many messages wait, are delayed, or are being handled.
    pub async fn queue_depth(&self) -> anyhow::Result<Depth> {
        queue::depth(self.aws.sqs(), queue::NAME).await
    }

    /// How many messages nobody could carry out.
    pub async fn dead_letters(&self) -> anyhow::Result<Depth> {
        queue::depth(self.aws.sqs(), queue::DEAD_LETTERS).await
    }

    /// Removes rows whose `expires_at` has passed, as DynamoDB does by itself; returns how many.
    pub async fn sweep_expired(&self) -> anyhow::Result<usize> {
        self.table.sweep_expired().await
    }

    /// Stops the services; requests that are being answered end first.
    pub async fn stop(self) {
        // Idle connections of the clients would hold the servers open.
        drop(self.aws);
        drop(self.queue);
        tokio::join!(self.bucket.stop(), self.table.stop());
    }
}

/// Where the table's file lies.
fn database(folder: Option<&Path>) -> Option<PathBuf> {
    folder.map(|folder| folder.join("dynamodb.sqlite"))
}

/// A new key pair for each start: the bucket listens on loopback, where other users of the machine
/// could reach it.
fn keys() -> (String, String) {
    let entropy: &dyn Entropy = &OsEntropy;
    let hex = |bytes: &[u8]| data_encoding::HEXUPPER.encode(bytes);
    (
        format!("AKIA{}", hex(&entropy.bytes::<8>())),
        hex(&entropy.bytes::<20>()),
    )
}
