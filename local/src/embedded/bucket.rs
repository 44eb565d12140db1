//! The embedded S3: signature checks and files by s3s, behind the accept loop that switches Nagle's
//! algorithm off, and with the answers to browsers' preflights that s3s does not give.

use super::objects::Objects;
use crate::serve::Server;
use anyhow::Context;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a request that is being answered may hold up the stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// The running bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    server: Server,
}

impl Bucket {
    /// Serves a bucket of that name below `root`.
    pub(super) async fn start(
        root: &Path,
        name: &str,
        access_key_id: &str,
        secret_access_key: &str,
    ) -> anyhow::Result<Self> {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("making the folder {}", folder.display()))?;
        let root = root
            .canonicalize()
            .with_context(|| format!("finding the folder {}", root.display()))?;
        let files = FileSystem::new(&root)
            .map_err(|error| anyhow::anyhow!("opening {}: {error:?}", root.display()))?;
        let mut builder = S3ServiceBuilder::new(Objects::new(files, &root));
        builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("opening a port for S3")?;
        let server = Server::start(listener, None, move |request| {
            answer(service.clone(), request)
        })?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Stops it.
    pub(super) async fn stop(self) {
        self.server.stop(STOP_LIMIT).await;
    }
}

async fn answer(service: S3Service, request: Request<Incoming>) -> Response<Body> {
    let headers = request.headers();
    let from_browser = headers.contains_key(ORIGIN);
    if from_browser
        && request.method() == Method::OPTIONS
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    {
        return preflight(headers.get(ACCESS_CONTROL_REQUEST_HEADERS));
    }
    let mut response = match service.call(request.map(Body::from)).await {
        Ok(response) => response,
        Err(_) => with_status(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if from_browser {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("ETag"),
        );
    }
    response
}

/// Says yes: who may write is for the signature to say, and the headers that it covers.
fn preflight(asked: Option<&HeaderValue>) -> Response<Body> {
    let mut response = with_status(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, PUT, DELETE"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    if let Some(asked) = asked {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
