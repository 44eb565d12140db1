//! What an app answers about a run and about itself.

use super::callback::report;
use super::{OutputReport, WorkerError, lenient};
use ryla_domain::id::{CallId, Run};
use ryla_domain::report::{Report, Timings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET {base}/v1/jobs/{run}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// Version of the message.
    pub v: u32,
    /// The run that was asked about.
    pub run: Run,
    /// Where it stands.
    pub status: RunState,
    /// The app's own name for the run. Information only.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub call_id: Option<CallId>,
    /// What the worker returned: with `done` and `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
}

/// Where a run stands at the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Never heard of.
    Unknown,
    /// Accepted, no worker has begun.
    Pending,
    /// A worker is on it.
    Running,
    /// The pictures were put.
    Done,
    /// It ended without pictures.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its deadline passed before a worker began, or its result is no longer kept.
    Expired,
}

/// What a worker returns at the end of a run: the same fields as its last callback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The pictures that were put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputReport>,
    /// Why it failed.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<WorkerError>,
    /// How long each part took.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub timings: Option<Timings>,
    /// The GPU's name.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub gpu: Option<String>,
}

impl RunResult {
    /// The part that the job keeps.
    pub fn report(&self) -> Report {
        report(self.timings, self.gpu.as_deref(), &self.outputs)
    }
}

/// The answer to `POST {base}/v1/jobs/{run}/cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// Version of the message.
    pub v: u32,
    /// The run that was to be stopped.
    pub run: Run,
    /// What became of it.
    pub status: CancelStatus,
}

/// What became of a request to stop a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelStatus {
    /// It does not run and never will; also the answer for a run that was never heard of.
    Cancelled,
    /// A worker was told to stop; its `cancelled` callback follows.
    Cancelling,
    /// It had ended before.
    Ended,
}

/// The JSON body of a refusal (4xx and 503) by the app itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Version of the message.
    pub v: u32,
    /// One word for programs.
    pub code: String,
    /// One sentence for the app's own log readers; never shown to users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<super::Sealed<String>>,
    /// Of a lease whose floor is above a class's maximum: that maximum, by the class's name.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub max: Option<BTreeMap<String, u32>>,
}

impl Refusal {
    /// 400: the message has a version that the app does not know.
    pub const UNSUPPORTED_VERSION: &'static str = "unsupported_version";
    /// 409: a newer attempt of the job is known.
    pub const OLDER_ATTEMPT: &'static str = "older_attempt";
    /// 409: the run was cancelled before it arrived.
    pub const CANCELLED: &'static str = "cancelled";
    /// 429: too many runs wait.
    pub const TOO_DEEP: &'static str = "too_deep";
    /// 503: the app is going down and takes nothing new.
    pub const DRAINING: &'static str = "draining";
}

/// `GET {base}/v1/health`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Version of the message.
    pub v: u32,
    /// Which app: `ryla-modal`, `ryla-preview`.
    pub app: String,
    /// Its release.
    pub version: String,
    /// Whether it takes new runs.
    pub accepting: bool,
    /// The workflows that it can run.
    pub workflows: Vec<String>,
    /// What each workflow lacks that it cannot run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, Vec<String>>,
    /// Its GPU classes by name; none where it has no model files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, ClassHealth>,
}

/// What an app says of one GPU class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassHealth {
    /// The workflows that are its own, whether it can run them or not.
    pub workflows: Vec<String>,
    /// Containers that have started so far.
    pub starts: u64,
    /// What the newest of them downloaded; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downloaded_bytes: Option<u64>,
}
