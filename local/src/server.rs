//! Serves the API's router over HTTP/1.1. Reads each body up to just over the router's limit and lets
//! the router refuse it.

use crate::body;
use crate::serve::Server;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use ryla_api::{Api, Body, MAX_BODY_BYTES};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves the API on the listener from now on.
pub(crate) fn start(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    api: Api,
) -> std::io::Result<Server> {
    Server::start(listener, tls, move |request| answer(api.clone(), request))
}

async fn answer(api: Api, request: Request<Incoming>) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    let Ok(body) = body::read(incoming, MAX_BODY_BYTES).await else {
        // The client is gone: nobody reads this.
        let mut response = Response::new(Body::full(Bytes::new()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    api.handle(Request::from_parts(parts, body)).await
}
