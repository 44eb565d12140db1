//! GET of a picture, where no CDN serves them: a final URL on our own host, no redirect, the caller's
//! `Authorization` neither read nor needed. Who has the URL has the picture.

use crate::body::Body;
use crate::problem::Refusal;
use crate::router::Call;
use http::Response;
use ryla_domain::output::ObjectKey;

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let path = call.target.path.trim_start_matches('/');
    let key: ObjectKey = path.parse().map_err(|_| Refusal::NoOutput)?;
    let most = call.api.parts.max_output_bytes;
    let images = &call.api.parts.ports.images;
    let Some((content_type, bytes)) = images.get(&key, most).await? else {
        let there = images.glimpse(&key).await?;
        return Err(match there {
            Some(glimpse) if glimpse.bytes > most => Refusal::OutputTooLarge,
            _ => Refusal::NoOutput,
        });
    };
    Response::builder()
        .header("content-type", content_type)
        .body(Body::full(bytes))
        .map_err(|_| Refusal::NoOutput)
}
