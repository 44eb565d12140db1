//! GET of one prediction: one read, or with `?wait=n` held until it has ended or n seconds are over.

use crate::body::Body;
use crate::headers::wait_seconds;
use crate::problem::Refusal;
use crate::router::Call;
use http::Response;
use ryla_domain::time::Ms;

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let key = call.key()?;
    let most = call.api.parts.settings.wait_max;
    let limit = match call.query("wait") {
        Some(seconds) => wait_seconds("wait", &seconds, most)?,
        None => Ms(0),
    };
    let mut job = call
        .api
        .parts
        .ports
        .read()
        .job(&key)
        .await?
        .ok_or(Refusal::NoPrediction)?;
    if limit > Ms(0) && !job.state.phase().is_terminal() {
        let waited = call.api.parts.ports.wait().until_ended(&key, limit).await?;
        job = waited.ok_or(Refusal::NoPrediction)?;
    }
    call.read(&job).await
}
