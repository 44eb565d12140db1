//! Query: the items of one partition in order, of the table or of an index, page by page. Looks through
//! the whole table: nothing that is measured asks for it.

use super::condition::order;
use super::expression::Expressions;
use super::table::{Index, Table};
use super::{Done, Item, Refusal, consumed, invalid, size};
use crate::usage::Count;
use serde_json::{Value, json};
use std::cmp::Ordering;

pub(super) fn run(table: &Table, body: &Item) -> Result<Done, Refusal> {
    let mut expressions = Expressions::of(body);
    let condition = expressions.condition("KeyConditionExpression")?;
    let condition = condition.ok_or_else(|| invalid("KeyConditionExpression is missing"))?;
    expressions.all_used()?;
    let index = index(table, body)?;
    let mut found = Vec::new();
    for item in table.items.values() {
        let entry = match index {
            Some(index) => index.entry(&table.schema, item),
            None => Some(item.clone()),
        };
        if let Some(entry) = entry
            && condition.holds(&entry)?
        {
            found.push(entry);
        }
    }
    let range = index.map_or(table.schema.range.as_deref(), |index| Some(&index.range));
    let keys: Vec<&str> = range
        .into_iter()
        .chain(table.schema.range.as_deref())
        .chain([table.schema.hash.as_str()])
        .collect();
    let newest_first = body.get("ScanIndexForward") == Some(&Value::Bool(false));
    let compare = |a: &Item, b: &Item| {
        let by = |key: &&str| order(a.get(*key), b.get(*key)).unwrap_or(Ordering::Equal);
        let order = keys.iter().map(by).find(|order| order.is_ne());
        let order = order.unwrap_or(Ordering::Equal);
        if newest_first { order.reverse() } else { order }
    };
    found.sort_by(compare);
    if let Some(start) = body.get("ExclusiveStartKey").and_then(Value::as_object) {
        found.retain(|item| compare(item, start).is_gt());
    }
    let limit = body.get("Limit").and_then(Value::as_u64);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let more = limit.is_some_and(|limit| limit < found.len());
    found.truncate(limit.unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more).map(|last| {
        let mut names = keys.clone();
        names.extend(index.map(|index| index.hash.as_str()));
        let of = |name: &str| Some((name.to_owned(), last.get(name)?.clone()));
        names.into_iter().filter_map(of).collect::<Item>()
    });
    let bytes = found.iter().map(size::of).sum();
    let mut reply = json!({"Count": found.len(), "ScannedCount": found.len(), "Items": found});
    if let Some(last) = last {
        reply["LastEvaluatedKey"] = Value::Object(last);
    }
    let units = size::read_units(bytes, false);
    Ok(consumed(body, reply, Count::read(units)))
}

fn index<'t>(table: &'t Table, body: &Item) -> Result<Option<&'t Index>, Refusal> {
    let Some(name) = body.get("IndexName").and_then(Value::as_str) else {
        return Ok(None);
    };
    let index = table.schema.indexes.iter().find(|index| index.name == name);
    let index = index.ok_or_else(|| invalid(format!("there is no index {name:?}")))?;
    Ok(Some(index))
}
