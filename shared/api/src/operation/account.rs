//! GET of the account: whose key it is.

use super::json;
use crate::body::Body;
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};
use serde_json::json;

pub(crate) fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let id = call.account()?;
    Ok(json(
        StatusCode::OK,
        &json!({ "type": "organization", "username": id, "name": id, "github_url": null }),
    ))
}
