//! GET of the OpenAPI document of this API.

use super::json;
use crate::body::Body;
use crate::document;
use crate::router::Call;
use http::{Response, StatusCode};

pub(crate) fn run(call: &Call<'_>) -> Response<Body> {
    json(StatusCode::OK, &document::openapi(call.links().api))
}
