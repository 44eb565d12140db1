//! DynamoDB as far as both sides need it, in memory: conditions and updates are parsed and evaluated,
//! indexes are kept, units are counted by its published rules. The contract suite of the job store runs
//! against it. It answers at once, so that what is measured is the caller.

mod condition;
mod expression;
mod query;
mod size;
mod table;
mod update;

pub use table::{Index, Projection, Schema};

use crate::serve::{Server, reply};
use crate::usage::{Count, Usage};
use bytes::Bytes;
use expression::Expressions;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use table::{Key, Table};

/// An item: attribute names to attribute values as they travel, `{"S": "text"}`.
pub type Item = Map<String, Value>;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
enum Refusal {
    /// `ValidationException`.
    Invalid(String),
    /// `ConditionalCheckFailedException`, with the item where it was asked for.
    Condition(Option<Item>),
    /// `ResourceNotFoundException`.
    NoTable(String),
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::Invalid(message.into())
}

/// The running stub.
#[derive(Debug)]
pub struct DynamoDb {
    tables: Arc<Mutex<Tables>>,
    server: Server,
}

#[derive(Debug, Default)]
struct Tables {
    tables: BTreeMap<String, Table>,
    usage: Usage,
}

/// What a request came to.
struct Done {
    reply: Value,
    count: Count,
}

impl DynamoDb {
    /// Serves these tables, all empty.
    pub async fn start(schemas: Vec<Schema>) -> std::io::Result<Self> {
        let tables = schemas
            .into_iter()
            .map(|schema| (schema.name.clone(), Table::new(schema)))
            .collect();
        let tables = Arc::new(Mutex::new(Tables {
            tables,
            usage: Usage::default(),
        }));
        let handed = Arc::clone(&tables);
        let server = Server::start(move |request| {
            let response = lock(&handed).answer(&request);
            async move { response }
        })
        .await?;
        Ok(Self { tables, server })
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Puts an item from outside; nothing is counted.
    pub fn plant(&self, table: &str, item: Item) -> anyhow::Result<()> {
        let mut tables = lock(&self.tables);
        let table = tables.tables.get_mut(table);
        let table = table.ok_or_else(|| anyhow::anyhow!("no such table"))?;
        let key = table.schema.key_of(&item);
        let key = key.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        table.items.insert(key, item);
        Ok(())
    }

    /// Every item of a table.
    pub fn items(&self, table: &str) -> Vec<Item> {
        let tables = lock(&self.tables);
        let items = tables.tables.get(table).map(|table| table.items.values());
        items.into_iter().flatten().cloned().collect()
    }

    /// What was asked and what it took, so far.
    pub fn usage(&self) -> Usage {
        lock(&self.tables).usage.clone()
    }
}

fn lock(tables: &Mutex<Tables>) -> MutexGuard<'_, Tables> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tables {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let operation = target
            .and_then(|target| target.strip_prefix("DynamoDB_20120810."))
            .unwrap_or_default();
        let outcome = match serde_json::from_slice(request.body()) {
            Ok(Value::Object(body)) => self.perform(operation, &body),
            _ => Err(invalid("the body is no JSON object")),
        };
        let (status, body) = match outcome {
            Ok(done) => {
                self.usage.add(operation, done.count);
                (StatusCode::OK, done.reply)
            }
            Err(refusal) => {
                // A write that its condition stops is charged like one that happens.
                let units = f64::from(u8::from(matches!(refusal, Refusal::Condition(_))));
                self.usage.add(operation, Count::write(units));
                (StatusCode::BAD_REQUEST, error(refusal))
            }
        };
        reply(
            status,
            "application/x-amz-json-1.0",
            body.to_string().into(),
        )
    }

    fn perform(&mut self, operation: &str, body: &Item) -> Result<Done, Refusal> {
        match operation {
            "PutItem" => self.put(body),
            "UpdateItem" => self.update(body),
            "DeleteItem" => self.delete(body),
            "GetItem" => self.get(body),
            "BatchGetItem" => self.batch_get(body),
            "Query" => {
                let (table, body) = (self.table(body)?, body);
                query::run(table, body)
            }
            other => Err(invalid(format!("this stub knows no operation {other:?}"))),
        }
    }

    fn table(&mut self, body: &Item) -> Result<&mut Table, Refusal> {
        let name = body.get("TableName").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let table = self.tables.get_mut(name);
        table.ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    fn put(&mut self, body: &Item) -> Result<Done, Refusal> {
        let table = self.table(body)?;
        let item = object(body, "Item")?.clone();
        let key = table.schema.key_of(&item)?;
        let mut expressions = Expressions::of(body);
        let condition = expressions.condition("ConditionExpression")?;
        expressions.all_used()?;
        table.check(condition.as_ref(), &key, body)?;
        let units = table.replace(key, Some(&item));
        Ok(written(body, units.total, units.old, Some(item)))
    }

    fn update(&mut self, body: &Item) -> Result<Done, Refusal> {
        let table = self.table(body)?;
        let key_item = object(body, "Key")?.clone();
        let key = table.schema.key_of(&key_item)?;
        let mut expressions = Expressions::of(body);
        let condition = expressions.condition("ConditionExpression")?;
        let update = expressions.update("UpdateExpression")?;
        expressions.all_used()?;
        table.check(condition.as_ref(), &key, body)?;
        let old = table.items.get(&key);
        let new = update.apply(old.unwrap_or(&key_item), &key_item)?;
        let units = table.replace(key, Some(&new));
        Ok(written(body, units.total, units.old, Some(new)))
    }

    fn delete(&mut self, body: &Item) -> Result<Done, Refusal> {
        let table = self.table(body)?;
        let key = table.schema.key_of(object(body, "Key")?)?;
        let mut expressions = Expressions::of(body);
        let condition = expressions.condition("ConditionExpression")?;
        expressions.all_used()?;
        table.check(condition.as_ref(), &key, body)?;
        let units = table.replace(key, None);
        Ok(written(body, units.total, units.old, None))
    }

    fn get(&mut self, body: &Item) -> Result<Done, Refusal> {
        let table = self.table(body)?;
        let key = table.schema.key_of(object(body, "Key")?)?;
        let item = table.items.get(&key);
        let consistent = body.get("ConsistentRead") == Some(&Value::Bool(true));
        let units = size::read_units(item.map_or(0, size::of), consistent);
        let mut reply = json!({});
        if let Some(item) = item {
            reply["Item"] = Value::Object(item.clone());
        }
        Ok(consumed(body, reply, Count::read(units)))
    }

    fn batch_get(&mut self, body: &Item) -> Result<Done, Refusal> {
        let (mut responses, mut units) = (Map::new(), 0.0);
        let mut capacity = Vec::new();
        for (name, wanted) in object(body, "RequestItems")? {
            let table = self.tables.get(name);
            let table = table.ok_or_else(|| Refusal::NoTable(name.clone()))?;
            let keys = wanted.get("Keys").and_then(Value::as_array);
            let mut found = Vec::new();
            let mut of_table = 0.0;
            for key in keys.into_iter().flatten().filter_map(Value::as_object) {
                let item = table.items.get(&table.schema.key_of(key)?);
                of_table += size::read_units(item.map_or(0, size::of), false);
                found.extend(item.cloned().map(Value::Object));
            }
            responses.insert(name.clone(), found.into());
            capacity.push(json!({"TableName": name, "CapacityUnits": of_table}));
            units += of_table;
        }
        let reply =
            json!({"Responses": responses, "UnprocessedKeys": {}, "ConsumedCapacity": capacity});
        Ok(Done {
            reply,
            count: Count::read(units),
        })
    }
}

impl Table {
    /// Whether the condition holds for what lies under the key now.
    fn check(
        &self,
        condition: Option<&condition::Condition>,
        key: &Key,
        body: &Item,
    ) -> Result<(), Refusal> {
        let nothing = Item::new();
        let old = self.items.get(key);
        let holds = condition.map_or(Ok(true), |c| c.holds(old.unwrap_or(&nothing)))?;
        if holds {
            return Ok(());
        }
        let wanted = body.get("ReturnValuesOnConditionCheckFailure");
        let all_old = wanted.and_then(Value::as_str) == Some("ALL_OLD");
        Err(Refusal::Condition(old.filter(|_| all_old).cloned()))
    }
}

fn object<'a>(body: &'a Item, name: &str) -> Result<&'a Item, Refusal> {
    let object = body.get(name).and_then(Value::as_object);
    object.ok_or_else(|| invalid(format!("{name} is missing")))
}

/// The reply to a write.
fn written(body: &Item, units: f64, old: Option<Item>, new: Option<Item>) -> Done {
    let returned = match body.get("ReturnValues").and_then(Value::as_str) {
        Some("ALL_NEW") => new,
        Some("ALL_OLD") => old,
        _ => None,
    };
    let mut reply = json!({});
    if let Some(item) = returned {
        reply["Attributes"] = Value::Object(item);
    }
    consumed(body, reply, Count::write(units))
}

/// The reply with what it took, where that was asked for.
fn consumed(body: &Item, mut reply: Value, count: Count) -> Done {
    let asked = body.get("ReturnConsumedCapacity").and_then(Value::as_str);
    if asked.is_some_and(|asked| asked != "NONE") {
        let units = count.read_units + count.write_units;
        reply["ConsumedCapacity"] =
            json!({"TableName": body.get("TableName"), "CapacityUnits": units});
    }
    Done { reply, count }
}

fn error(refusal: Refusal) -> Value {
    let typed = |name: &str, message: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message});
    match refusal {
        Refusal::Invalid(message) => typed("ValidationException", &message),
        Refusal::NoTable(name) => typed("ResourceNotFoundException", &name),
        Refusal::Condition(item) => {
            let mut error = typed(
                "ConditionalCheckFailedException",
                "The conditional request failed",
            );
            if let Some(item) = item {
                error["Item"] = Value::Object(item);
            }
            error
        }
    }
}
