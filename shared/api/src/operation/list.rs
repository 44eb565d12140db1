//! GET of the list: pages with absolute links, newest first.

use super::json;
use crate::body::Body;
use crate::prediction::{Shown, render};
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};
use jiff::Timestamp;
use ryla_domain::time::UnixMs;
use ryla_engine::cursor::Cursor;
use ryla_engine::list::Wanted;
use serde_json::json;

/// Jobs on a page unless the caller says otherwise, and at most.
const PAGE: u32 = 100;

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let cursor = match call.query("cursor") {
        Some(token) => Some(Cursor::decode(&token).map_err(|_| {
            Refusal::field(
                "cursor",
                "is not one that this system gave out; begin again without it",
            )
        })?),
        None => None,
    };
    let wanted = Wanted {
        cursor,
        created_after: time(call, "created_after")?,
        created_before: time(call, "created_before")?,
        page_size: page_size(call)?,
    };
    let page = call
        .api
        .parts
        .ports
        .list()
        .page(call.account()?, &wanted)
        .await?;
    let read = call.api.parts.ports.read();
    let mut results = Vec::with_capacity(page.jobs.len());
    for job in &page.jobs {
        let input = read.input(job).await?;
        results.push(render(job, input, call.links(), Shown::Read));
    }
    let link = |cursor: Option<Cursor>| cursor.map(|cursor| link(call, &cursor));
    Ok(json(
        StatusCode::OK,
        &json!({ "next": link(page.next), "previous": link(page.previous), "results": results }),
    ))
}

fn page_size(call: &Call<'_>) -> Result<u32, Refusal> {
    match call.query("page_size").or_else(|| call.query("limit")) {
        None => Ok(PAGE),
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=PAGE).contains(size))
            .ok_or_else(|| Refusal::field("page_size", "must be a whole number from 1 to 100")),
    }
}

fn time(call: &Call<'_>, name: &str) -> Result<Option<UnixMs>, Refusal> {
    let Some(text) = call.query(name) else {
        return Ok(None);
    };
    // A `+` of an offset arrives as a space where the client did not escape it.
    let parsed: Result<Timestamp, _> = text.replace(' ', "+").parse();
    match parsed.map(|time| UnixMs(time.as_millisecond())) {
        Ok(time) if time.0 >= 0 => Ok(Some(time)),
        _ => Err(Refusal::field(
            name,
            "must be a point in time in ISO 8601, such as 2026-11-21T09:30:00Z, not before 1970",
        )),
    }
}

/// The absolute URL of another page, with the caller's own filters.
fn link(call: &Call<'_>, cursor: &Cursor) -> String {
    let mut url = format!(
        "{}/v1/predictions?cursor={}",
        call.links().api,
        cursor.encode()
    );
    for name in ["created_after", "created_before", "page_size", "limit"] {
        if let Some(value) = call.query(name) {
            let value =
                percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            url.push_str(&format!("&{name}={value}"));
        }
    }
    url
}
