//! The JSON of requests and replies as schemas. What stands here of a prediction is also what
//! docs/API.md tells people of it.

use super::reference;
use ryla_domain::model::catalog;
use serde_json::{Map, Value, json};

/// A field of an object: its name, its schema, and what it is, with its unit.
pub(crate) type Field = (&'static str, fn() -> Value, &'static str);

/// The parts of a prediction that docs/API.md has a table of.
pub(crate) const PREDICTION_PARTS: [(&str, &[Field]); 3] = [
    ("prediction", PREDICTION),
    ("metrics", METRICS),
    ("metrics.timeline", TIMELINE),
];

const PREDICTION: &[Field] = &[
    ("id", text, "Its name within your account."),
    ("model", text, "`owner/name`."),
    ("version", text, "Id of the model's version; never null."),
    (
        "status",
        || one_of(&["starting", "processing", "succeeded", "failed", "canceled"]),
        "Where it stands. A creation reply for an unfinished prediction always says `starting`.",
    ),
    (
        "input",
        || json!({ "type": "object" }),
        "The resolved input: defaults and seed filled in; `{}` once removed.",
    ),
    (
        "output",
        output,
        "The picture's URL (of a model with several pictures a list of URLs); null until it succeeded and once removed.",
    ),
    (
        "error",
        maybe_text,
        "One sentence of the table of failure codes, or null.",
    ),
    (
        "logs",
        text,
        "A progress bar from which the official clients read `progress`, or empty.",
    ),
    ("metrics", metrics, "Facts and figures, see below."),
    (
        "urls",
        || json!({ "type": "object", "required": ["get", "cancel", "web"], "additionalProperties": url() }),
        "Links: `get`, `cancel`, `web`.",
    ),
    ("created_at", time, "When it was accepted."),
    ("started_at", maybe_time, "When its worker began, or null."),
    ("completed_at", maybe_time, "When it ended, or null."),
    (
        "data_removed",
        || json!({ "type": "boolean" }),
        "Its outputs and input were removed.",
    ),
    ("source", || json!({ "const": "api" }), "Always `api`."),
    (
        "deadline",
        maybe_time,
        "When `Cancel-After` ends it; null without one.",
    ),
    (
        "retry_of",
        maybe_text,
        "The prediction that this one repeats, or null.",
    ),
];

const METRICS: &[Field] = &[
    (
        "phase",
        || {
            one_of(&[
                "accepted",
                "dispatching",
                "running",
                "canceling",
                "succeeded",
                "failed",
                "canceled",
            ])
        },
        "The status in full.",
    ),
    ("provider", text, "The GPU backend of the current attempt."),
    (
        "attempts",
        whole,
        "Attempts begun so far; 0 before the first.",
    ),
    (
        "trace_id",
        trace,
        "The id under which the log has its whole life.",
    ),
    (
        "progress",
        || json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 100 }),
        "Percent done, where the worker says.",
    ),
    (
        "cost_usd",
        maybe_number,
        "What the run took from the operator, in US dollars; null where it is not known, never 0 for that.",
    ),
    (
        "timeline",
        timeline,
        "Milliseconds since acceptance, see below.",
    ),
    (
        "total_time",
        number,
        "Seconds from acceptance to the end. Once it has ended.",
    ),
    (
        "predict_time",
        maybe_number,
        "Seconds of the run itself; null if none began. Once it has ended.",
    ),
    (
        "gpu",
        maybe_text,
        "The GPU's name, where the worker says. Once it has ended.",
    ),
    (
        "cold_start_seconds",
        number,
        "Seconds that a warm GPU would have spared (boot and loading). Where the worker measured.",
    ),
    (
        "boot_seconds",
        number,
        "Seconds of those in which the GPU's server started; 0 on a warm one. Where the worker measured.",
    ),
    (
        "queue_seconds",
        number,
        "Seconds until a worker began: a GPU is found, and a container started where none is warm. Where the worker measured.",
    ),
    (
        "gpu_seconds",
        number,
        "Seconds of GPU time: boot, loading, run and upload. Where the worker measured.",
    ),
    (
        "likeness",
        shares,
        "How alike the face of each picture is to the reference, 0 to 1, in slot order; null where it was not measured. Absent where none was.",
    ),
    (
        "error_code",
        text,
        "Code of the failure. Only with `failed`.",
    ),
    (
        "cancel_reason",
        || one_of(&["user", "deadline"]),
        "`user`, or `deadline` for `Cancel-After`. Only with `canceled`.",
    ),
];

const TIMELINE: &[Field] = &[
    ("accepted_ms", whole, "Always 0."),
    (
        "dispatched_ms",
        maybe_whole,
        "The current attempt was claimed; null before.",
    ),
    ("running_ms", maybe_whole, "Its worker began; null before."),
    ("done_ms", maybe_whole, "It ended; null before."),
];

/// Those that a prediction has in every state.
const METRICS_ALWAYS: usize = 7;

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

fn maybe_text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn trace() -> Value {
    json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })
}

fn url() -> Value {
    json!({ "type": "string", "format": "uri" })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn maybe_time() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

pub(super) fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub(super) fn maybe_whole() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0 })
}

pub(super) fn number() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

fn shares() -> Value {
    json!({ "type": "array", "items": { "type": ["number", "null"], "minimum": 0, "maximum": 1 } })
}

fn maybe_number() -> Value {
    json!({ "type": ["number", "null"], "minimum": 0 })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn output() -> Value {
    json!({ "anyOf": [url(), { "type": "array", "items": url() }, { "type": "null" }] })
}

fn metrics() -> Value {
    reference("Metrics")
}

fn timeline() -> Value {
    reference("Timeline")
}

/// An object of these fields, of which the first `always` are never left out.
pub(super) fn object(fields: &[Field], always: usize) -> Value {
    let properties = fields.iter().map(|(name, schema, what)| {
        let mut schema = schema();
        schema["description"] = json!(what);
        ((*name).to_owned(), schema)
    });
    let required: Vec<_> = fields.iter().take(always).map(|(name, ..)| name).collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// Every schema of the document.
pub(super) fn all() -> Value {
    let page = |of: &str| {
        json!({ "type": "object", "required": ["next", "previous", "results"], "properties": {
            "next": { "type": ["string", "null"], "format": "uri" },
            "previous": { "type": ["string", "null"], "format": "uri" },
            "results": { "type": "array", "maxItems": 100, "items": reference(of) },
        }})
    };
    let mut schemas = json!({
        "Prediction": object(PREDICTION, PREDICTION.len()),
        "Metrics": object(METRICS, METRICS_ALWAYS),
        "Timeline": object(TIMELINE, TIMELINE.len()),
        "PredictionPage": page("Prediction"),
        "ModelPage": page("Model"),
        "VersionPage": page("Version"),
        "Model": model(),
        "Version": { "type": "object", "required": ["id", "created_at", "cog_version", "openapi_schema"], "properties": {
            "id": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "created_at": time(), "cog_version": text(), "openapi_schema": { "type": "object" },
        }},
        "Account": { "type": "object", "required": ["type", "username", "name", "github_url"], "properties": {
            "type": one_of(&["user", "organization"]), "username": text(), "name": text(), "github_url": maybe_text(),
        }},
        "Health": { "type": "object", "required": ["status", "version", "backend"], "properties": {
            "status": { "const": "ok" }, "version": text(), "backend": maybe_text(),
        }},
        "Callback": { "type": "object", "description": "The workers' protocol, docs/BACKENDS.md." },
        "CallbackReply": { "type": "object", "required": ["continue"], "properties": {
            "v": whole(), "continue": { "type": "boolean" }, "ignored": { "type": "boolean" },
            "put_urls": { "type": "array", "items": { "type": "object" } },
        }},
        "OpenApi": { "type": "object" },
        "Problem": problem(),
        "CreateForModel": create("A version of the model in the path, or nothing."),
        "Create": create_by_name(),
    });
    for model in catalog() {
        schemas[input_name(model.name)] = modern(model.input_schema(), false);
    }
    schemas
}

fn input_name(model: &str) -> String {
    format!("Input-{model}")
}

fn model() -> Value {
    json!({ "type": "object",
        "required": ["url", "owner", "name", "description", "visibility", "run_count", "latest_version"],
        "properties": {
            "url": url(), "owner": text(), "name": text(), "description": text(), "license_note": text(),
            "visibility": one_of(&["public", "private"]), "run_count": whole(),
            "github_url": maybe_text(), "paper_url": maybe_text(), "license_url": maybe_text(),
            "cover_image_url": maybe_text(), "default_example": { "type": "null" },
            "latest_version": reference("Version"),
        },
    })
}

fn problem() -> Value {
    json!({ "type": "object", "required": ["type", "title", "detail", "status", "trace_id"], "properties": {
        "type": text(), "title": text(), "detail": text(),
        "status": { "type": "integer", "minimum": 400, "maximum": 599 },
        "trace_id": trace(),
        "code": { "type": "string", "description": "A word for programs; only some problems have one." },
        "v": { "type": "integer", "description": "Version of the workers' protocol; with a refused callback." },
        "retry_after": { "type": "integer", "minimum": 1, "description": "Seconds, as in Retry-After." },
        "server_time": { "type": "integer", "description": "Unix seconds; with `stale_timestamp`." },
        "invalid_fields": { "type": "array", "items": {
            "type": "object", "required": ["field", "message"],
            "properties": { "field": text(), "message": text() },
        }},
    }})
}

fn create(version: &str) -> Value {
    let models = catalog().iter();
    let inputs: Vec<Value> = models.map(|m| reference(&input_name(m.name))).collect();
    let not_yet = json!({ "type": "null", "description": "Not available yet." });
    json!({
        "type": "object", "required": ["input"], "description": "Other fields are ignored.",
        "properties": {
            "input": { "anyOf": inputs },
            "version": { "type": ["string", "null"], "description": version },
            "webhook": not_yet, "webhook_completed": not_yet, "webhook_events_filter": not_yet,
        },
    })
}

fn create_by_name() -> Value {
    let named = |field: &str| json!({ "required": [field], "properties": { field: text() } });
    let mut schema = create("A version id, `owner/name`, or `owner/name:version`.");
    schema["properties"]["model"] =
        json!({ "description": "The same, where `version` is left out." });
    schema["anyOf"] = json!([named("version"), named("model")]);
    schema
}

/// A model's schema, written in OpenAPI 3.0's dialect for replicate's clients, as 3.1 says the same:
/// null is a type, and every field that may be left out may be null. No text may hold NUL.
fn modern(mut schema: Value, may_be_absent: bool) -> Value {
    let Some(object) = schema.as_object_mut() else {
        return schema;
    };
    let nullable = object.remove("nullable") == Some(json!(true));
    let required = object.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let mut names = required.as_array().into_iter().flatten();
        names.any(|required| required == name)
    };
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties.iter_mut() {
            *property = modern(property.take(), !is_required(name));
        }
    }
    if object.get("type") == Some(&json!("string")) && !object.contains_key("enum") {
        object.insert("allOf".to_owned(), json!([{ "pattern": r"^[^\u0000]*$" }]));
    }
    if nullable || may_be_absent {
        if let Some(Value::Array(allowed)) = object.get_mut("enum")
            && !allowed.contains(&Value::Null)
        {
            allowed.push(Value::Null);
        }
        if let Some(Value::String(kind)) = object.get("type") {
            let either = json!([kind, "null"]);
            object.insert("type".to_owned(), either);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_may_be_left_out_may_be_null_and_nothing_else_may() {
        let schema = json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string" },
            "b": { "type": "integer", "nullable": true },
            "c": { "type": "string", "enum": ["x"] },
            "d": { "type": "object", "properties": { "e": { "type": "number" } } },
        }});
        let modern = modern(schema, false);
        assert_eq!(modern["type"], "object");
        let properties = &modern["properties"];
        assert_eq!(properties["a"]["type"], "string");
        assert_eq!(properties["b"], json!({ "type": ["integer", "null"] }));
        assert_eq!(
            properties["c"],
            json!({ "type": ["string", "null"], "enum": ["x", null] })
        );
        assert_eq!(properties["d"]["type"], json!(["object", "null"]));
        assert_eq!(
            properties["d"]["properties"]["e"]["type"],
            json!(["number", "null"])
        );
    }
}
