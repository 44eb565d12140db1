//! An account that speaks to the system over HTTP, as any client would.

use super::{TestApp, until};
use reqwest::{Method, RequestBuilder, Response};
use ryla_domain::id::JobKey;
use serde_json::{Value, json};
use std::time::Duration;

/// Account and key.
pub(super) const ALICE: (&str, &str) = ("alice", "alice-key-7f3a9c1e5b2d8046");
pub(super) const BOB: (&str, &str) = ("bob", "bob-key-1d4e8b6a9f3c7250");

/// The model of most tests.
const CREATE: &str = "/v1/models/ryla/flux-dev/predictions";

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The body of an answer that must have this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{text}");
        self.json()
    }
}

/// An account of a running system.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    app: &'a TestApp,
    account: &'static str,
    key: &'static str,
}

impl<'a> Caller<'a> {
    pub(super) const fn new(
        app: &'a TestApp,
        (account, key): (&'static str, &'static str),
    ) -> Self {
        Self { app, account, key }
    }

    /// Its API key.
    pub(crate) const fn api_key(&self) -> &'static str {
        self.key
    }

    /// A request with its key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.app.url())
        };
        self.app.http.request(method, url).bearer_auth(self.key)
    }

    /// Sends a request; a job that it made is among those that must end.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        self.app.log.never_parts_of(&request);
        let reply = Reply::of(self.app.http.execute(request).await.unwrap()).await;
        if reply.status == 201 {
            let key = self.job(reply.json()["id"].as_str().unwrap());
            self.app.accepted.lock().unwrap().insert(key);
        }
        reply
    }

    /// A GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// A POST without a body.
    pub(crate) async fn post(&self, path: &str) -> Reply {
        self.send(self.request(Method::POST, path)).await
    }

    /// A request for a prediction, not sent yet.
    pub(crate) fn creation(&self, input: &Value) -> RequestBuilder {
        self.request(Method::POST, CREATE)
            .json(&json!({ "input": input }))
    }

    /// Asks for a prediction, which is accepted.
    pub(crate) async fn create(&self, input: &Value) -> Value {
        self.send(self.creation(input)).await.expect(201)
    }

    /// Asks for a small picture; returns its id.
    pub(crate) async fn small(&self, prompt: &str) -> String {
        let created = self.create(&small(prompt)).await;
        created["id"].as_str().unwrap().to_owned()
    }

    /// Asks for a small picture under an id of its own: what the preview GPU does to it, the id decides.
    pub(crate) async fn named(&self, id: &str, prompt: &str) {
        let put = self.request(Method::PUT, &format!("/v1/predictions/{id}"));
        let put = put.json(&json!({ "version": "ryla/flux-dev", "input": small(prompt) }));
        self.send(put).await.expect(201);
    }

    /// Its job of that id.
    pub(crate) fn job(&self, id: &str) -> JobKey {
        JobKey {
            account: self.account.parse().unwrap(),
            id: id.parse().unwrap(),
        }
    }

    /// The prediction as it is.
    pub(crate) async fn prediction(&self, id: &str) -> Value {
        self.get(&format!("/v1/predictions/{id}")).await.expect(200)
    }

    /// The prediction once it has ended.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        let path = format!("/v1/predictions/{id}?wait=10");
        until(&format!("{id} ends"), Duration::from_mins(2), async || {
            let prediction = self.get(&path).await.expect(200);
            match prediction["status"].as_str() {
                Some("succeeded" | "failed" | "canceled") => Ok(prediction),
                _ => Err(prediction.to_string()),
            }
        })
        .await
    }

    /// The prediction once a worker is on it.
    pub(crate) async fn running(&self, id: &str) -> Value {
        until(&format!("{id} runs"), Duration::from_secs(45), async || {
            let prediction = self.prediction(id).await;
            match prediction["status"].as_str() {
                Some("processing") => Ok(prediction),
                _ => Err(prediction.to_string()),
            }
        })
        .await
    }
}

/// The input of a picture that is drawn quickly.
pub(crate) fn small(prompt: &str) -> Value {
    json!({ "prompt": prompt, "width": 256, "height": 256, "seed": 7 })
}
