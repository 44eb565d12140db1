//! Holds replies against the OpenAPI document. Knows the keywords that the document's schemas of
//! replies use, and stops at any other, so that none is passed over.

use crate::document;
use crate::routes::Route;
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document::openapi("https://api.example.com"));

/// The reply's status and body are ones that the document declares for the route.
pub(super) fn assert_declared(route: &Route, status: u16, body: &[u8]) {
    let operation = &DOCUMENT["paths"][route.path][route.method.to_ascii_lowercase()];
    let declared = &operation["responses"][status.to_string()];
    assert!(
        !declared.is_null(),
        "{} {} declares no {status}",
        route.method,
        route.path
    );
    let content = &resolved(declared)["content"];
    let schema = ["application/json", "application/problem+json"]
        .iter()
        .find_map(|kind| content[*kind].get("schema"));
    if let Some(schema) = schema {
        let body = serde_json::from_slice(body).unwrap();
        let wrong = fits(schema, &body);
        assert_eq!(wrong, None, "{} {}: {body}", route.method, route.path);
    }
}

/// What a reference leads to.
fn resolved(schema: &Value) -> &Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(place) => DOCUMENT.pointer(place.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// `None` where the value is one that the schema allows, else what is wrong with it.
fn fits(schema: &Value, value: &Value) -> Option<String> {
    let mut wrong = schema
        .as_object()
        .unwrap()
        .iter()
        .filter(|(k, argument)| !holds(k, argument, schema, value));
    wrong
        .next()
        .map(|(keyword, argument)| format!("{keyword}: {argument} for {value}"))
}

fn holds(keyword: &str, argument: &Value, schema: &Value, value: &Value) -> bool {
    match keyword {
        "$ref" => fits(resolved(schema), value).is_none(),
        "type" => match argument {
            Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
            kind => is(kind, value),
        },
        "enum" => argument.as_array().unwrap().contains(value),
        "const" => argument == value,
        "anyOf" => argument
            .as_array()
            .unwrap()
            .iter()
            .any(|one| fits(one, value).is_none()),
        "required" => value.as_object().is_none_or(|object| {
            let mut names = argument.as_array().unwrap().iter();
            names.all(|name| object.contains_key(name.as_str().unwrap()))
        }),
        // Stricter than JSON Schema: a field that a reply has and the document has not is a mistake.
        "properties" => value.as_object().is_none_or(|object| {
            let open = schema.get("additionalProperties").is_some();
            object.iter().all(|(name, value)| match argument.get(name) {
                Some(property) => fits(property, value).is_none(),
                None => open,
            })
        }),
        "additionalProperties" => {
            let object = value.as_object().unwrap();
            object.values().all(|value| fits(argument, value).is_none())
        }
        "items" => {
            let items = value.as_array().into_iter().flatten();
            items.clone().all(|item| fits(argument, item).is_none())
        }
        "maxItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 <= argument.as_u64().unwrap()),
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= argument.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= argument.as_f64().unwrap()),
        "pattern" => {
            let text = value.as_str().unwrap();
            let length = match argument.as_str().unwrap() {
                "^[0-9a-f]{32}$" => 32,
                "^[0-9a-f]{64}$" => 64,
                other => panic!("teach this checker {other}"),
            };
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }
        "format" => value
            .as_str()
            .is_none_or(|text| match argument.as_str().unwrap() {
                "uri" => text.starts_with("https://"),
                "date" => text.parse::<jiff::civil::Date>().is_ok(),
                "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
                other => panic!("teach this checker {other}"),
            }),
        "description" => true,
        other => panic!("teach this checker {other}"),
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}
