//! The OpenAPI document, made from the table of routes and the models' schemas. A copy lies in
//! docs/openapi.json; a test keeps the two equal. Every reply that a test of the router gets must be
//! one that stands here.

mod parameters;
mod schemas;
mod warm;

use crate::routes::{Access, Operation, ROUTES, Route};
use serde_json::{Map, Value, json};

pub(crate) use schemas::PREDICTION_PARTS;
pub(crate) use warm::WARM_PARTS;

/// The document for an API at that address.
pub(crate) fn openapi(public_url: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "RYLA",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Durable picture jobs. The shape is Replicate's; docs/API.md lists what differs.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": public_url }],
        "paths": paths,
        "components": {
            "schemas": all_schemas(),
            "responses": { "Problem": {
                "description": "Problem details: what is wrong and what to change",
                "headers": headers(&["X-Request-Id", "Retry-After"]),
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            }},
            "headers": {
                "X-Request-Id": {
                    "description": "The trace id: the prediction's where the reply is one prediction, else the request's",
                    "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
                },
                "Idempotent-Replayed": {
                    "description": "The request is a repetition; this is the prediction of the first one",
                    "schema": { "const": "true" },
                },
                "Retry-After": {
                    "description": "Seconds after which the same request may succeed",
                    "schema": { "type": "integer", "minimum": 1 },
                },
            },
            "securitySchemes": { "key": {
                "type": "http", "scheme": "bearer",
                "description": "An API key. The older scheme `Token` is taken as well.",
            }},
        },
    })
}

fn all_schemas() -> Value {
    let mut schemas = schemas::all();
    if let Some(all) = schemas.as_object_mut() {
        all.extend(warm::all());
    }
    schemas
}

/// A reference to a schema of the document.
fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn headers(names: &[&str]) -> Value {
    let all = names.iter().map(|name| {
        let header = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), header)
    });
    Value::Object(all.collect())
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": format!("{:?}", route.operation),
        "summary": route.summary,
        "x-ryla-function": route.function.name(),
        "parameters": parameters::of(route),
        "responses": responses(route),
    });
    if route.access == Access::Key {
        operation["security"] = json!([{ "key": [] }]);
    }
    if let Some(schema) = body(route.operation) {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(schema) } },
        });
    }
    operation
}

/// The schema of what an operation reads from the body.
const fn body(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::CreateForModel | Operation::CreateForDeployment => Some("CreateForModel"),
        Operation::Create | Operation::Put => Some("Create"),
        Operation::Callback => Some("Callback"),
        _ => None,
    }
}

/// Status and schema of what an operation answers when it is carried out.
const fn success(operation: Operation) -> (u16, &'static str) {
    match operation {
        Operation::CreateForModel
        | Operation::CreateForDeployment
        | Operation::Create
        | Operation::Put
        | Operation::Retry => (201, "Prediction"),
        Operation::Get | Operation::Cancel | Operation::Delete => (200, "Prediction"),
        Operation::List => (200, "PredictionPage"),
        Operation::GetModel => (200, "Model"),
        Operation::ListModels => (200, "ModelPage"),
        Operation::GetVersion => (200, "Version"),
        Operation::ListVersions => (200, "VersionPage"),
        Operation::GetAccount => (200, "Account"),
        Operation::GetWarm => (200, "Warm"),
        Operation::Health => (200, "Health"),
        Operation::Callback => (200, "CallbackReply"),
        Operation::OpenApi => (200, "OpenApi"),
        Operation::GetOutput => (200, "Picture"),
    }
}

/// The statuses with which an operation refuses. Behind a key: 401, and 500 and 503 where the table
/// fails that every key is looked up in.
const fn refusals(operation: Operation) -> &'static [u16] {
    match operation {
        Operation::CreateForModel | Operation::CreateForDeployment => {
            &[400, 401, 404, 413, 422, 500, 503]
        }
        Operation::Create | Operation::Put => &[400, 401, 413, 422, 500, 503],
        Operation::Retry | Operation::Delete | Operation::Get => &[401, 404, 422, 500, 503],
        Operation::List => &[401, 422, 500, 503],
        Operation::Cancel
        | Operation::GetModel
        | Operation::ListVersions
        | Operation::GetVersion
        | Operation::GetWarm => &[401, 404, 500, 503],
        Operation::ListModels | Operation::GetAccount => &[401, 500, 503],
        Operation::OpenApi | Operation::Health => &[],
        Operation::GetOutput => &[404, 501, 503],
        Operation::Callback => &[400, 401, 413, 500, 503],
    }
}

fn responses(route: &Route) -> Value {
    let (status, schema) = success(route.operation);
    let content = match route.operation {
        Operation::GetOutput => {
            json!({ "image/jpeg": {}, "image/png": {}, "image/webp": {}, "video/mp4": {} })
        }
        _ => json!({ "application/json": { "schema": reference(schema) } }),
    };
    let mut given = vec!["X-Request-Id"];
    if status == 201 {
        given.push("Idempotent-Replayed");
    }
    let mut responses = Map::new();
    let success = json!({
        "description": route.summary, "headers": headers(&given), "content": content,
    });
    responses.insert(status.to_string(), success);
    for status in refusals(route.operation) {
        let problem = json!({ "$ref": "#/components/responses/Problem" });
        responses.insert(status.to_string(), problem);
    }
    Value::Object(responses)
}
