//! The message that starts a run, and its answer.

use super::{Sealed, is_false, lenient, traceparent};
use ryla_domain::V;
use ryla_domain::id::{CallId, Run};
use ryla_domain::time::UnixMs;
use ryla_engine::port::{self, OutputSlot, RunRequest, Work};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `POST {base}/v1/jobs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submit {
    /// Version of the message.
    pub v: u32,
    /// The attempt's name: the resource, and the idempotency key.
    pub run: Run,
    /// Which workflow, named as in `infra/workflows`.
    pub workflow: String,
    /// `params` or `input_url`.
    #[serde(flatten)]
    pub work: SubmitWork,
    /// Files that the workflow needs.
    #[serde(default)]
    pub inputs: Vec<InputFile>,
    /// Where the pictures go, 1 to 10 of them.
    pub outputs: Vec<OutputTarget>,
    /// Where and how to report.
    pub callback: CallbackAddress,
    /// Unix milliseconds: no work is begun after this.
    pub deadline_at: UnixMs,
    /// How long the run may take once a worker has begun.
    pub run_limit_ms: u64,
    /// W3C trace context of the run.
    pub traceparent: String,
}

/// What the worker is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmitWork {
    /// The resolved input, at most 8 KiB.
    Params(Sealed<serde_json::Value>),
    /// A presigned GET of the resolved input.
    InputUrl(Sealed<String>),
}

/// A file that the worker fetches before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// The input field that it fills.
    pub name: String,
    /// A presigned GET.
    pub get_url: Sealed<String>,
    /// What its bytes must hash to, in lower-case hexadecimal.
    pub sha256: String,
}

/// Where one picture goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputTarget {
    /// Which of the job's pictures, from 0.
    pub slot: u8,
    /// The media type that the URL is signed for.
    pub content_type: String,
    /// A presigned PUT.
    pub put_url: Sealed<String>,
    /// The signed headers: sent exactly so, and no `x-amz-*` header beside them.
    pub headers: BTreeMap<String, String>,
}

/// Where and how the worker reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackAddress {
    /// Where callbacks are posted.
    pub url: String,
    /// Which master secret the key comes from.
    pub kid: String,
    /// The run's signing key: this text itself is the HMAC key.
    pub key: Sealed<String>,
}

/// The answer to [`Submit`]: 202 for a new run, 200 for one that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitReply {
    /// Version of the message.
    pub v: u32,
    /// The run that was accepted.
    pub run: Run,
    /// The app's own name for the run, where it has one already. Information only.
    #[serde(default, deserialize_with = "lenient")]
    pub call_id: Option<CallId>,
    /// The run was known before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub duplicate: bool,
}

impl Submit {
    /// The message for a run.
    pub fn of(request: &RunRequest) -> Self {
        Self {
            v: V,
            run: request.run.clone(),
            workflow: request.workflow.clone(),
            work: match &request.work {
                Work::Params(params) => SubmitWork::Params(Sealed::new(params.clone())),
                Work::ParamsAt(url) => SubmitWork::InputUrl(Sealed::new(url.expose().to_owned())),
            },
            inputs: request.inputs.iter().map(InputFile::of).collect(),
            outputs: request.outputs.iter().map(OutputTarget::of).collect(),
            callback: CallbackAddress {
                url: request.callback.url.clone(),
                kid: request.callback.kid.clone(),
                key: Sealed::new(request.callback.key.expose_secret().to_owned()),
            },
            deadline_at: request.deadline_at,
            run_limit_ms: request.run_limit.0,
            traceparent: traceparent(&request.trace, &request.run),
        }
    }
}

impl InputFile {
    fn of(file: &port::InputFile) -> Self {
        Self {
            name: file.field.clone(),
            get_url: Sealed::new(file.get.expose().to_owned()),
            sha256: file.sha256.clone(),
        }
    }
}

impl OutputTarget {
    fn of(output: &OutputSlot) -> Self {
        Self {
            slot: output.slot,
            content_type: output.format.content_type().to_owned(),
            put_url: Sealed::new(output.put.url.expose().to_owned()),
            headers: output.put.headers.iter().cloned().collect(),
        }
    }
}
