//! Jobs, accounts and endpoints on the embedded DynamoDB.

use super::embedded;
use crate::rows::Table;
use ryla_testing::contract;

#[tokio::test]
async fn the_table_of_jobs_keeps_its_contract() {
    let embedded = embedded().await;
    let store = embedded.aws().jobs(embedded.table());
    let table = Table::new(embedded.aws(), embedded.table());
    contract::jobs::all(&store, &table).await;
    drop(table);
    embedded.stop().await;
}

#[tokio::test]
async fn the_table_of_accounts_keeps_its_contract() {
    let embedded = embedded().await;
    contract::accounts::all(&embedded.aws().accounts(embedded.table())).await;
    embedded.stop().await;
}

#[tokio::test]
async fn the_table_of_endpoints_keeps_its_contract() {
    let embedded = embedded().await;
    contract::endpoints::all(&embedded.aws().endpoints(embedded.table())).await;
    embedded.stop().await;
}
