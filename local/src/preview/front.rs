//! The preview GPU's HTTP side: the modal protocol as docs/BACKENDS.md defines it. Validates, claims
//! and answers at once; the work is done, and leases are ended, elsewhere.

use super::Shared;
use super::draw::{Params, format_of};
use super::ledger::Accepted;
use crate::body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use ryla_backends::modal::wire::{
    CancelReply, Health, MAX_SUBMIT_BYTES, Refusal, RunStatus, Sealed, Submit, SubmitReply,
    SubmitWork, WarmFloor, WarmInvalid, WarmReply, WarmRequest, WireError, decode,
};
use ryla_domain::V;
use ryla_domain::failure::Code;
use ryla_domain::id::Run;
use ryla_domain::model::catalog;
use serde::Serialize;
use std::sync::Arc;

/// The most pictures of one run.
const MAX_OUTPUTS: usize = 10;

/// When to come back where too many runs wait, in seconds.
const COME_BACK_S: u64 = 2;

type Reply = Response<Full<Bytes>>;

/// Answers one request.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let method = request.method().clone();
    match (&method, parts.as_slice()) {
        (&Method::POST, ["v1", "jobs"]) => with_body(request, |body| submit(&shared, body)).await,
        (&Method::POST, ["v1", "warm"]) => with_body(request, |body| warm(&shared, body)).await,
        (&Method::GET, ["v1", "jobs", run]) => with_run(run, |run| status(&shared, run)),
        (&Method::POST, ["v1", "jobs", run, "cancel"]) => with_run(run, |run| cancel(&shared, run)),
        (&Method::GET, ["v1", "health"]) => health(&shared),
        _ => refuse(StatusCode::NOT_FOUND, "no_such_route", "no such route"),
    }
}

async fn with_body(request: Request<Incoming>, then: impl FnOnce(&[u8]) -> Reply) -> Reply {
    match body::read(request.into_body(), MAX_SUBMIT_BYTES).await {
        Ok(body) if body.len() > MAX_SUBMIT_BYTES => refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the message is too long",
        ),
        Ok(body) => then(&body),
        Err(_) => refuse(StatusCode::BAD_REQUEST, Code::InvalidInput.name(), "body"),
    }
}

fn submit(shared: &Shared, body: &[u8]) -> Reply {
    let submit = match read_submit(body) {
        Ok(submit) => submit,
        Err(Invalid::Version) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                Refusal::UNSUPPORTED_VERSION,
                "the message has a newer version",
            );
        }
        Err(Invalid::Field(code, field)) => {
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, code.name(), &field);
        }
    };
    let run = submit.run.clone();
    let Some(class) = class_of(&submit.workflow) else {
        let code = Code::ModelMissing.name();
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, code, "workflow");
    };
    let accepted = |status, call_id, duplicate| {
        json(
            status,
            &SubmitReply {
                v: V,
                run: run.clone(),
                call_id,
                duplicate,
            },
        )
    };
    match shared.ledger.accept(submit, class, shared.containers.now()) {
        Accepted::New(call) => {
            shared.containers.look();
            accepted(StatusCode::ACCEPTED, Some(call), false)
        }
        Accepted::Known(call) => accepted(StatusCode::OK, call, true),
        Accepted::Cancelled => refuse(StatusCode::CONFLICT, Refusal::CANCELLED, "it was cancelled"),
        Accepted::Older => {
            let code = Refusal::OLDER_ATTEMPT;
            refuse(StatusCode::CONFLICT, code, "a newer attempt is known")
        }
        Accepted::TooDeep => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut reply = refuse(status, Refusal::TOO_DEEP, "too many runs wait");
            let headers = reply.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(COME_BACK_S));
            reply
        }
        Accepted::Draining => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            refuse(status, Refusal::DRAINING, "nothing new is taken")
        }
    }
}

fn status(shared: &Shared, run: Run) -> Reply {
    let standing = shared.ledger.standing(&run);
    json(
        StatusCode::OK,
        &RunStatus {
            v: V,
            run,
            status: standing.state,
            call_id: standing.call,
            result: standing.result,
        },
    )
}

fn cancel(shared: &Shared, run: Run) -> Reply {
    let status = shared.ledger.cancel(&run);
    shared.containers.look();
    json(StatusCode::OK, &CancelReply { v: V, run, status })
}

fn warm(shared: &Shared, body: &[u8]) -> Reply {
    let containers = &shared.containers;
    let now = containers.now();
    let wanted = match WarmRequest::read(body, now, |class| containers.max_of(class)) {
        Ok(wanted) => wanted,
        Err(WarmInvalid::Message(WireError::Newer(_))) => {
            let code = Refusal::UNSUPPORTED_VERSION;
            let why = "the message has a newer version";
            return refuse(StatusCode::BAD_REQUEST, code, why);
        }
        Err(WarmInvalid::Message(WireError::Malformed { .. })) => {
            let code = Code::InvalidInput.name();
            return refuse(StatusCode::BAD_REQUEST, code, "body: must be JSON");
        }
        Err(error) => {
            let max = match &error {
                WarmInvalid::Field { max, .. } => max.clone().map(|max| [max].into()),
                WarmInvalid::Message(_) => None,
            };
            let refusal = Refusal {
                v: V,
                code: Code::InvalidInput.name().to_owned(),
                message: Some(Sealed::new(error.to_string())),
                max,
            };
            return json(StatusCode::UNPROCESSABLE_ENTITY, &refusal);
        }
    };
    if let Err(error) = shared.leases.take(&wanted, containers) {
        let error = format!("{error:#}");
        tracing::warn!(event = "port", call = "leases.write", error, "port failed");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return refuse(status, Code::Internal.name(), "the lease cannot be kept");
    }
    let classes = wanted.classes.into_iter().map(|(name, class)| {
        let held = WarmFloor {
            floor: class.floor,
            max: containers.max_of(&name),
        };
        (name, held)
    });
    let classes = classes.collect();
    json(StatusCode::OK, &WarmReply { v: V, classes })
}

fn health(shared: &Shared) -> Reply {
    json(
        StatusCode::OK,
        &Health {
            v: V,
            app: "ryla-preview".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            accepting: shared.ledger.accepting(),
            workflows: catalog()
                .iter()
                .map(|model| model.workflow.to_owned())
                .collect(),
            // It has no model files that a start could download, and lacks none.
            ..Health::default()
        },
    )
}

/// Why a submit message is refused: by its version, or by one field.
enum Invalid {
    Version,
    Field(Code, String),
}

fn read_submit(body: &[u8]) -> Result<Submit, Invalid> {
    let invalid = |field: &str| Invalid::Field(Code::InvalidInput, field.to_owned());
    let submit: Submit = match decode(body) {
        Ok(submit) => submit,
        Err(WireError::Newer(_)) => return Err(Invalid::Version),
        Err(WireError::Malformed { line, column }) => {
            let place = format!("body (line {line}, column {column})");
            return Err(invalid(missing_field(body).unwrap_or(&place)));
        }
    };
    if class_of(&submit.workflow).is_none() {
        return Err(Invalid::Field(Code::ModelMissing, "workflow".to_owned()));
    }
    if !(1..=MAX_OUTPUTS).contains(&submit.outputs.len()) {
        return Err(invalid("outputs"));
    }
    for (place, output) in submit.outputs.iter().enumerate() {
        if format_of(&output.content_type).is_none() {
            return Err(invalid(&format!("outputs.{place}.content_type")));
        }
    }
    if let SubmitWork::Params(params) = &submit.work {
        Params::read(&submit.workflow, params.expose())
            .map_err(|field| invalid(&field.to_string()))?;
    }
    Ok(submit)
}

/// The GPU class of a workflow that the catalog has.
fn class_of(workflow: &str) -> Option<&'static str> {
    let model = catalog().iter().find(|model| model.workflow == workflow);
    model.map(|model| model.class)
}

/// The first required field that a message lacks.
fn missing_field(body: &[u8]) -> Option<&'static str> {
    let message: serde_json::Value = serde_json::from_slice(body).ok()?;
    [
        "v",
        "run",
        "workflow",
        "outputs",
        "callback",
        "deadline_at",
        "run_limit_ms",
        "traceparent",
    ]
    .into_iter()
    .find(|field| message.get(field).is_none())
}

fn with_run(text: &str, then: impl FnOnce(Run) -> Reply) -> Reply {
    text.parse().map_or_else(
        |_| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            refuse(status, Code::InvalidInput.name(), "run")
        },
        then,
    )
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Reply {
    json(
        status,
        &Refusal {
            v: V,
            code: code.to_owned(),
            message: Some(Sealed::new(message.to_owned())),
            max: None,
        },
    )
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Reply {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut reply = Response::new(Full::new(bytes.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
