//! A table: its keys and indexes, its items, and what a change of one costs.

use super::{Item, Refusal, invalid, size};
use serde_json::Value;
use std::collections::HashMap;

/// Partition and sort key, each as its JSON text; the latter is empty where the table has none.
pub(super) type Key = (String, String);

/// What an index carries.
#[derive(Clone, Debug)]
pub enum Projection {
    /// The keys of the index and of the table.
    KeysOnly,
    /// Those and these attributes.
    Include(Vec<String>),
}

/// A global secondary index. An item without both of its keys is not in it.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub hash: String,
    /// Its sort key.
    pub range: String,
    /// What it carries.
    pub projection: Projection,
}

/// What a table is made of.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub hash: String,
    /// Its sort key.
    pub range: Option<String>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: Schema,
    pub(super) items: HashMap<Key, Item>,
}

/// What a change came to.
pub(super) struct Changed {
    /// Write units of the table and its indexes together.
    pub(super) total: f64,
    pub(super) old: Option<Item>,
}

impl Schema {
    pub(super) fn key_of(&self, item: &Item) -> Result<Key, Refusal> {
        let text = |name: &str| match item.get(name) {
            Some(value) => Ok(value.to_string()),
            None => Err(invalid(format!("the key {name:?} is missing"))),
        };
        let range = self.range.as_deref().map(text).transpose()?;
        Ok((text(&self.hash)?, range.unwrap_or_default()))
    }
}

impl Index {
    /// The item as it stands in the index, if it does.
    pub(super) fn entry(&self, schema: &Schema, item: &Item) -> Option<Item> {
        if !item.contains_key(&self.hash) || !item.contains_key(&self.range) {
            return None;
        }
        let mut names: Vec<&str> = vec![&self.hash, &self.range, &schema.hash];
        names.extend(schema.range.as_deref());
        if let Projection::Include(more) = &self.projection {
            names.extend(more.iter().map(String::as_str));
        }
        let of = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
        Some(names.into_iter().filter_map(of).collect())
    }

    /// One write where an entry comes, goes or changes; two where it moves; none otherwise.
    fn units(&self, schema: &Schema, old: Option<&Item>, new: Option<&Item>) -> f64 {
        let entry = |item: Option<&Item>| item.and_then(|item| self.entry(schema, item));
        match (entry(old), entry(new)) {
            (None, None) => 0.0,
            (Some(one), None) | (None, Some(one)) => size::write_units(size::of(&one)),
            (Some(old), Some(new)) if old == new => 0.0,
            (Some(old), Some(new)) => {
                let key = |item: &Item| [item.get(&self.hash), item.get(&self.range)].map(text);
                let (before, after) = (size::of(&old), size::of(&new));
                if key(&old) == key(&new) {
                    size::write_units(before.max(after))
                } else {
                    size::write_units(before) + size::write_units(after)
                }
            }
        }
    }
}

fn text(value: Option<&Value>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

impl Table {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            schema,
            items: HashMap::new(),
        }
    }

    /// Puts or removes an item.
    pub(super) fn replace(&mut self, key: Key, new: Option<&Item>) -> Changed {
        let old = match new {
            Some(item) => self.items.insert(key, item.clone()),
            None => self.items.remove(&key),
        };
        let bytes = |item: Option<&Item>| item.map_or(0, size::of);
        let of_table = size::write_units(bytes(old.as_ref()).max(bytes(new)));
        let of_indexes: f64 = self
            .schema
            .indexes
            .iter()
            .map(|index| index.units(&self.schema, old.as_ref(), new))
            .sum();
        Changed {
            total: of_table + of_indexes,
            old,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Table {
        Table::new(Schema {
            name: "t".to_owned(),
            hash: "pk".to_owned(),
            range: None,
            indexes: vec![Index {
                name: "due".to_owned(),
                hash: "due".to_owned(),
                range: "at".to_owned(),
                projection: Projection::Include(vec!["tries".to_owned()]),
            }],
        })
    }

    fn item(more: &Value) -> Option<Item> {
        let mut item = json!({"pk": {"S": "a"}}).as_object().cloned()?;
        item.extend(more.as_object().cloned()?);
        Some(item)
    }

    #[test]
    fn an_index_costs_one_unit_to_enter_change_and_leave_and_two_to_move_in() {
        let mut table = table();
        let key = || ("\"a\"".to_owned(), String::new());
        let mut cost = |more: &Value| table.replace(key(), item(more).as_ref()).total;
        let plain = json!({"state": {"S": "new"}});
        let due = |at: &str, tries: &str, state: &str| json!({"due": {"S": "0"}, "at": {"N": at}, "tries": {"N": tries}, "state": {"S": state}});
        let costs = [
            cost(&plain),
            cost(&due("1", "0", "new")),
            cost(&due("1", "0", "other")),
            cost(&due("1", "1", "other")),
            cost(&due("2", "1", "other")),
            cost(&plain),
        ];
        assert_eq!(
            costs.map(|cost| cost.to_string()),
            ["1", "2", "1", "2", "3", "2"]
        );
    }
}
