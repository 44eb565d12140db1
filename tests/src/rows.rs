//! Writes to the table what no port can write: garbage, rows of a newer build, many rows at once.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt, stream};
use ryla_aws::{Aws, row};
use ryla_domain::V;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use ryla_engine::port::Shard;
use ryla_testing::contract::jobs::Plant;
use std::collections::BTreeMap;

/// What one batch write takes.
const BATCH: usize = 25;

/// The table, without an adapter.
pub(crate) struct Table {
    client: Client,
    name: String,
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

impl Table {
    pub(crate) fn new(aws: &Aws, name: &str) -> Self {
        Self {
            client: aws.dynamodb().clone(),
            name: name.to_owned(),
        }
    }

    async fn put(&self, row: row::Row) {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row));
        put.send().await.unwrap();
    }

    /// A row of version `V + 1` that otherwise looks like this job and knows one thing more.
    pub(crate) async fn put_newer(&self, job: &Job) {
        let mut row = row::encode(job);
        row.insert("v".to_owned(), number(i64::from(V) + 1));
        row.insert("from_the_future".to_owned(), text("x"));
        self.put(row).await;
    }

    /// A row of this version that cannot be decoded, listed and due at that time.
    pub(crate) async fn put_garbage(&self, key: &JobKey, due_at: UnixMs) {
        let mut row = row::primary_key(key);
        row.extend([
            ("v".to_owned(), number(i64::from(V))),
            ("gpk".to_owned(), text(format!("ACCOUNT#{}", key.account))),
            (
                "gsk".to_owned(),
                text(format!("{:015}#{}", due_at.0, key.id)),
            ),
            ("phase".to_owned(), text("dancing")),
            (
                "due".to_owned(),
                text(format!("DUE#{:02}", Shard::of(key).number())),
            ),
            ("due_at".to_owned(), number(due_at.0)),
            ("due_tries".to_owned(), number(0)),
        ]);
        self.put(row).await;
    }

    /// A due entry whose partition key names no job.
    pub(crate) async fn put_nameless(&self, shard: Shard, raw_key: &str, due_at: UnixMs) {
        self.put(row::Row::from([
            ("pk".to_owned(), text(raw_key)),
            ("sk".to_owned(), text("JOB")),
            ("due".to_owned(), text(format!("DUE#{:02}", shard.number()))),
            ("due_at".to_owned(), number(due_at.0)),
        ]))
        .await;
    }

    /// Sets a text attribute of a row.
    pub(crate) async fn set_text(&self, key: &JobKey, name: &str, value: &str) {
        self.set(key, name, text(value)).await;
    }

    /// Sets a number of a row.
    pub(crate) async fn set_number(&self, key: &JobKey, name: &str, value: i64) {
        self.set(key, name, number(value)).await;
    }

    async fn set(&self, key: &JobKey, name: &str, value: AttributeValue) {
        self.client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(row::primary_key(key)))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    /// Removes a row.
    pub(crate) async fn remove(&self, key: &JobKey) {
        let delete = self.client.delete_item().table_name(&self.name);
        delete
            .set_key(Some(row::primary_key(key)))
            .send()
            .await
            .unwrap();
    }

    /// Everything that the table holds under a key, as text to compare.
    pub(crate) async fn raw(&self, key: &JobKey) -> Option<BTreeMap<String, String>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .consistent_read(true);
        let got = get
            .set_key(Some(row::primary_key(key)))
            .send()
            .await
            .unwrap();
        let text = |(name, value)| (name, format!("{value:?}"));
        got.item.map(|row| row.into_iter().map(text).collect())
    }

    /// Puts many rows as fast as the table takes them.
    pub(crate) async fn put_all(&self, jobs: impl Iterator<Item = Job>) {
        let puts: Vec<WriteRequest> = jobs
            .map(|job| {
                let put = PutRequest::builder()
                    .set_item(Some(row::encode(&job)))
                    .build()
                    .unwrap();
                WriteRequest::builder().put_request(put).build()
            })
            .collect();
        let batches = puts.chunks(BATCH).map(<[WriteRequest]>::to_vec);
        stream::iter(batches)
            .for_each_concurrent(4, async |batch| {
                let write = self
                    .client
                    .batch_write_item()
                    .request_items(&self.name, batch);
                let written = write.send().await.unwrap();
                assert!(
                    written
                        .unprocessed_items
                        .is_none_or(|items| items.is_empty())
                );
            })
            .await;
    }
}

#[async_trait]
impl Plant for Table {
    async fn newer(&self, job: &Job) {
        self.put_newer(job).await;
    }

    async fn newer_value(&self, job: &Job, name: &str) {
        let mut row = row::encode(job);
        row.insert(name.to_owned(), text("of_a_newer_build"));
        self.put(row).await;
    }

    async fn garbage(&self, key: &JobKey, due_at: UnixMs) {
        self.put_garbage(key, due_at).await;
    }

    async fn nameless(&self, shard: Shard, raw_key: &str, due_at: UnixMs) {
        self.put_nameless(shard, raw_key, due_at).await;
    }

    async fn extra(&self, key: &JobKey, name: &str, text: &str) {
        self.set_text(key, name, text).await;
    }

    async fn raw(&self, key: &JobKey) -> Option<BTreeMap<String, String>> {
        self.raw(key).await
    }
}
