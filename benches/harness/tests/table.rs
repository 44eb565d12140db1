//! The stub of DynamoDB keeps the contract of the table of jobs, condition by condition, as the embedded
//! DynamoDB does: both sides of a comparison meet a table that judges what they write.

use ryla_aws::{Aws, Endpoint, Endpoints};
use ryla_bench::dynamodb::DynamoDb;
use ryla_bench::world::tables;
use ryla_testing::contract;

/// Plants in the table what only other builds, or accidents, write.
#[cfg(test)]
#[allow(dead_code, reason = "tests/src uses the rest of it")]
#[path = "../../../tests/src/rows.rs"]
mod rows;

#[tokio::test]
async fn the_stub_keeps_the_contract_of_the_real_table() {
    let dynamodb = DynamoDb::start(tables()).await.unwrap();
    let endpoint = Endpoint::at(dynamodb.url());
    let aws = Aws::at(&Endpoints {
        region: "us-east-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "secret".to_owned(),
        dynamodb: endpoint.clone(),
        s3: endpoint.clone(),
        sqs: endpoint,
    });
    contract::jobs::all(&aws.jobs("ryla"), &rows::Table::new(&aws, "ryla")).await;
    contract::accounts::all(&aws.accounts("ryla")).await;
    assert!(dynamodb.usage().total().requests > 100);
}
