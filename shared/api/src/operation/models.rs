//! Models and their versions, as the official clients read them.

use super::json;
use crate::body::Body;
use crate::prediction::Links;
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};
use ryla_domain::model::{Model, catalog};
use serde_json::{Value, json};

/// When the first versions were released: clients need a date.
const RELEASED: &str = "2026-11-21T00:00:00Z";

/// The least version of cog whose schemas look like ours: clients compare it.
const COG_VERSION: &str = "0.9.0";

pub(crate) fn list(call: &Call<'_>) -> Response<Body> {
    let results: Vec<Value> = catalog()
        .iter()
        .map(|model| render(model, call.links()))
        .collect();
    page(&results)
}

pub(crate) fn get(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    Ok(json(StatusCode::OK, &render(call.model()?, call.links())))
}

pub(crate) fn list_versions(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    Ok(page(&[version(call.model()?)]))
}

pub(crate) fn get_version(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let model = call.model()?;
    if call.target.parameter("id") != model.version_id() {
        return Err(Refusal::NoVersion);
    }
    Ok(json(StatusCode::OK, &version(model)))
}

fn page(results: &[Value]) -> Response<Body> {
    json(
        StatusCode::OK,
        &json!({ "next": null, "previous": null, "results": results }),
    )
}

fn render(model: &Model, links: Links<'_>) -> Value {
    json!({
        "url": format!("{}/v1/models/{}", links.api, model.slug()),
        "owner": model.owner,
        "name": model.name,
        "description": model.description,
        "license_note": model.license_note,
        "visibility": "public",
        "github_url": null,
        "paper_url": null,
        "license_url": null,
        "cover_image_url": null,
        "run_count": 0,
        "default_example": null,
        "latest_version": version(model),
    })
}

fn version(model: &Model) -> Value {
    json!({
        "id": model.version_id(),
        "created_at": RELEASED,
        "cog_version": COG_VERSION,
        "openapi_schema": model.openapi_schema(),
    })
}
