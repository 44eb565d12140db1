//! S3 as far as both sides need it, in memory: GET with a range, HEAD and conditional PUT of one object,
//! addressed by path. The GPU stub puts without a socket, since its time is not what is measured.

use crate::gpu::Output;
use crate::serve::{Server, empty, reply};
use crate::usage::{Count, Usage};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, RANGE,
};
use http::{Method, Request, Response, StatusCode};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

#[derive(Clone, Debug)]
struct Object {
    bytes: Bytes,
    content_type: String,
    etag: String,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: HashMap<String, Object>,
    usage: Usage,
}

/// The running stub.
#[derive(Debug)]
pub struct S3 {
    bucket: Arc<Mutex<Bucket>>,
    server: Server,
}

impl S3 {
    /// Serves from now on; every bucket exists and is empty.
    pub async fn start() -> std::io::Result<Self> {
        let bucket = Arc::new(Mutex::new(Bucket::default()));
        let handed = Arc::clone(&bucket);
        let server = Server::start(move |request| {
            let response = lock(&handed).answer(&request);
            async move { response }
        })
        .await?;
        Ok(Self { bucket, server })
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What a worker's PUT by a presigned request does; returns the entity tag.
    pub fn put_presigned(&self, output: &Output, bytes: Bytes) -> anyhow::Result<String> {
        let url = Url::parse(&output.put_url).context("the presigned URL")?;
        let signed = url
            .query_pairs()
            .any(|(name, value)| name == "X-Amz-Signature" && value.len() == 64);
        ensure!(signed, "the URL carries no signature of version 4");
        let header = |wanted: &str| {
            let mut headers = output.headers.iter();
            let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.as_str())
        };
        let content_type = header("content-type").context("the content type is not signed")?;
        ensure!(
            header("if-none-match") == Some("*"),
            "the PUT is not conditional"
        );
        let put = lock(&self.bucket).put(url.path(), content_type, bytes, true);
        put.context("there is an object already")
    }

    /// Whether there is such an object.
    pub fn holds(&self, path: &str) -> bool {
        lock(&self.bucket).objects.contains_key(path)
    }

    /// What the functions have asked for so far.
    pub fn usage(&self) -> Usage {
        lock(&self.bucket).usage.clone()
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bucket {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        let header = |name| {
            let value: Option<&HeaderValue> = request.headers().get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let one = Count::read(0.0);
        match *request.method() {
            Method::GET | Method::HEAD => {
                self.usage.add("GetObject", one);
                let head = *request.method() == Method::HEAD;
                self.get(path, header(RANGE), head)
            }
            Method::PUT => {
                self.usage.add("PutObject", one);
                let content_type = header(CONTENT_TYPE).unwrap_or_default();
                let new = header(IF_NONE_MATCH) == Some("*");
                match self.put(path, content_type, request.body().clone(), new) {
                    Some(etag) => tagged(empty(StatusCode::OK), &etag),
                    None => fault(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
                }
            }
            _ => fault(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        }
    }

    fn get(&self, path: &str, range: Option<&str>, head: bool) -> Response<Bytes> {
        let Some(object) = self.objects.get(path) else {
            if head {
                return empty(StatusCode::NOT_FOUND);
            }
            return fault(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let length = object.bytes.len();
        let part = range.and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (first < length).then(|| (first, last.min(length - 1)))
        });
        let mut response = match part {
            Some((first, last)) => {
                let mut response = empty(StatusCode::PARTIAL_CONTENT);
                *response.body_mut() = object.bytes.slice(first..=last);
                let range = HeaderValue::try_from(format!("bytes {first}-{last}/{length}"));
                response
                    .headers_mut()
                    .extend(range.ok().map(|range| (CONTENT_RANGE, range)));
                response
            }
            None if head => empty(StatusCode::OK),
            None => {
                let mut response = empty(StatusCode::OK);
                *response.body_mut() = object.bytes.clone();
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(content_type) = HeaderValue::from_str(&object.content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        tagged(response, &object.etag)
    }

    /// Puts an object; `None` where it must be new and is not.
    fn put(&mut self, path: &str, content_type: &str, bytes: Bytes, new: bool) -> Option<String> {
        if new && self.objects.contains_key(path) {
            return None;
        }
        let etag = format!("\"{:032x}\"", self.objects.len());
        let object = Object {
            bytes,
            content_type: content_type.to_owned(),
            etag: etag.clone(),
        };
        self.objects.insert(path.to_owned(), object);
        Some(etag)
    }
}

fn tagged(mut response: Response<Bytes>, etag: &str) -> Response<Bytes> {
    if let Ok(etag) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn fault(status: StatusCode, code: &str) -> Response<Bytes> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
    reply(status, "application/xml", body.into())
}
