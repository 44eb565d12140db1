//! Jobs and accounts on the embedded DynamoDB.

use super::embedded;
use crate::rows::Table;
use async_trait::async_trait;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use ryla_engine::port::Shard;
use ryla_testing::contract;
use ryla_testing::contract::jobs::Plant;
use std::collections::BTreeMap;

#[async_trait]
impl Plant for Table {
    async fn newer(&self, job: &Job) {
        self.put_newer(job).await;
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

#[tokio::test]
async fn the_table_of_jobs_keeps_its_contract() {
    let embedded = embedded().await;
    let store = embedded.aws().jobs(embedded.table());
    contract::jobs::all(&store).await;
    embedded.stop().await;
}

#[tokio::test]
async fn the_table_leaves_rows_alone_that_this_build_cannot_read() {
    let embedded = embedded().await;
    let store = embedded.aws().jobs(embedded.table());
    let table = Table::new(embedded.aws(), embedded.table());
    contract::jobs::planted(&store, &table).await;
    drop(table);
    embedded.stop().await;
}

#[tokio::test]
async fn the_table_of_accounts_keeps_its_contract() {
    let embedded = embedded().await;
    contract::accounts::all(&embedded.aws().accounts(embedded.table())).await;
    embedded.stop().await;
}
