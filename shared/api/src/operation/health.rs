//! GET of the health: the process is up, and which build it is. Asks nothing of the table, so that a
//! probe costs nothing and shows nothing.

use super::json;
use crate::body::Body;
use crate::router::Call;
use http::{Response, StatusCode};
use serde_json::json;

pub(crate) fn run(call: &Call<'_>) -> Response<Body> {
    let backend = call
        .api
        .parts
        .settings
        .modal
        .as_ref()
        .map(|modal| &modal.id);
    json(
        StatusCode::OK,
        &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "backend": backend }),
    )
}
