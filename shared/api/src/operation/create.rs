//! POST in its three forms, and PUT: creates a prediction, and holds the request where that pays.

use super::{MAX_BODY_BYTES, OWNER};
use crate::body::Body;
use crate::hash;
use crate::headers;
use crate::prediction::Shown;
use crate::problem::Refusal;
use crate::router::Call;
use crate::routes::Operation;
use http::{HeaderValue, Response, StatusCode};
use ryla_domain::job::Job;
use ryla_domain::model::{self, Model};
use ryla_domain::time::Ms;
use ryla_engine::submit::{Request, Submitted};
use serde_json::{Map, Value};

/// Fields of the body that ask for webhooks, which this version does not send.
const WEBHOOK_FIELDS: [&str; 3] = ["webhook", "webhook_completed", "webhook_events_filter"];

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let body = object(call.body)?;
    let chosen = match call.target.route.operation {
        Operation::Put => {
            let id = call.target.parameter("id").parse();
            Some(id.map_err(|e: ryla_domain::id::BadName| Refusal::field("id", e.to_string()))?)
        }
        _ => None,
    };
    let wait = headers::prefer_wait(call.headers, call.api.parts.settings.wait_max)?;
    let model = model_of(call, &body)?;
    let input = input_of(&body)?;
    if let Some(field) = WEBHOOK_FIELDS
        .iter()
        .find(|f| body.get(**f).is_some_and(|v| !v.is_null()))
    {
        return Err(Refusal::field(
            field,
            "webhooks are not available yet; wait for the prediction or poll it",
        ));
    }
    let request = Request {
        account: call.account()?,
        model,
        input,
        identity: headers::identity(call.headers, chosen)?,
        hash: hash::of_request(
            call.target.route.method,
            &call.target.path,
            &Value::Object(body.clone()),
        ),
        cancel_after: headers::cancel_after(call.headers)?,
        trace: call.trace.clone(),
        retry_of: None,
    };
    let submitted = call
        .api
        .parts
        .ports
        .submit(&call.api.parts.settings)
        .run(&request)
        .await?;
    Ok(respond(call, model, submitted, wait).await)
}

/// The answer to a request that created a job, or that repeated one which did.
pub(super) async fn respond(
    call: &Call<'_>,
    model: &Model,
    submitted: Submitted,
    wait: Option<Ms>,
) -> Response<Body> {
    let Submitted { job, replayed } = submitted;
    let job = hold(call, model, job, wait).await;
    let mut response = call
        .changed(StatusCode::CREATED, &job, Shown::Created)
        .await;
    if replayed {
        response
            .headers_mut()
            .insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// Holds the request while the job may end in time. The job is accepted: a failing read is no reason
/// to answer with anything but the job.
async fn hold(call: &Call<'_>, model: &Model, job: Job, wait: Option<Ms>) -> Job {
    let Some(limit) = wait.filter(|limit| *limit > Ms(0)) else {
        return job;
    };
    let worth_it = call.api.parts.expected.fits(model, limit);
    if job.state.phase().is_terminal() || !worth_it {
        return job;
    }
    match call
        .api
        .parts
        .ports
        .wait()
        .until_ended(&job.key, limit)
        .await
    {
        Ok(Some(later)) => later,
        Ok(None) | Err(_) => job,
    }
}

/// The body as a JSON object, within the limit.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Refusal::TooLarge(MAX_BODY_BYTES));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::NotJson(
            "It is JSON, but not an object.".to_owned(),
        )),
        Err(error) => Err(Refusal::NotJson(format!(
            "It stops being JSON at line {}, column {}; lone surrogates such as \\ud800 are not characters.",
            error.line(),
            error.column()
        ))),
    }
}

fn input_of(body: &Map<String, Value>) -> Result<&Map<String, Value>, Refusal> {
    match body.get("input") {
        Some(Value::Object(input)) => Ok(input),
        Some(_) => Err(Refusal::field(
            "input",
            "must be an object of the model's fields",
        )),
        None => Err(Refusal::field(
            "input",
            "is missing: an object of the model's fields, with a prompt",
        )),
    }
}

/// The model of the path, or of the body's `version`: a bare version id, `owner/name`, or
/// `owner/name:version`. A `version` beside a model in the path must be one of that model.
fn model_of(call: &Call<'_>, body: &Map<String, Value>) -> Result<&'static Model, Refusal> {
    let version = match body.get("version") {
        None | Some(Value::Null) => None,
        Some(Value::String(version)) => Some(version.as_str()),
        Some(_) => return Err(Refusal::field("version", "must be a string")),
    };
    match call.target.route.operation {
        Operation::CreateForModel | Operation::CreateForDeployment => {
            let model = call.model()?;
            match version {
                None => Ok(model),
                Some(version) if named(version).is_some_and(|named| std::ptr::eq(named, model)) => {
                    Ok(model)
                }
                Some(_) => Err(Refusal::field("version", "is not a version of this model")),
            }
        }
        _ => {
            let name = version.or_else(|| body.get("model").and_then(Value::as_str));
            let name = name.ok_or_else(|| {
                Refusal::field(
                    "version",
                    "is missing: a version id, owner/name, or owner/name:version",
                )
            })?;
            named(name).ok_or_else(|| {
                Refusal::field(
                    "version",
                    "there is no such model or version; GET /v1/models lists them",
                )
            })
        }
    }
}

fn named(reference: &str) -> Option<&'static Model> {
    let (name, version) = match reference.split_once(':') {
        Some((name, version)) => (Some(name), Some(version)),
        None if reference.contains('/') => (Some(reference), None),
        None => (None, Some(reference)),
    };
    let fits = |model: &&Model| version.is_none_or(|version| model.version_id() == version);
    match name {
        Some(name) => {
            let (owner, name) = name.split_once('/')?;
            model::find(owner, name).filter(|model| fits(&&**model))
        }
        None => model::catalog()
            .iter()
            .find(|model| model.owner == OWNER && fits(model)),
    }
}
