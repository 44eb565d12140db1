//! Everything that the API refuses, and the one table that says with which status and words. What the
//! caller reads is here; what the log records stays in the error's source.

use crate::body::Body;
use http::{Response, StatusCode};
use ryla_domain::failure::Code;
use ryla_domain::id::TraceId;
use ryla_domain::input::{InvalidField, InvalidInput};
use ryla_engine::complete::CompleteError;
use ryla_engine::delete::DeleteError;
use ryla_engine::port::{ImageError, StoreError};
use ryla_engine::retry::RetryError;
use ryla_engine::submit::SubmitError;
use serde_json::json;

/// A request that is not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No such route.
    NoRoute,
    /// The route takes other methods.
    Method(Vec<&'static str>),
    /// No key, or an unknown one.
    Unauthorized,
    /// No such prediction of this account.
    NoPrediction,
    /// No such model.
    NoModel,
    /// No such version of the model.
    NoVersion,
    /// No picture there.
    NoOutput,
    /// The picture is too large to be served by this function.
    OutputTooLarge,
    /// The body is not JSON; where it stops being so.
    NotJson(String),
    /// The body is longer than this many bytes.
    TooLarge(usize),
    /// Fields that are not as they must be.
    Invalid(Vec<InvalidField>),
    /// The idempotency key or id belongs to another request.
    UsedByAnother,
    /// The prediction has not ended.
    StillOpen,
    /// The prediction did not fail.
    NotFailed,
    /// The prediction's input was removed.
    InputRemoved,
    /// A callback's signature does not match.
    BadSignature,
    /// A callback's time stamp is too far away; our time in seconds.
    StaleTimestamp(i64),
    /// A callback that cannot be read.
    BadCallback,
    /// No backend is configured.
    NoBackend,
    /// A callback claims a picture that is not there yet.
    NotThereYet,
    /// The row or message is for a newer build.
    Newer,
    /// The table or bucket is throttled or away.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The row cannot be read.
    Corrupt(Box<dyn std::error::Error + Send + Sync>),
}

/// A row of the table.
pub(crate) struct Row {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// Short name of the problem.
    pub(crate) title: &'static str,
    /// What happened and what to change, where it is always the same.
    pub(crate) detail: &'static str,
    /// Seconds after which the same request may succeed.
    pub(crate) retry_after: Option<u32>,
}

const fn row(status: StatusCode, title: &'static str, detail: &'static str) -> Row {
    Row {
        status,
        title,
        detail,
        retry_after: None,
    }
}

const fn later(title: &'static str, detail: &'static str, seconds: u32) -> Row {
    Row {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title,
        detail,
        retry_after: Some(seconds),
    }
}

impl Refusal {
    /// Its row of the table.
    #[expect(clippy::too_many_lines, reason = "one table, one row a kind")]
    pub(crate) const fn row(&self) -> Row {
        match self {
            Self::NoRoute => row(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such route; GET /v1/openapi.json lists them.",
            ),
            Self::Method(_) => row(
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "This route takes other methods; see the Allow header.",
            ),
            Self::Unauthorized => row(
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "Send a valid API key as `Authorization: Bearer KEY`.",
            ),
            Self::NoPrediction => row(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such prediction.",
            ),
            Self::NoModel => row(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such model; GET /v1/models lists them.",
            ),
            Self::NoVersion => row(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such version; GET /v1/models/{owner}/{name}/versions lists them.",
            ),
            Self::NoOutput => row(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such output: it was removed, or its retention is over.",
            ),
            Self::OutputTooLarge => row(
                StatusCode::NOT_IMPLEMENTED,
                "Output too large",
                "The output is too large to be served without a CDN; deploy with Cdn=true.",
            ),
            Self::NotJson(_) => row(
                StatusCode::BAD_REQUEST,
                "Invalid JSON",
                "The body must be a JSON object in UTF-8.",
            ),
            Self::TooLarge(_) => row(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Body too large",
                "The body is too large.",
            ),
            Self::Invalid(_) => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Invalid input",
                "Some fields are not as they must be; see invalid_fields.",
            ),
            Self::UsedByAnother => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Key used for another request",
                "This Idempotency-Key or id belongs to a request with another body or path; use a new one.",
            ),
            Self::StillOpen => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Still open",
                "The prediction has not ended; cancel it first.",
            ),
            Self::NotFailed => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Not failed",
                "Only a failed or canceled prediction can be retried.",
            ),
            Self::InputRemoved => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Input removed",
                "The input of this prediction was removed; create a new one.",
            ),
            Self::BadSignature => row(
                StatusCode::UNAUTHORIZED,
                "Bad signature",
                "The signature does not match the run and the body.",
            ),
            Self::StaleTimestamp(_) => row(
                StatusCode::UNAUTHORIZED,
                "Stale timestamp",
                "The time stamp is more than 300 s from server_time; sign again with that offset.",
            ),
            Self::BadCallback => row(
                StatusCode::BAD_REQUEST,
                "Bad callback",
                "The body is not a callback of this protocol.",
            ),
            Self::NoBackend => Row {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "No backend",
                detail: Code::NoBackend.meaning().sentence,
                retry_after: None,
            },
            Self::NotThereYet => later(
                "Not there yet",
                "The picture is not in the bucket yet; send the callback again.",
                1,
            ),
            Self::Newer => later(
                "Newer version",
                "This belongs to a newer build; try again.",
                5,
            ),
            Self::Unavailable(_) => later(
                "Unavailable",
                "The system is busy; nothing was changed by this request as far as is known. Try again.",
                1,
            ),
            Self::Corrupt(_) => row(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "This record cannot be read. Give the trace id to whoever runs the system.",
            ),
        }
    }

    /// The problem's detail: the table's, or the case's own where it says more.
    fn detail(&self) -> String {
        match self {
            Self::NotJson(place) => format!("{} {place}", self.row().detail),
            Self::TooLarge(most) => {
                format!("{} It may have at most {most} bytes.", self.row().detail)
            }
            _ => self.row().detail.to_owned(),
        }
    }

    /// The response, with the trace id by which the log knows the request.
    pub(crate) fn response(&self, trace: &TraceId) -> Response<Body> {
        let row = self.row();
        let mut problem = json!({
            "type": "about:blank",
            "title": row.title,
            "detail": self.detail(),
            "status": row.status.as_u16(),
            "trace_id": trace,
        });
        let mut response = Response::builder()
            .status(row.status)
            .header("content-type", "application/problem+json");
        match self {
            Self::Invalid(fields) => problem["invalid_fields"] = json!(fields),
            Self::StaleTimestamp(now) => {
                problem["v"] = json!(ryla_domain::V);
                problem["code"] = json!("stale_timestamp");
                problem["server_time"] = json!(now);
            }
            Self::BadSignature => {
                problem["v"] = json!(ryla_domain::V);
                problem["code"] = json!("bad_signature");
            }
            Self::NoBackend => problem["code"] = json!(Code::NoBackend.name()),
            Self::Method(allowed) => response = response.header("allow", allowed.join(", ")),
            Self::Unauthorized => response = response.header("www-authenticate", "Bearer"),
            _ => {}
        }
        if let Some(seconds) = row.retry_after {
            problem["retry_after"] = json!(seconds);
            response = response.header("retry-after", seconds);
        }
        let body = Body::full(problem.to_string());
        response
            .body(body.clone())
            .unwrap_or_else(|_| Response::new(body))
    }

    /// What the log says of the cause, where there is one beyond the table's words.
    pub(crate) fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        match self {
            Self::Unavailable(cause) | Self::Corrupt(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }

    /// One field that is not as it must be.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![InvalidField {
            field: field.to_owned(),
            message: message.into(),
        }])
    }
}

impl From<InvalidInput> for Refusal {
    fn from(InvalidInput(fields): InvalidInput) -> Self {
        Self::Invalid(fields)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Throttled(_) | StoreError::Unavailable(_) => {
                Self::Unavailable(error.into())
            }
            StoreError::Newer(_) | StoreError::NewerValue(_) => Self::Newer,
            StoreError::Corrupt(_) => Self::Corrupt(error.into()),
        }
    }
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Invalid(invalid) => invalid.into(),
            SubmitError::NoBackend => Self::NoBackend,
            SubmitError::UsedByAnother => Self::UsedByAnother,
            SubmitError::Store(error) => error.into(),
            SubmitError::Images(error) => error.into(),
        }
    }
}

impl From<DeleteError> for Refusal {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::StillOpen => Self::StillOpen,
            DeleteError::Store(error) => error.into(),
            DeleteError::Images(error) => error.into(),
        }
    }
}

impl From<RetryError> for Refusal {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NotFailed => Self::NotFailed,
            RetryError::InputRemoved => Self::InputRemoved,
            RetryError::NoModel => Self::NoModel,
            RetryError::Submit(error) => error.into(),
            RetryError::Store(error) => error.into(),
            RetryError::Images(error) => error.into(),
        }
    }
}

impl From<CompleteError> for Refusal {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::NotThereYet => Self::NotThereYet,
            CompleteError::Store(error) => error.into(),
            CompleteError::Images(error) => error.into(),
        }
    }
}
