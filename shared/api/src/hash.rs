//! The hash by which two requests are compared: SHA-256 over method, model path and the body as the
//! client sent it, keys sorted, before defaults and seed.

use ryla_domain::job::RequestHash;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash of a request. `path` is the normalised one, so that a doubled `/v1` makes no difference.
pub(crate) fn of_request(method: &str, path: &str, body: &Value) -> RequestHash {
    let mut hash = Sha256::new();
    for part in [method, path] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.update(sorted(body).to_string());
    RequestHash(hash.finalize().into())
}

/// The same value with the keys of every object in order, whatever map `serde_json` was built with.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> RequestHash {
        of_request(
            "POST",
            "/v1/predictions",
            &serde_json::from_str(text).unwrap(),
        )
    }

    #[test]
    fn the_order_of_keys_makes_no_difference_and_everything_else_does() {
        let one = hash(r#"{"input":{"prompt":"a","seed":1},"version":"x"}"#);
        assert_eq!(
            one,
            hash(r#"{ "version":"x", "input":{"seed":1,"prompt":"a"} }"#)
        );
        assert_ne!(
            one,
            hash(r#"{"input":{"prompt":"a","seed":2},"version":"x"}"#)
        );
        assert_ne!(one, hash(r#"{"input":{"prompt":"a","seed":1}}"#));
        let body = serde_json::json!({});
        assert_ne!(
            of_request("POST", "/a", &body),
            of_request("PUT", "/a", &body)
        );
        assert_ne!(
            of_request("PO", "ST/a", &body),
            of_request("POST", "/a", &body)
        );
    }
}
