//! Puts a finished picture into the bucket with exactly the signed headers, and reads the answer as the
//! protocol does: 412 means that an earlier run of this attempt was here, 403 that the URL is too old.

use super::report::Reporter;
use reqwest::StatusCode;
use ryla_backends::modal::wire::{OutputReport, OutputTarget};
use std::time::Duration;
use tokio::time::Instant;

/// How long one PUT may take.
const PUT_LIMIT: Duration = Duration::from_mins(1);

/// For how long a bucket that cannot take the picture is tried again.
const RETRY_FOR: Duration = Duration::from_mins(5);

/// How often a new URL is asked for: one that is refused at once has not run out.
const RENEWALS: u32 = 1;

/// A picture that was drawn.
pub(super) struct Picture {
    pub(super) bytes: bytes::Bytes,
    pub(super) width: u32,
    pub(super) height: u32,
}

enum Answer {
    Stored(Option<String>),
    Existed,
    Again,
    TooOld,
    Refused,
}

/// Puts the picture; `None` where the bucket did not take it.
pub(super) async fn put(
    http: &reqwest::Client,
    target: &OutputTarget,
    picture: &Picture,
    reporter: &mut Reporter,
) -> Option<OutputReport> {
    let mut target = target.clone();
    let begun = Instant::now();
    let mut pause = Duration::from_millis(500);
    let mut renewals = 0;
    loop {
        match send(http, &target, picture).await {
            Answer::Stored(etag) => {
                return Some(OutputReport {
                    etag,
                    bytes: Some(picture.bytes.len() as u64),
                    width: Some(picture.width),
                    height: Some(picture.height),
                    content_type: Some(target.content_type),
                    ..existing(target.slot, false)
                });
            }
            Answer::Existed => return Some(existing(target.slot, true)),
            Answer::TooOld if renewals < RENEWALS => {
                renewals += 1;
                let reply = reporter.renew().await?;
                let mut urls = reply.put_urls.into_iter();
                let renewed = urls.find(|url| url.slot == target.slot)?;
                target.put_url = renewed.put_url;
                target.headers = renewed.headers;
                continue;
            }
            Answer::TooOld | Answer::Refused => return None,
            Answer::Again => {}
        }
        if begun.elapsed() + pause > RETRY_FOR {
            return None;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Of a picture that lay there already the worker knows nothing.
const fn existing(slot: u8, existed: bool) -> OutputReport {
    OutputReport {
        slot,
        etag: None,
        bytes: None,
        width: None,
        height: None,
        content_type: None,
        existed,
        likeness: None,
        safety: None,
    }
}

async fn send(http: &reqwest::Client, target: &OutputTarget, picture: &Picture) -> Answer {
    let mut request = http
        .put(target.put_url.expose())
        .timeout(PUT_LIMIT)
        .body(picture.bytes.clone());
    for (name, value) in &target.headers {
        request = request.header(name, value);
    }
    let Ok(response) = request.send().await else {
        return Answer::Again;
    };
    match response.status() {
        StatusCode::OK => {
            let etag = response
                .headers()
                .get("etag")
                .and_then(|etag| etag.to_str().ok());
            Answer::Stored(etag.map(|etag| etag.trim_matches('"').to_owned()))
        }
        StatusCode::PRECONDITION_FAILED => Answer::Existed,
        StatusCode::FORBIDDEN => Answer::TooOld,
        StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Answer::Again
        }
        status if status.is_server_error() => Answer::Again,
        _ => Answer::Refused,
    }
}
