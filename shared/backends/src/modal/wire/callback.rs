//! What a worker reports on its own, and what it is told in return.

use super::{Sealed, is_false, lenient};
use ryla_domain::failure::Code;
use ryla_domain::id::CallId;
use ryla_domain::report::{Likeness, Report, Timings};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// `POST {callback.url}`. The run stands in the URL and in the key that signed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Callback {
    /// Version of the message.
    pub v: u32,
    /// The worker's own name for this event; the same on every try to deliver it.
    pub event_id: String,
    /// Counts the run's events from 1; the same on every try.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// The app's own name for the run. Information only.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub call_id: Option<CallId>,
    /// Percent done, 0 to 100.
    #[serde(
        default,
        deserialize_with = "percent",
        skip_serializing_if = "Option::is_none"
    )]
    pub progress: Option<u8>,
    /// Which part of the run the worker is in.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub phase: Option<Stage>,
    /// A PUT was answered with 403: the reply brings new URLs for every slot.
    #[serde(default, skip_serializing_if = "is_false")]
    pub renew: bool,
    /// The pictures that were put: with `succeeded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputReport>,
    /// Why it failed: with `failed`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<WorkerError>,
    /// How long each part took: with the last event.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub timings: Option<Timings>,
    /// The GPU's name, at most 40 characters.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub gpu: Option<String>,
}

impl Callback {
    /// What the worker says of its run besides the pictures.
    pub fn report(&self) -> Report {
        report(self.timings, self.gpu.as_deref(), &self.outputs)
    }

    /// The code of a `failed` event, and whether the closed table knows it.
    pub fn failure(&self) -> Failure {
        WorkerError::failure(self.error.as_ref())
    }
}

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A worker has begun.
    Started,
    /// It is alive, and perhaps further.
    Progress,
    /// The pictures are in the bucket.
    Succeeded,
    /// It ended without pictures.
    Failed,
    /// It was stopped as asked.
    Cancelled,
    /// Its deadline had passed before the work began.
    Expired,
}

impl Event {
    /// Whether the run is over with it.
    pub const fn is_last(self) -> bool {
        !matches!(self, Self::Started | Self::Progress)
    }
}

/// Which part of a run a worker is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The container or its server starts.
    Boot,
    /// Weights are loaded, inputs fetched.
    Load,
    /// The graph runs.
    Run,
    /// The pictures are put into the bucket.
    Upload,
}

/// A picture that was put.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputReport {
    /// Which of the job's pictures.
    pub slot: u8,
    /// The entity tag that the PUT was answered with; absent with `existed`, as are the next four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Size of the file.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub bytes: Option<u64>,
    /// Width in pixels.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub height: Option<u32>,
    /// Media type of the file.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub content_type: Option<String>,
    /// The PUT was answered with 412: an earlier run of this attempt had put it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub existed: bool,
    /// How alike the face is to the reference, 0 to 1.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub likeness: Option<f64>,
    /// What the safety check says.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub safety: Option<Safety>,
}

/// What a job keeps of a worker's word. A likeness of a picture that an earlier run had put is that
/// run's to say, and one that is no share of 1 was not measured.
pub(super) fn report(
    timings: Option<Timings>,
    gpu: Option<&str>,
    outputs: &[OutputReport],
) -> Report {
    let own = outputs.iter().filter(|output| !output.existed);
    Report::new(timings, gpu).with_likeness(own.filter_map(|output| {
        let likeness = Likeness::of_share(output.likeness?)?;
        Some((output.slot, likeness))
    }))
}

/// What a safety check says of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// Nothing was found.
    Ok,
    /// Not for every audience.
    Nsfw,
}

/// Why a run failed, in the worker's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerError {
    /// A name of the closed table of failure codes; anything else counts as `internal`.
    pub code: Sealed<String>,
    /// For our own logs at the worker; never stored, logged or shown here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Sealed<String>>,
    /// A hint; the table decides.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub retryable: Option<bool>,
}

/// A worker's failure as the table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its code.
    pub code: Code,
    /// The worker named a code that the table does not know, or none: to be counted.
    pub unmapped: bool,
}

impl WorkerError {
    /// The code, where it has the form of one and so may be logged: a worker may put anything there.
    pub fn plain_code(&self) -> Option<&str> {
        let code = self.code.expose().as_str();
        let plain = (1..=40).contains(&code.len())
            && code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        plain.then_some(code)
    }

    /// The code of what a worker reported, if it reported anything.
    pub fn failure(error: Option<&Self>) -> Failure {
        let known = error.and_then(|error| Code::from_name(error.code.expose()));
        Failure {
            code: known.unwrap_or(Code::Internal),
            unmapped: known.is_none(),
        }
    }
}

/// The answer to a callback that was accepted: 200.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackReply {
    /// Version of the message.
    pub v: u32,
    /// `false`: stop the run, nobody waits for it.
    #[serde(rename = "continue")]
    pub go_on: bool,
    /// New upload permissions, where `renew` asked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_urls: Vec<PutUrl>,
    /// The event changed nothing: late, doubled, out of order or of an old attempt.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignored: bool,
}

/// A new upload permission for one slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PutUrl {
    /// Which of the job's pictures.
    pub slot: u8,
    /// A presigned PUT.
    pub put_url: Sealed<String>,
    /// The signed headers.
    pub headers: BTreeMap<String, String>,
}

/// The answer to a callback that was refused: a problem document (RFC 9457), of which a worker needs
/// these two fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRefusal {
    /// Why, where a worker can do something about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Unix seconds at the server: with `stale_timestamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<i64>,
}

impl CallbackRefusal {
    /// The code of a refusal over clocks that differ.
    pub const STALE_TIMESTAMP: &str = "stale_timestamp";

    /// The server's clock in unix seconds, if the refusal was over clocks that differ: sign once more
    /// by it.
    pub fn stale_by(body: &[u8]) -> Option<i64> {
        let refusal: Self = serde_json::from_slice(body).ok()?;
        (refusal.code.as_deref() == Some(Self::STALE_TIMESTAMP))
            .then_some(refusal.server_time)
            .flatten()
    }
}

/// Percent as any number, cut to 0-100 and rounded down; anything else counts as absent.
fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let number: Option<f64> = lenient(deserializer)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to 0-100 before"
    )]
    let whole = number.map(|number| number.clamp(0.0, 100.0) as u8);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::super::{RunResult, decode};
    use super::*;

    fn callback(rest: &str) -> Callback {
        let body = format!(r#"{{"v":1,"event_id":"e","seq":1,"event":"succeeded",{rest}}}"#);
        decode(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_field_that_only_informs_never_makes_a_callback_invalid() {
        let callback = callback(
            r#""timings":{"run":1.5},"gpu":7,"call_id":"two words","phase":"dancing","outputs":[{"slot":0,"existed":true,"safety":{},"likeness":"high"}],"colour":"red""#,
        );
        assert_eq!(callback.report(), Report::default());
        assert_eq!((callback.call_id, callback.phase), (None, None));
        assert_eq!(callback.outputs.len(), 1);
        assert!(callback.outputs[0].existed);
    }

    #[test]
    fn a_likeness_is_kept_where_it_can_be_one() {
        let told = callback(
            r#""outputs":[{"slot":0,"etag":"a","likeness":0.87},{"slot":1,"likeness":1.5},{"slot":2,"likeness":-0.1},{"slot":4,"likeness":"0.5"},{"slot":5,"existed":true,"likeness":0.9},{"slot":6}]"#,
        );
        let report = told.report();
        assert_eq!(report.likeness, [(0, Likeness::of_share(0.87).unwrap())]);
        // The same when the app is asked, because the callback was lost.
        let result = RunResult {
            outputs: told.outputs,
            ..RunResult::default()
        };
        assert_eq!(result.report().likeness, report.likeness);
        // These are no numbers to a reader of JSON, whatever some writers let slip.
        for figure in ["NaN", "Infinity", "1e999"] {
            let body = format!(
                r#"{{"v":1,"event_id":"e","seq":1,"event":"succeeded","outputs":[{{"slot":0,"likeness":{figure}}}]}}"#
            );
            assert!(decode::<Callback>(body.as_bytes()).is_err(), "{figure}");
        }
    }

    #[test]
    fn progress_is_cut_to_what_a_percentage_can_be() {
        for (sent, read) in [
            ("250", Some(100)),
            ("-1", Some(0)),
            ("41.9", Some(41)),
            ("\"x\"", None),
        ] {
            assert_eq!(
                callback(&format!(r#""progress":{sent}"#)).progress,
                read,
                "{sent}"
            );
        }
    }

    #[test]
    fn only_the_closed_table_decides_what_a_workers_code_means() {
        let failure = |error: &str| callback(&format!(r#""error":{error}"#)).failure();
        let known = failure(r#"{"code":"gpu_oom","retryable":true}"#);
        assert_eq!((known.code, known.unmapped), (Code::GpuOom, false));
        let unknown =
            failure(r#"{"code":"CUDA out of memory","message":"tensor","retryable":false}"#);
        assert_eq!((unknown.code, unknown.unmapped), (Code::Internal, true));
        let silent = WorkerError::failure(None);
        assert_eq!((silent.code, silent.unmapped), (Code::Internal, true));
    }
}
