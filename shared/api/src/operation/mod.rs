//! The operations, one a file: decode the request, call one use case, encode the answer.

pub(crate) mod account;
pub(crate) mod callback;
pub(crate) mod cancel;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod output;
pub(crate) mod retry;
pub(crate) mod warm;

use crate::body::Body;
use crate::prediction::{Links, Shown, render};
use crate::problem::Refusal;
use crate::router::{Call, REQUEST_ID};
use http::{HeaderValue, Response, StatusCode};
use ryla_domain::id::{JobId, JobKey};
use ryla_domain::job::Job;
use ryla_domain::model::Model;
use ryla_engine::log::port_failed;
use serde_json::Value;

/// The longest body of a request: what a Lambda takes.
pub(crate) const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// The owner of every model.
pub(crate) const OWNER: &str = "ryla";

pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    // Not by `Display`, which writes piece by piece. A value's keys are text: it cannot fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    response
}

impl<'a> Call<'a> {
    /// The prediction that the path names, within the caller's account. A name that no prediction can
    /// have is answered like one that none has.
    pub(crate) fn key(&self) -> Result<JobKey, Refusal> {
        let id: JobId = self
            .target
            .parameter("id")
            .parse()
            .map_err(|_| Refusal::NoPrediction)?;
        Ok(JobKey {
            account: self.account()?.clone(),
            id,
        })
    }

    /// The model that the path names.
    pub(crate) fn model(&self) -> Result<&'static Model, Refusal> {
        let (owner, name) = (
            self.target.parameter("owner"),
            self.target.parameter("name"),
        );
        ryla_domain::model::find(owner, name).ok_or(Refusal::NoModel)
    }

    pub(crate) fn links(&self) -> Links<'a> {
        Links {
            api: &self.api.parts.settings.public_url,
            outputs: &self.api.parts.settings.output_base_url,
        }
    }

    /// The job as it was read, its input fetched from where it lies.
    pub(crate) async fn read(&self, job: &Job) -> Result<Response<Body>, Refusal> {
        let input = self.api.parts.ports.read().input(job).await?;
        Ok(self.prediction(StatusCode::OK, job, input, Shown::Read))
    }

    /// The job after a request that changed something. That has happened: an input that cannot be
    /// fetched is no reason to answer with anything but the job.
    pub(crate) async fn changed(
        &self,
        status: StatusCode,
        job: &Job,
        shown: Shown,
    ) -> Response<Body> {
        let input = match self.api.parts.ports.read().input(job).await {
            Ok(input) => input,
            Err(error) => {
                let run = job.run().to_string();
                port_failed("images.get", &run, job.trace.as_str(), &error);
                None
            }
        };
        self.prediction(status, job, input, shown)
    }

    fn prediction(
        &self,
        status: StatusCode,
        job: &Job,
        input: Option<Value>,
        shown: Shown,
    ) -> Response<Body> {
        let mut response = json(status, &render(job, input, self.links(), shown));
        if let Ok(trace) = HeaderValue::from_str(job.trace.as_str()) {
            response.headers_mut().insert(REQUEST_ID, trace);
        }
        response
    }

    /// The value of a query parameter; the first one counts.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            (key == name).then(|| {
                percent_encoding::percent_decode_str(&value)
                    .decode_utf8_lossy()
                    .into_owned()
            })
        })
    }
}
