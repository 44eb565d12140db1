//! The router behind API Gateway: requests come from `lambda_http`, pictures go back as base64.

use crate::Api;
use http::header::CONTENT_TYPE;
use lambda_http::{Body, Error, Request, Response, service_fn};

/// Serves the API until Lambda ends the process.
pub async fn serve(api: Api) -> Result<(), Error> {
    lambda_http::run(service_fn(move |request: Request| {
        let api = api.clone();
        async move { Ok::<_, Error>(answer(&api, request).await) }
    }))
    .await
}

/// Answers one event.
pub async fn answer(api: &Api, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = body.to_vec().into();
    let (parts, body) = api
        .handle(http::Request::from_parts(parts, bytes))
        .await
        .into_parts();
    let bytes = body.into_bytes();
    let text = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    let body = match String::from_utf8(bytes.into()) {
        Ok(body) if body.is_empty() => Body::Empty,
        Ok(body) if text => Body::Text(body),
        Ok(body) => Body::Binary(body.into_bytes()),
        Err(binary) => Body::Binary(binary.into_bytes()),
    };
    Response::from_parts(parts, body)
}
