//! The due index: pages of entries, and the move of one entry. Neither decodes a row.

use super::{DynamoJobStore, text};
use crate::Operation;
use crate::error::TableFault;
use crate::expression::Expression;
use crate::row::{self, Row};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use ryla_domain::time::UnixMs;
use ryla_engine::expect::Expect;
use ryla_engine::port::{DueEntry, DueMove, DuePage, Shard, StoreError};

/// Entries in a page.
const PAGE: i32 = 100;
/// Between the parts of a page's mark; no key of ours contains it.
const MARK: char = '\n';

impl DynamoJobStore {
    pub(super) async fn due_page(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError> {
        self.capacity.request(Operation::Due);
        let start = from.map(|mark| start_key(shard, mark)).transpose()?;
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(crate::schema::DUE)
            .key_condition_expression("#due = :shard AND #at <= :until")
            .expression_attribute_names("#due", "due")
            .expression_attribute_names("#at", "due_at")
            .expression_attribute_values(":shard", text(row::due_part(shard)))
            .expression_attribute_values(":until", row::number(until))
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(TableFault::of)?;
        self.capacity.took(Operation::Due, page.consumed_capacity());
        let entries = page.items().iter().filter_map(readable).collect();
        let next = page.last_evaluated_key().and_then(mark);
        Ok(DuePage { entries, next })
    }

    pub(super) async fn move_due(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError> {
        self.capacity.request(Operation::Reschedule);
        let mut expression = Expression::on(self.fences);
        let condition = expression.condition(&Expect::due_at(entry.due_at));
        let update = expression.due_move(to);
        let (names, values) = expression.placeholders();
        let moved = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(row::raw_primary_key(&entry.raw_key)))
            .set_condition_expression(condition)
            .update_expression(update)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match moved {
            Ok(done) => {
                self.capacity
                    .took(Operation::Reschedule, done.consumed_capacity());
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(TableFault::of(error).into()),
            },
        }
    }
}

/// Only an entry whose time is no whole number of milliseconds is left out, since no condition could
/// name it; nothing of ours writes one.
fn readable(row: &Row) -> Option<DueEntry> {
    let entry = row::due_entry(row);
    if entry.is_none() {
        let pk = row.get("pk").and_then(|pk| pk.as_s().ok());
        tracing::error!(
            pk,
            "a due entry has no time that can be read; nobody will look at it"
        );
    }
    entry
}

/// Where a page ended, as text.
fn mark(last: &Row) -> Option<String> {
    let at = last.get("due_at")?.as_n().ok()?;
    let sk = last.get("sk")?.as_s().ok()?;
    let pk = last.get("pk")?.as_s().ok()?;
    Some(format!("{at}{MARK}{sk}{MARK}{pk}"))
}

fn start_key(shard: Shard, mark: &str) -> Result<Row, StoreError> {
    let mut parts = mark.splitn(3, MARK);
    let (Some(at), Some(sk), Some(pk)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(StoreError::Corrupt(
            "mark of a page of due entries".to_owned(),
        ));
    };
    Ok(Row::from([
        ("due".to_owned(), text(row::due_part(shard))),
        ("due_at".to_owned(), AttributeValue::N(at.to_owned())),
        ("sk".to_owned(), text(sk)),
        ("pk".to_owned(), text(pk)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_leads_back_to_the_key_that_it_was_made_of() {
        let shard = Shard::all().last().unwrap();
        let key = start_key(shard, "1700000000000\nJOB\nJOB#acme#some-id-1").unwrap();
        assert_eq!(key["due"], text("DUE#15"));
        assert_eq!(
            mark(&key).unwrap(),
            "1700000000000\nJOB\nJOB#acme#some-id-1"
        );
        assert!(start_key(shard, "forged").is_err());
    }
}
