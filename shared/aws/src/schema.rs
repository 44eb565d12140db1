//! The table as the adapters need it: for the embedded stack, which has no template. `template.yaml`
//! says the same for AWS; a test below holds the two against each other.

use crate::error::TableFault;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use ryla_engine::port::StoreError;

/// The index that lists an account's jobs.
pub const BY_ACCOUNT: &str = "by-account";
/// The index of open jobs by the time at which the sweep looks at them.
pub const DUE: &str = "due";
/// What the due index carries besides keys: enough to lease a row without reading it. Nothing here
/// changes on the happy path, or each change would cost a write unit.
const DUE_PROJECTS: [&str; 2] = ["deadline_at", "due_tries"];
/// Every attribute that is part of a key.
const KEYS: [(&str, ScalarAttributeType); 6] = [
    ("pk", ScalarAttributeType::S),
    ("sk", ScalarAttributeType::S),
    ("gpk", ScalarAttributeType::S),
    ("gsk", ScalarAttributeType::S),
    ("due", ScalarAttributeType::S),
    ("due_at", ScalarAttributeType::N),
];

/// Creates the table with its indexes and its TTL; one that is there already is left as it is.
pub async fn create_table(client: &Client, name: &str) -> Result<(), StoreError> {
    let create =
        describe(client, name).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    match create.send().await {
        Ok(_) => {}
        Err(error) => match error.as_service_error() {
            Some(CreateTableError::ResourceInUseException(_)) => return Ok(()),
            _ => return Err(TableFault::of(error).into()),
        },
    }
    let ttl = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expires_at")
        .build()
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let ttl = client.update_time_to_live().time_to_live_specification(ttl);
    ttl.table_name(name)
        .send()
        .await
        .map(drop)
        .map_err(|error| TableFault::of(error).into())
}

type Create = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn describe(client: &Client, name: &str) -> Result<Create, BuildError> {
    let mut create = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys("pk", "sk")?));
    for (attribute, kind) in KEYS {
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(kind)
            .build()?;
        create = create.attribute_definitions(definition);
    }
    let by_account = GlobalSecondaryIndex::builder()
        .index_name(BY_ACCOUNT)
        .set_key_schema(Some(keys("gpk", "gsk")?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::KeysOnly)
                .build(),
        )
        .build()?;
    let due = GlobalSecondaryIndex::builder()
        .index_name(DUE)
        .set_key_schema(Some(keys("due", "due_at")?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(DUE_PROJECTS.map(str::to_owned).to_vec()))
                .build(),
        )
        .build()?;
    Ok(create
        .global_secondary_indexes(by_account)
        .global_secondary_indexes(due))
}

fn keys(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    Ok(vec![
        element(hash, KeyType::Hash)?,
        element(range, KeyType::Range)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template's lines, without the spaces in front of them.
    fn template() -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn the_template_describes_the_same_table() {
        let template = template();
        let index = |name: &str| format!("- IndexName: {name}");
        let key = |name: &str, kind: &str| format!("- {{AttributeName: {name}, KeyType: {kind}}}");
        let mut expected = vec![
            index(BY_ACCOUNT),
            index(DUE),
            "AttributeName: expires_at".to_owned(),
        ];
        for (name, kind) in KEYS {
            expected.push(format!(
                "- {{AttributeName: {name}, AttributeType: {kind}}}"
            ));
        }
        for (hash, range) in [("pk", "sk"), ("gpk", "gsk"), ("due", "due_at")] {
            expected.push(key(hash, "HASH"));
            expected.push(key(range, "RANGE"));
        }
        expected.push(format!("NonKeyAttributes: [{}]", DUE_PROJECTS.join(", ")));
        for line in expected {
            assert!(template.contains(&line), "template.yaml lacks {line:?}");
        }
        let indexes = template
            .iter()
            .filter(|line| line.starts_with("- IndexName:"))
            .count();
        assert_eq!(indexes, 2);
    }
}
