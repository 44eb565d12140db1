//! What the API sends, as far as this command reads it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A job as the API shows it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Prediction {
    /// Its id.
    pub(crate) id: String,
    /// `owner/name` of its model.
    #[serde(default)]
    pub(crate) model: String,
    /// How far it is.
    pub(crate) status: Status,
    /// The input with every default and the seed filled in.
    #[serde(default)]
    pub(crate) input: Map<String, Value>,
    /// A URL, a list of URLs, or null.
    #[serde(default)]
    pub(crate) output: Value,
    /// Why it failed, for people.
    #[serde(default)]
    pub(crate) error: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub(crate) metrics: Metrics,
    /// ISO 8601.
    #[serde(default)]
    pub(crate) created_at: Option<String>,
}

/// The public states of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Waits for a GPU.
    Starting,
    /// A GPU is at work.
    Processing,
    /// The picture is there.
    Succeeded,
    /// There will be none.
    Failed,
    /// Somebody stopped it.
    Canceled,
}

/// What the system says of a job beyond the client's own types.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Metrics {
    /// What it cost; null where that is not known.
    pub(crate) cost_usd: Option<f64>,
    /// Seconds of the run itself.
    pub(crate) predict_time: Option<f64>,
    /// Seconds that a cold container took before it.
    pub(crate) cold_start_seconds: Option<f64>,
    /// Of those, the seconds of the server's start as the worker saw it; 0 on a warm one.
    pub(crate) boot_seconds: Option<f64>,
    /// Seconds from acceptance until the worker began.
    pub(crate) queue_seconds: Option<f64>,
    /// The GPU's name.
    pub(crate) gpu: Option<String>,
    /// How alike the face of each picture is, 0 to 1; null where it was not measured.
    pub(crate) likeness: Vec<Option<f64>>,
    /// The backend that has it.
    pub(crate) provider: Option<String>,
    /// The state inside the system, finer than the status.
    pub(crate) phase: Option<String>,
    /// Percent of the run.
    pub(crate) progress: Option<f64>,
    /// Why it failed, for programs.
    pub(crate) error_code: Option<String>,
    /// Why it was canceled.
    pub(crate) cancel_reason: Option<String>,
    /// The job, as the system's log knows it.
    pub(crate) trace_id: Option<String>,
    /// When it got where.
    pub(crate) timeline: Timeline,
}

/// Milliseconds since the job was accepted; null for what it never reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_field_names,
    reason = "the API's own names, with their unit"
)]
pub(crate) struct Timeline {
    /// Always 0.
    pub(crate) accepted_ms: Option<u64>,
    /// A backend was asked.
    pub(crate) dispatched_ms: Option<u64>,
    /// The GPU began.
    pub(crate) running_ms: Option<u64>,
    /// The job ended.
    pub(crate) done_ms: Option<u64>,
}

impl Status {
    /// Whether the job has ended.
    pub(crate) const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Starting => "starting",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        })
    }
}

impl Prediction {
    /// The seed, given or drawn; `None` for a model without one.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.input.get("seed").and_then(Value::as_u64)
    }

    /// The model's name without its owner.
    pub(crate) fn model_name(&self) -> &str {
        self.model
            .rsplit_once('/')
            .map_or(self.model.as_str(), |(_, name)| name)
    }

    /// The URLs of its pictures.
    pub(crate) fn output_urls(&self) -> Vec<&str> {
        match &self.output {
            Value::String(url) => vec![url],
            Value::Array(urls) => urls.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Why there is no picture, in a sentence; `None` as long as there may be one.
    pub(crate) fn error_text(&self) -> Option<&str> {
        let stated = self.error.as_deref();
        match self.status {
            Status::Failed => Some(stated.unwrap_or("The job failed.")),
            Status::Canceled => Some(stated.unwrap_or("The job was canceled.")),
            Status::Starting | Status::Processing | Status::Succeeded => None,
        }
    }

    /// The same with the word for programs behind it.
    pub(crate) fn why_not(&self) -> Option<String> {
        let text = self.error_text()?;
        let metrics = &self.metrics;
        let word = metrics
            .error_code
            .as_ref()
            .or(metrics.cancel_reason.as_ref());
        Some(word.map_or_else(|| text.to_owned(), |word| format!("{text} ({word})")))
    }
}

/// A model as the API shows it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Model {
    /// First half of its name.
    pub(crate) owner: String,
    /// Second half.
    pub(crate) name: String,
    /// What it does.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Holds the schema of its input.
    #[serde(default)]
    pub(crate) latest_version: Option<Version>,
}

/// A version of a model.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Version {
    /// `OpenAPI` document whose `components.schemas.Input` is the schema.
    pub(crate) openapi_schema: Value,
}

impl Model {
    /// The JSON schema of its input.
    pub(crate) fn input_schema(&self) -> Option<&Value> {
        let version = self.latest_version.as_ref()?;
        version.openapi_schema.pointer("/components/schemas/Input")
    }
}

/// One page of a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Page {
    /// URL of the next one.
    #[serde(default)]
    pub(crate) next: Option<String>,
    /// Its entries, as they came.
    pub(crate) results: Vec<Value>,
}
