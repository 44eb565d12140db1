//! One HTTP exchange with an app: sends a request and keeps of the answer only what the mapping in
//! `answer.rs` looks at. Never fails: a lost answer is a result like any other.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use jiff::fmt::rfc2822;
use ryla_domain::time::{Ms, UnixMs};

/// How much of an answer is read: every message of the protocol is far shorter.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The longest pause that a `Retry-After` may ask for: what the queue can delay.
const MAX_RETRY_AFTER: Ms = Ms::seconds(900);

/// What became of a request.
#[derive(Debug)]
pub(super) enum Exchange {
    /// Something answered.
    Answered(Reply),
    /// It never left: no address, no connection, no TLS session.
    NotSent(&'static str),
    /// It may have arrived; no answer did.
    Lost(&'static str),
}

/// An answer, cut to what is looked at.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status code.
    pub(super) status: StatusCode,
    /// Whether it says of itself that it is JSON.
    pub(super) json: bool,
    /// How long it asks to wait.
    pub(super) retry_after: Option<Ms>,
    /// The beginning of its body; all of it, unless it is longer than [`MAX_ANSWER_BYTES`] or broke off.
    pub(super) body: Bytes,
}

/// Sends a request and waits for its answer.
pub(super) async fn exchange(request: reqwest::RequestBuilder) -> Exchange {
    match request.send().await {
        Ok(response) => Exchange::Answered(read(response).await),
        // A connect time-out is both: it counts as not sent.
        Err(error) if error.is_dns() => Exchange::NotSent("no_such_host"),
        Err(error) if error.is_connect() && error.is_timeout() => {
            Exchange::NotSent("connect_timeout")
        }
        Err(error) if error.is_connect() => Exchange::NotSent("connect_failed"),
        Err(error) if error.is_builder() => Exchange::NotSent("request_not_built"),
        Err(error) if error.is_timeout() => Exchange::Lost("timeout"),
        Err(_) => Exchange::Lost("connection_lost"),
    }
}

async fn read(mut response: reqwest::Response) -> Reply {
    let status = response.status();
    let (json, retry_after) = (is_json(response.headers()), retry_after(response.headers()));
    let mut body = BytesMut::new();
    // A body that breaks off is judged by what arrived: it does not decode, but its status stands.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ANSWER_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Reply {
        status,
        json,
        retry_after,
        body: body.freeze(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// `Retry-After` in seconds, or as a date measured against the answer's own `Date`, so that no clock of
/// ours is needed; anything else counts as absent.
fn retry_after(headers: &HeaderMap) -> Option<Ms> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Ms::seconds(seconds),
        Err(_) => date(value)?.since(date(headers.get(DATE)?.to_str().ok()?)?),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn date(text: &str) -> Option<UnixMs> {
    let time = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(UnixMs(time.as_millisecond()))
}
