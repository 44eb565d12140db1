//! POST .../cancel: what has ended stays as it is, and is no error.

use crate::body::Body;
use crate::prediction::Shown;
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let cancel = call.api.parts.ports.cancel(&call.api.parts.settings);
    let job = cancel
        .run(&call.key()?)
        .await?
        .ok_or(Refusal::NoPrediction)?;
    Ok(call.changed(StatusCode::OK, &job, Shown::Read).await)
}
