//! DELETE: removes outputs and input; the figures stay.

use crate::body::Body;
use crate::prediction::Shown;
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let delete = call.api.parts.ports.delete();
    let job = delete
        .run(&call.key()?)
        .await?
        .ok_or(Refusal::NoPrediction)?;
    Ok(call.changed(StatusCode::OK, &job, Shown::Read).await)
}
