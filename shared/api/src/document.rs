//! The OpenAPI document, made from the table of routes and the models' schemas. A copy lies in
//! docs/openapi.json; a test keeps the two equal.

use crate::routes::{Access, Operation, ROUTES, Route};
use ryla_domain::model::catalog;
use serde_json::{Map, Value, json};

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
        },
        "servers": [{ "url": public_url }],
        "paths": paths,
        "components": { "schemas": schemas(), "securitySchemes": {
            "key": { "type": "http", "scheme": "bearer" },
        }},
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": format!("{:?}", route.operation),
        "summary": route.summary,
        "x-ryla-function": route.function.name(),
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if route.access == Access::Key {
        operation["security"] = json!([{ "key": [] }]);
    }
    match route.operation {
        Operation::CreateForModel
        | Operation::CreateForDeployment
        | Operation::Create
        | Operation::Put => {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Create" } } },
            });
        }
        Operation::Callback => {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": { "type": "object" } } },
            });
        }
        _ => {}
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut add = |place: &str, name: &str, schema: Value, what: &str| {
        parameters
            .push(json!({ "name": name, "in": place, "schema": schema, "description": what }));
    };
    let text = || json!({ "type": "string" });
    match route.operation {
        Operation::CreateForModel
        | Operation::CreateForDeployment
        | Operation::Create
        | Operation::Put
        | Operation::Retry => {
            add(
                "header",
                "Prefer",
                text(),
                "`wait` or `wait=n`: hold the request up to n seconds, where the model may be done by then",
            );
            if route.operation != Operation::Put {
                add(
                    "header",
                    "Idempotency-Key",
                    json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }),
                    "A request of the same key and body gets the same prediction",
                );
            }
            if route.operation != Operation::Retry {
                add(
                    "header",
                    "Cancel-After",
                    text(),
                    "Cancel the prediction after this long, such as 90s, 5m or 1h30m",
                );
            }
        }
        Operation::Get => add(
            "query",
            "wait",
            json!({ "type": "number", "minimum": 0 }),
            "Hold the request up to that many seconds, until the prediction has ended",
        ),
        Operation::List => {
            add("query", "cursor", text(), "Where an earlier page left off");
            add(
                "query",
                "page_size",
                json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 100 }),
                "Predictions on a page",
            );
            for name in ["created_after", "created_before"] {
                add(
                    "query",
                    name,
                    json!({ "type": "string", "format": "date-time" }),
                    "Only predictions of that time",
                );
            }
        }
        _ => {}
    }
    parameters
}

fn responses(route: &Route) -> Value {
    let (status, schema) = match route.operation {
        Operation::CreateForModel
        | Operation::CreateForDeployment
        | Operation::Create
        | Operation::Put
        | Operation::Retry => ("201", "Prediction"),
        Operation::Get | Operation::Cancel | Operation::Delete => ("200", "Prediction"),
        Operation::List => ("200", "PredictionPage"),
        Operation::GetModel => ("200", "Model"),
        Operation::ListModels => ("200", "ModelPage"),
        Operation::GetVersion => ("200", "Version"),
        Operation::ListVersions => ("200", "VersionPage"),
        Operation::GetAccount => ("200", "Account"),
        Operation::Health => ("200", "Health"),
        Operation::Callback => ("200", "CallbackReply"),
        Operation::OpenApi => ("200", "OpenApi"),
        Operation::GetOutput => {
            return json!({
                "200": { "description": "The picture", "content": { "image/*": {} } },
                "default": problem(),
            });
        }
    };
    json!({
        status: {
            "description": route.summary,
            "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } },
        },
        "default": problem(),
    })
}

fn problem() -> Value {
    json!({
        "description": "Problem details: what is wrong and what to change",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn schemas() -> Value {
    let text = json!({ "type": "string" });
    let maybe_text = json!({ "type": ["string", "null"] });
    let time = json!({ "type": ["string", "null"], "format": "date-time" });
    let page = |of: &str| {
        json!({ "type": "object", "required": ["next", "previous", "results"], "properties": {
            "next": maybe_text, "previous": maybe_text,
            "results": { "type": "array", "items": { "$ref": format!("#/components/schemas/{of}") } },
        }})
    };
    let mut schemas = json!({
        "Prediction": { "type": "object",
            "required": ["id", "model", "version", "status", "input", "output", "error", "logs", "metrics", "urls", "created_at", "started_at", "completed_at", "data_removed"],
            "properties": {
                "id": text, "model": text, "version": text,
                "status": { "enum": ["starting", "processing", "succeeded", "failed", "canceled"] },
                "input": { "type": "object" },
                "output": { "anyOf": [{ "type": "string", "format": "uri" }, { "type": "array", "items": { "type": "string", "format": "uri" } }, { "type": "null" }] },
                "error": maybe_text, "logs": text,
                "metrics": { "type": "object" },
                "urls": { "type": "object", "additionalProperties": { "type": "string" } },
                "created_at": { "type": "string", "format": "date-time" },
                "started_at": time, "completed_at": time, "deadline": time,
                "data_removed": { "type": "boolean" },
                "source": text, "retry_of": maybe_text,
            }},
        "PredictionPage": page("Prediction"),
        "ModelPage": page("Model"),
        "VersionPage": page("Version"),
        "Model": { "type": "object", "required": ["owner", "name", "url", "visibility", "run_count", "latest_version"], "properties": {
            "owner": text, "name": text, "url": text, "description": maybe_text, "visibility": { "enum": ["public", "private"] },
            "run_count": { "type": "integer" }, "latest_version": { "$ref": "#/components/schemas/Version" } }},
        "Version": { "type": "object", "required": ["id", "created_at", "cog_version", "openapi_schema"], "properties": {
            "id": text, "created_at": text, "cog_version": text, "openapi_schema": { "type": "object" } }},
        "Account": { "type": "object", "required": ["type", "username", "name"], "properties": {
            "type": { "enum": ["user", "organization"] }, "username": text, "name": text, "github_url": maybe_text }},
        "Health": { "type": "object", "required": ["status", "version"], "properties": { "status": { "const": "ok" }, "version": text, "backend": maybe_text }},
        "CallbackReply": { "type": "object", "required": ["continue"], "properties": { "continue": { "type": "boolean" } }},
        "OpenApi": { "type": "object" },
        "Problem": { "type": "object", "required": ["title", "detail", "status", "trace_id"], "properties": {
            "type": text, "title": text, "detail": text, "status": { "type": "integer" }, "trace_id": text,
            "code": text, "retry_after": { "type": "integer" }, "server_time": { "type": "integer" },
            "invalid_fields": { "type": "array", "items": { "type": "object", "required": ["field", "message"], "properties": { "field": text, "message": text } } },
        }},
    });
    let inputs: Vec<Value> = catalog()
        .iter()
        .map(|model| {
            let name = format!("Input-{}", model.name);
            schemas[&name] = model.input_schema();
            json!({ "$ref": format!("#/components/schemas/{name}") })
        })
        .collect();
    schemas["Create"] = json!({ "type": "object", "required": ["input"], "properties": {
        "input": { "anyOf": inputs },
        "version": { "type": "string", "description": "A version id, owner/name, or owner/name:version; needed where the path names no model" },
    }});
    schemas
}
