//! Counters and states of endpoints, in the table of jobs. Counters are only ever added to, by one
//! `UpdateItem`; a state is written on the revision that was read.

#[cfg(test)]
mod fixtures;
mod state;
mod tick;

use crate::error::TableFault;
use crate::expression::Expression;
use crate::row::{self, Row};
use crate::{Capacity, Operation};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use ryla_domain::V;
use ryla_domain::warm::Minute;
use ryla_engine::port::{
    Arrivals, End, EndpointState, EndpointStore, Endpoints, Pool, StoreError, Tick,
};
use std::sync::Arc;

/// Counters and states of endpoints on `DynamoDB`.
#[derive(Clone, Debug)]
pub struct DynamoEndpointStore {
    client: Client,
    table: String,
    capacity: Arc<Capacity>,
}

/// One `UpdateItem` as it is put together: its expressions, with a placeholder for every name and value.
#[derive(Debug, Default)]
struct Update {
    condition: String,
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    placeholders: Expression,
}

impl Update {
    fn name(&mut self, attribute: &str) -> String {
        self.placeholders.name(attribute)
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.placeholders.value(value)
    }

    /// Sets an attribute.
    fn set(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.set.push(format!("{name} = {value}"));
    }

    /// Sets an attribute that nobody has set.
    fn set_once(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.set
            .push(format!("{name} = if_not_exists({name}, {value})"));
    }

    /// Takes an attribute away.
    fn remove(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.remove.push(name);
    }

    /// Adds to a counter.
    fn add(&mut self, counter: &str, count: impl std::fmt::Display) {
        let (name, value) = (self.name(counter), self.value(row::number(count)));
        self.add.push(format!("{name} {value}"));
    }

    fn expression(&self) -> String {
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        clause("SET", &self.set) + &clause("ADD", &self.add) + &clause("REMOVE", &self.remove)
    }
}

impl DynamoEndpointStore {
    pub(crate) const fn new(client: Client, table: String, capacity: Arc<Capacity>) -> Self {
        Self {
            client,
            table,
            capacity,
        }
    }

    /// Carries it out; `false` where its condition does not hold.
    async fn update(
        &self,
        operation: Operation,
        key: Row,
        update: Update,
    ) -> Result<bool, StoreError> {
        self.capacity.request(operation);
        let expression = update.expression();
        let (names, values) = update.placeholders.placeholders();
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .set_condition_expression(Some(update.condition).filter(|text| !text.is_empty()))
            .update_expression(expression.trim_end())
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(done) => {
                self.capacity.took(operation, done.consumed_capacity());
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(TableFault::of(error).into()),
            },
        }
    }

    /// Every row of that partition, as they are at the moment.
    async fn query(&self, operation: Operation, pk: &str) -> Result<Vec<Row>, StoreError> {
        let (mut rows, mut from) = (Vec::new(), None);
        loop {
            self.capacity.request(operation);
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(TableFault::of)?;
            self.capacity.took(operation, page.consumed_capacity());
            from = page.last_evaluated_key;
            rows.extend(page.items.unwrap_or_default());
            if from.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Writes a row on the revision that was seen, or where there is none.
    async fn replace(
        &self,
        seen: Option<u64>,
        sk: &str,
        attributes: state::Attributes,
    ) -> Result<bool, StoreError> {
        let mut update = Update::default();
        update.condition = match seen {
            Some(rev) => {
                let (of, rev) = (update.name("rev"), update.value(row::number(rev)));
                let (v, newest) = (update.name("v"), update.value(row::number(V)));
                format!("{of} = {rev} AND {v} <= {newest}")
            }
            None => format!("attribute_not_exists({})", update.name("pk")),
        };
        for (attribute, value) in attributes {
            match value {
                Some(value) => update.set(attribute, value),
                None => update.remove(attribute),
            }
        }
        self.update(Operation::WriteState, state::key(sk), update)
            .await
    }
}

/// The key of a row.
fn key(pk: &str, sk: &str) -> Row {
    Row::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

fn sort_key(row: &Row) -> &str {
    let sk = row.get("sk").and_then(|sk| sk.as_s().ok());
    sk.map_or("", String::as_str)
}

#[async_trait]
impl EndpointStore for DynamoEndpointStore {
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError> {
        let key = tick::key(arrivals.minute, &arrivals.endpoint, arrivals.shard);
        self.update(Operation::AddTick, key, tick::of_arrivals(arrivals))
            .await
            .map(drop)
    }

    async fn add_end(&self, end: &End) -> Result<bool, StoreError> {
        let key = tick::key(Minute::of(end.at), &end.endpoint, end.shard);
        self.update(Operation::AddTick, key, tick::of_end(end))
            .await
    }

    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError> {
        let rows = self
            .query(Operation::ReadTicks, &tick::partition(minute))
            .await?;
        Ok(tick::merged(&rows))
    }

    async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        let rows = self.query(Operation::ReadStates, state::PARTITION).await?;
        Ok(state::decoded(&rows))
    }

    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError> {
        let attributes = state::attributes(next)?;
        self.replace(seen, &next.endpoint.to_string(), attributes)
            .await
    }

    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError> {
        let attributes = state::pool_attributes(next)?;
        self.replace(seen, state::POOL, attributes).await
    }
}
