//! GET of the list: pages with absolute links, newest first.

use super::json;
use crate::body::Body;
use crate::prediction::{Shown, render};
use crate::problem::Refusal;
use crate::router::Call;
use futures_util::future::try_join_all;
use http::{Response, StatusCode};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ryla_domain::time::UnixMs;
use ryla_engine::cursor::Cursor;
use ryla_engine::list::Wanted;
use serde_json::{Value, json};

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
    // Side by side: only inputs that are too long for their row cost a read at all.
    let inputs = try_join_all(page.jobs.iter().map(|job| read.input(job))).await?;
    let results: Vec<Value> = page
        .jobs
        .iter()
        .zip(inputs)
        .map(|(job, input)| render(job, input, call.links(), Shown::Read))
        .collect();
    let link = |cursor: Option<Cursor>| cursor.map(|cursor| link(call, &cursor));
    Ok(json(
        StatusCode::OK,
        &json!({ "next": link(page.next), "previous": link(page.previous), "results": results }),
    ))
}

fn page_size(call: &Call<'_>) -> Result<u32, Refusal> {
    match call.query("page_size") {
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
    let filters = ["created_after", "created_before", "page_size"];
    let kept = filters.iter().filter_map(|name| {
        let value = call.query(name)?;
        let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
        Some(format!("&{name}={value}"))
    });
    let (api, cursor) = (call.links().api, cursor.encode());
    let mut url = format!("{api}/v1/predictions?cursor={cursor}");
    url.extend(kept);
    url
}
