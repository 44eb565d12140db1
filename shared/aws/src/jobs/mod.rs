//! The table of jobs on `DynamoDB`. One request for each method, except that `list` reads on where
//! rows of a page have expired or cannot be decoded.

use crate::error::TableFault;
use crate::expression::Expression;
use crate::fences::Fences;
use crate::row::{self, Row};
use crate::{Capacity, Operation};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use ryla_domain::id::{AccountId, JobKey};
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use ryla_engine::expect::Expect;
use ryla_engine::port::{
    Consistency, Created, DueEntry, DueMove, DuePage, JobPage, JobStore, ListRange, Shard,
    StoreError, Write, Written,
};
use std::sync::Arc;

mod due;
mod list;

/// The table of jobs on `DynamoDB`.
#[derive(Clone, Debug)]
pub struct DynamoJobStore {
    client: Client,
    table: String,
    capacity: Arc<Capacity>,
    fences: Fences,
}

impl DynamoJobStore {
    pub(crate) const fn new(client: Client, table: String, capacity: Arc<Capacity>) -> Self {
        Self {
            client,
            table,
            capacity,
            fences: Fences::ALL,
        }
    }

    /// The same table, but it forgets that fence.
    #[cfg(feature = "removable-fences")]
    #[must_use]
    pub fn without(self, guard: Option<ryla_engine::expect::Guard>) -> Self {
        Self {
            fences: Fences::without(guard),
            ..self
        }
    }
}

const fn operation(write: &Write<'_>) -> Operation {
    match write {
        Write::Claim(..) => Operation::Claim,
        Write::Start(..) => Operation::Start,
        Write::Beat(..) => Operation::Beat,
        Write::Replace { .. } => Operation::Replace,
    }
}

/// The whole row that refused a write: absent where there is none.
fn refused(row: Option<&Row>) -> Result<Option<Box<Job>>, StoreError> {
    let row = row.filter(|row| !row.is_empty());
    row.map(|row| row::decode(row).map(Box::new)).transpose()
}

#[async_trait]
impl JobStore for DynamoJobStore {
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError> {
        self.capacity.request(Operation::Create);
        let mut expression = Expression::on(self.fences);
        let condition = expression.condition(&Expect::absent(now));
        let (names, values) = expression.placeholders();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row::encode(job)))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(done) => {
                self.capacity
                    .took(Operation::Create, done.consumed_capacity());
                Ok(Created::New)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    // A row that is gone by now would have let the put pass.
                    let there = failed.item().ok_or_else(no_old_row)?;
                    row::decode(there).map(|job| Created::Exists(Box::new(job)))
                }
                _ => Err(TableFault::of(error).into()),
            },
        }
    }

    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        consistency: Consistency,
    ) -> Result<Option<Job>, StoreError> {
        self.capacity.request(Operation::Read);
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(row::primary_key(key)))
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(TableFault::of)?;
        self.capacity.took(Operation::Read, got.consumed_capacity());
        let row = got.item().filter(|row| !row::expired(row, now));
        row.map(row::decode).transpose()
    }

    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError> {
        let operation = operation(&write);
        self.capacity.request(operation);
        let mut expression = Expression::on(self.fences);
        let condition = expression.condition(&write.expect());
        let update = Some(expression.update(&write)).filter(|update| !update.is_empty());
        let (names, values) = expression.placeholders();
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(row::primary_key(write.key())))
            .set_condition_expression(condition)
            .set_update_expression(update)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match update.send().await {
            Ok(done) => {
                self.capacity.took(operation, done.consumed_capacity());
                let row = done.attributes().ok_or_else(no_new_row)?;
                Ok(Written::Done(Box::new(row::decode(row)?)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Written::Refused(refused(failed.item())?))
                }
                _ => Err(TableFault::of(error).into()),
            },
        }
    }

    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        self.list_pages(account, range, now).await
    }

    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        self.due_page(shard, until, from).await
    }

    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        self.move_due(entry, to).await
    }
}

fn no_old_row() -> StoreError {
    StoreError::Unavailable("the table refused a put and did not say what lies there".into())
}

fn no_new_row() -> StoreError {
    StoreError::Unavailable("the table did not return the row that it wrote".into())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
