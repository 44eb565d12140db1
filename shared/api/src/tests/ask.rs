//! A request to the API and what comes back, held against what is true of every reply.

use super::app::{PROMPT, TestApp};
use super::schema;
use crate::target::Targets;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};

/// A trace that a caller brings along.
pub(super) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Its trace id.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A request under construction.
#[must_use]
pub(super) struct Ask<'a> {
    app: &'a TestApp,
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl TestApp {
    /// A request without a key.
    pub(super) fn ask<'a>(&'a self, method: &'a str, path: impl Into<String>) -> Ask<'a> {
        Ask {
            app: self,
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Reads something.
    pub(super) async fn get(&self, key: &str, path: impl Into<String>) -> Answer {
        self.ask("GET", path).by(key).send().await
    }

    /// Posts without a body.
    pub(super) async fn post(&self, key: &str, path: impl Into<String>) -> Answer {
        self.ask("POST", path).by(key).send().await
    }

    /// A request for a picture by flux-dev.
    pub(super) fn create<'a>(&'a self, key: &str, input: &Value) -> Ask<'a> {
        let path = "/v1/models/ryla/flux-dev/predictions";
        self.ask("POST", path)
            .by(key)
            .json(&json!({ "input": input }))
    }
}

/// An input that is fine.
pub(super) fn fine() -> Value {
    json!({ "prompt": PROMPT })
}

/// An input that is too long for a row.
pub(super) fn long() -> Value {
    json!({ "prompt": format!("{PROMPT}{}", "\u{1f30a}".repeat(3_900)) })
}

impl Ask<'_> {
    /// With an API key.
    pub(super) fn by(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }
}

impl<'a> Ask<'a> {
    /// With a header.
    pub(super) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a JSON body.
    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// With any body.
    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it, and checks what must be true of the reply whatever was asked.
    pub(super) async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Bytes::from(self.body)).unwrap();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (parts, body) = self.app.api.handle(request).await.into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.into_bytes(),
        };
        answer.is_sound();
        if let Ok(target) = Targets::new(self.app.only).find(method.as_str(), &path) {
            schema::assert_declared(target.route, answer.status, &answer.body);
        }
        answer
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The reply, if it has that status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.body);
        self
    }

    /// The body.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header; empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The id of the prediction that the reply shows.
    pub(super) fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The fields that a refusal names, in its order.
    pub(super) fn invalid_fields(&self) -> Vec<String> {
        let json = self.json();
        let fields = json["invalid_fields"].as_array().unwrap().iter();
        fields
            .map(|f| f["field"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The message about the one field that a refusal names.
    pub(super) fn message(&self) -> String {
        assert_eq!(self.invalid_fields().len(), 1, "{:?}", self.body);
        self.json()["invalid_fields"][0]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn is_sound(&self) {
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        let trace = self.header("x-request-id");
        assert!(
            trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit()),
            "{trace}"
        );
        let problem = self.status >= 400;
        if problem {
            assert_eq!(self.header("content-type"), "application/problem+json");
            assert_eq!(self.json()["status"], self.status);
            assert_eq!(self.json()["trace_id"], trace);
        } else if let Ok(Value::Object(shown)) = serde_json::from_slice(&self.body)
            && let Some(metrics) = shown.get("metrics")
        {
            assert_eq!(metrics["trace_id"], trace);
        }
    }
}
