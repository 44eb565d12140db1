//! What API Gateway does for an HTTP API: requests become events of payload version 2.0, replies of
//! functions become responses.

use anyhow::Context;
use bytes::Bytes;
use data_encoding::BASE64;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A request as a client sends it.
#[derive(Clone, Debug)]
pub struct Call {
    /// HTTP method.
    pub method: &'static str,
    /// Path, without a query.
    pub path: String,
    /// Headers with lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Bytes,
}

/// A response as a client gets it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON, where the status is the wanted one.
    pub fn json(&self, wanted: StatusCode) -> anyhow::Result<Value> {
        let text = || String::from_utf8_lossy(&self.body).into_owned();
        anyhow::ensure!(self.status == wanted, "{}: {}", self.status, text());
        serde_json::from_slice(&self.body).with_context(text)
    }
}

/// The event of a request.
pub fn event(call: &Call) -> Bytes {
    let headers: Map<String, Value> = call
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdefghij",
            "http": {
                "method": call.method,
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "ryla-bench",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:21:12:02 +0000",
            "timeEpoch": 1_795_381_922_000_i64,
        },
        "body": String::from_utf8_lossy(&call.body),
        "isBase64Encoded": false,
    })
    .to_string()
    .into()
}

/// The response that a function's reply means.
pub fn answer(reply: &Bytes) -> anyhow::Result<Answer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        status_code: u16,
        #[serde(default)]
        body: Option<String>,
        #[serde(default)]
        is_base64_encoded: bool,
    }
    let reply: Reply = serde_json::from_slice(reply).context("the function's reply")?;
    let body = reply.body.unwrap_or_default();
    let body = if reply.is_base64_encoded {
        BASE64.decode(body.as_bytes())?.into()
    } else {
        body.into()
    };
    Ok(Answer {
        status: StatusCode::from_u16(reply.status_code)?,
        body,
    })
}
