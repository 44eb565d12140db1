//! Requests of clients, as text: a line `METHOD target`, headers, an empty line, the body. No client may
//! get a 5xx, an answer that is not JSON, or at another account's job, whatever it sends.

use crate::world::{Answer, KEY, World};
use bytes::Bytes;
use http::{Method, Request, Uri};
use serde_json::Value;

pub(crate) fn run(data: &[u8]) {
    let Some(request) = read(data) else { return };
    let world = World::new();
    let answer = world.send(request.clone());
    judge(&request, &answer);
    if answer.status == 201 {
        let created = json(&answer);
        assert_visible(&world, &request, &created);
        if request.headers().contains_key("idempotency-key") || request.method() == Method::PUT {
            let again = world.send(request.clone());
            judge(&request, &again);
            assert_eq!(again.status, 201, "a repetition gets the first one's job");
            assert_eq!(json(&again)["id"], created["id"]);
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
        }
    }
    world.assert_bobs_job_is_as_it_was();
}

/// A request that an HTTP server would hand on; `None` for other bytes.
fn read(data: &[u8]) -> Option<Request<Bytes>> {
    let (head, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.splitn(2, |byte| *byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let target = Uri::try_from(words.next()?).ok()?;
    // What a server takes is a path; `*` and `host:port` have none.
    target
        .path_and_query()
        .filter(|path| path.path().starts_with('/'))?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..at], line[at + 1..].trim_ascii());
    }
    let mut request = request.body(Bytes::copy_from_slice(body)).ok()?;
    let key = http::HeaderValue::try_from(format!("Bearer {KEY}")).ok()?;
    request.headers_mut().entry("authorization").or_insert(key);
    Some(request)
}

/// What holds for every answer.
fn judge(request: &Request<Bytes>, answer: &Answer) {
    let status = answer.status;
    assert!(
        status < 500,
        "{status} to {} {}",
        request.method(),
        request.uri()
    );
    assert!(
        answer
            .header("x-request-id")
            .is_some_and(|id| id.len() == 32)
    );
    let picture = status == 200 && answer.header("content-type") == Some("image/jpeg");
    if picture || answer.body.is_empty() {
        return;
    }
    let body = json(answer);
    if status >= 400 {
        assert_eq!(body["status"], status, "a problem names its status");
        assert!(body["title"].is_string() && body["detail"].is_string());
        assert_eq!(body["trace_id"].as_str(), answer.header("x-request-id"));
    }
}

fn json(answer: &Answer) -> Value {
    let body = serde_json::from_slice(&answer.body);
    assert!(body.is_ok(), "the body is JSON: {body:?}");
    body.unwrap_or_default()
}

/// The caller can read what it made, with the input as it was resolved.
fn assert_visible(world: &World, request: &Request<Bytes>, created: &Value) {
    let path = format!(
        "/v1/predictions/{}",
        created["id"].as_str().unwrap_or_default()
    );
    let mut get = Request::builder().uri(path);
    if let Some(key) = request.headers().get("authorization") {
        get = get.header("authorization", key);
    }
    let Ok(get) = get.body(Bytes::new()) else {
        unreachable!("an id stands in a path as it is")
    };
    let read = world.send(get);
    assert_eq!(read.status, 200, "an accepted job is there");
    assert_eq!(json(&read)["input"], created["input"]);
}
