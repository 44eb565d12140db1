//! POST .../retry: a new prediction with the input of one that did not succeed.

use super::create::respond;
use crate::body::Body;
use crate::hash;
use crate::headers;
use crate::problem::Refusal;
use crate::router::Call;
use http::Response;
use serde_json::Value;

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let wait = headers::prefer_wait(call.headers, call.api.parts.settings.wait_max)?;
    let identity = headers::identity(call.headers, None)?;
    let hash = hash::of_request(call.target.route.method, &call.target.path, &Value::Null);
    let retry = call.api.parts.ports.retry(&call.api.parts.settings);
    let submitted = retry
        .run(&call.key()?, identity, hash, call.trace.clone())
        .await?
        .ok_or(Refusal::NoPrediction)?;
    let model =
        ryla_domain::model::find(super::OWNER, &submitted.job.model).ok_or(Refusal::NoModel)?;
    Ok(respond(call, model, submitted, wait).await)
}
