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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestApp;
    use ryla_domain::state::Phase;

    fn get(path: &str) -> Request {
        let request = http::Request::get(path).body(Body::Empty);
        request.unwrap()
    }

    #[tokio::test]
    async fn a_picture_leaves_as_bytes_and_json_as_text() {
        let app = TestApp::new();
        let job = app.plant_alices("my-own-job", Phase::Succeeded);
        // Bytes that happen to be text are a picture all the same.
        for bytes in [b"\xff\xd8".to_vec(), b"text".to_vec()] {
            app.images
                .place(&job.output_key(0), "image/jpeg", bytes.clone());
            let path = format!("/{}", job.output_key(0));
            let picture = answer(&app.api, get(&path)).await;
            assert_eq!(picture.body(), &Body::Binary(bytes));
        }
        for path in ["/v1/health", "/v1/account"] {
            let reply = answer(&app.api, get(path)).await;
            assert!(matches!(reply.body(), Body::Text(_)), "{path}");
        }
    }

    #[tokio::test]
    async fn the_body_of_an_event_reaches_the_router_whole() {
        let app = TestApp::new();
        for body in [Body::Text("[]".to_owned()), Body::Binary(b"[]".to_vec())] {
            let request = http::Request::post("/v1/predictions")
                .header("authorization", format!("Bearer {}", crate::tests::ALICE))
                .body(body);
            let reply = answer(&app.api, request.unwrap()).await;
            let Body::Text(text) = reply.body() else {
                panic!("problems are text");
            };
            assert!(text.contains("It is JSON, but not an object."), "{text}");
        }
    }
}
