//! What the operations read from path, query and headers.

use crate::routes::{Operation, Route};
use serde_json::{Value, json};

/// The form of an id that a client chooses.
const ID: &str = "^[a-z0-9][a-z0-9-]{7,63}$";

/// The parameters of a route.
pub(super) fn of(route: &Route) -> Vec<Value> {
    let in_path = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let mut schema = json!({ "type": "string", "minLength": 1 });
            if route.operation == Operation::Put {
                schema["pattern"] = json!(ID);
            }
            let mut parameter =
                json!({ "name": name, "in": "path", "required": true, "schema": schema });
            match name {
                "owner" => parameter["example"] = json!("ryla"),
                "name" => parameter["example"] = json!("flux-dev"),
                _ => {}
            }
            parameter
        });
    in_path.chain(asked(route.operation)).collect()
}

fn asked(operation: Operation) -> Vec<Value> {
    match operation {
        Operation::CreateForModel | Operation::CreateForDeployment | Operation::Create => {
            vec![prefer(), idempotency_key(), cancel_after()]
        }
        Operation::Put => vec![prefer(), cancel_after()],
        Operation::Retry => vec![prefer(), idempotency_key()],
        Operation::Get => vec![parameter(
            "query",
            "wait",
            &json!({ "type": "number", "minimum": 0 }),
            "Hold the request up to that many seconds, until the prediction has ended",
        )],
        Operation::List => listing(),
        Operation::Callback => vec![parameter(
            "header",
            "X-Ryla-Signature",
            &json!({ "type": "string" }),
            "`t=UNIX,v1=HEX`: HMAC-SHA256 over time stamp, dot and body with the run's own key",
        )],
        _ => Vec::new(),
    }
}

fn parameter(place: &str, name: &str, schema: &Value, what: &str) -> Value {
    json!({ "name": name, "in": place, "schema": schema, "description": what })
}

fn prefer() -> Value {
    parameter(
        "header",
        "Prefer",
        &json!({ "type": "string" }),
        "`wait` or `wait=n`: hold the request up to n seconds, where the model may be done by then",
    )
}

fn idempotency_key() -> Value {
    parameter(
        "header",
        "Idempotency-Key",
        &json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }),
        "A request of the same key and body gets the same prediction",
    )
}

fn cancel_after() -> Value {
    parameter(
        "header",
        "Cancel-After",
        &json!({ "type": "string" }),
        "Cancel the prediction after this long, 1s to 24h: 90, 90s, 5m, 1h30m",
    )
}

fn listing() -> Vec<Value> {
    let mut parameters = vec![
        parameter(
            "query",
            "cursor",
            &json!({ "type": "string" }),
            "Where an earlier page left off",
        ),
        parameter(
            "query",
            "page_size",
            &json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 100 }),
            "Predictions on a page",
        ),
    ];
    for (name, which) in [("created_after", "later"), ("created_before", "earlier")] {
        parameters.push(parameter(
            "query",
            name,
            &json!({ "type": "string", "format": "date-time" }),
            &format!("Only predictions created at this time or {which}"),
        ));
    }
    parameters
}
