//! API keys and their accounts, in the table of jobs.

use crate::error::TableFault;
use crate::row::{self, Row};
use crate::{Capacity, Operation};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use ryla_domain::V;
use ryla_engine::port::{Account, AccountStore, KeyHash, StoreError};
use std::sync::Arc;

/// API keys and their accounts on `DynamoDB`.
#[derive(Clone, Debug)]
pub struct DynamoAccountStore {
    client: Client,
    table: String,
    capacity: Arc<Capacity>,
}

impl DynamoAccountStore {
    pub(crate) const fn new(client: Client, table: String, capacity: Arc<Capacity>) -> Self {
        Self {
            client,
            table,
            capacity,
        }
    }
}

fn primary_key(key: &str) -> Row {
    Row::from([
        ("pk".to_owned(), AttributeValue::S(format!("KEY#{key}"))),
        ("sk".to_owned(), AttributeValue::S("KEY".to_owned())),
    ])
}

/// A read of a key that nobody has: opens the connection while a function starts.
pub(crate) async fn greet(client: &Client, table: &str) -> Result<(), StoreError> {
    let get = client.get_item().table_name(table);
    let get = get.set_key(Some(primary_key("warm-up"))).send().await;
    get.map(drop).map_err(|error| TableFault::of(error).into())
}

#[async_trait]
impl AccountStore for DynamoAccountStore {
    async fn holder(&self, key: &KeyHash) -> Result<Option<Account>, StoreError> {
        self.capacity.request(Operation::Holder);
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(&key.to_string())))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(TableFault::of)?;
        self.capacity
            .took(Operation::Holder, got.consumed_capacity());
        let Some(row) = got.item() else {
            return Ok(None);
        };
        row::check_version(row)?;
        let id = row
            .get("account")
            .and_then(|id| id.as_s().ok()?.parse().ok());
        let id = id.ok_or_else(|| StoreError::Corrupt("account".to_owned()))?;
        Ok(Some(Account { id }))
    }

    async fn add_key(&self, key: &KeyHash, account: &Account) -> Result<(), StoreError> {
        self.capacity.request(Operation::AddKey);
        let mut row = primary_key(&key.to_string());
        row.insert("v".to_owned(), row::number(V));
        row.insert(
            "account".to_owned(),
            AttributeValue::S(account.id.to_string()),
        );
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(done) => {
                self.capacity
                    .took(Operation::AddKey, done.consumed_capacity());
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(TableFault::of(error).into()),
            },
        }
    }
}
