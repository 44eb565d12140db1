//! Messages between RYLA and a Modal app (or the preview GPU, which speaks the same protocol), as
//! docs/BACKENDS.md defines them. Used by the adapter, by the callback function and by the preview
//! GPU. Whatever holds a prompt, a key or a signed URL is [`Sealed`] and cannot be printed.

mod callback;
mod status;
mod submit;
mod warm;

pub use callback::{
    Callback, CallbackRefusal, CallbackReply, Event, Failure, OutputReport, PutUrl, Safety, Stage,
    WorkerError,
};
pub use status::{
    CancelReply, CancelStatus, ClassHealth, Health, Refusal, RunResult, RunState, RunStatus,
};
pub use submit::{CallbackAddress, InputFile, OutputTarget, Submit, SubmitReply, SubmitWork};
pub use warm::{MAX_LEASE, WINDOW_S, WarmClass, WarmFloor, WarmInvalid, WarmReply, WarmRequest};

use ryla_domain::V;
use ryla_domain::id::TraceId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The longest submit message.
pub const MAX_SUBMIT_BYTES: usize = 256 * 1024;

/// The longest callback.
pub const MAX_CALLBACK_BYTES: usize = 8 * 1024;

/// The header that carries a callback's signature: `t=<unix seconds>,v1=<hex>`.
pub const SIGNATURE_HEADER: &str = "x-ryla-signature";

/// The header by which a request carries its trace (W3C Trace Context).
pub const TRACE_HEADER: &str = "traceparent";

/// A value that must not be printed: a prompt, a key, a signed URL, a worker's own words.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed<T>(T);

impl<T> Sealed<T> {
    /// Seals a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Why bytes are not a message that this build reads. Says nothing of their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A newer build wrote it: leave it to one.
    #[error("the message has version {0}, which this build does not know")]
    Newer(u64),
    /// Not a message of that kind.
    #[error("not a message of this protocol (line {line}, column {column})")]
    Malformed {
        /// Where reading stopped, from 1; 0 where the place is not known.
        line: usize,
        /// Where in the line.
        column: usize,
    },
}

impl From<serde_json::Error> for WireError {
    // Its text quotes the message, which may hold a prompt: only the place is kept.
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// The version of a message, before anything else of it is looked at.
pub fn version(bytes: &[u8]) -> Result<u64, WireError> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    Ok(serde_json::from_slice::<Versioned>(bytes)?.v)
}

/// Reads a message. Fields that this build does not know are ignored; a newer version is
/// [`WireError::Newer`] whatever else the message holds.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match version(bytes)? {
        newer if newer > u64::from(V) => Err(WireError::Newer(newer)),
        0 => Err(WireError::Malformed { line: 0, column: 0 }),
        _ => Ok(serde_json::from_slice(bytes)?),
    }
}

/// The `traceparent` of a run: its job's trace id, and as span a fixed hash of the run's name (FNV-1a),
/// so that every message of one attempt belongs to one span. What is about no run names its span itself.
pub fn traceparent(trace: &TraceId, span: &(impl fmt::Display + ?Sized)) -> String {
    let span = span
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    // An all-zero span is not valid.
    format!("00-{trace}-{:016x}-01", span.max(1))
}

/// The trace id in a `traceparent`; `None` for any other text.
pub fn trace_id(traceparent: &str) -> Option<TraceId> {
    let mut parts = traceparent.split('-');
    let (_version, trace, span, _flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (span.len() == 16).then(|| trace.parse().ok()).flatten()
}

/// For fields that only inform: whatever does not have the right shape counts as absent, so that no
/// finished picture is lost to a float where an integer should be.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::id::Run;

    #[test]
    fn a_newer_message_is_told_from_a_broken_one_before_its_fields_are_read() {
        let newer = br#"{"v":2,"event":{"kind":"levitated"}}"#;
        assert_eq!(decode::<Callback>(newer), Err(WireError::Newer(2)));
        for broken in [
            br#"{"event":"started"}"#.as_slice(),
            br#"{"v":0,"event":"started"}"#,
            br#"{"v":1,"event":"levitated"}"#,
            b"\xff",
            b"",
        ] {
            assert!(matches!(
                decode::<Callback>(broken),
                Err(WireError::Malformed { .. })
            ));
        }
    }

    #[test]
    fn an_error_quotes_nothing_of_the_message() {
        let body = br#"{"v":1,"event_id":["a lighthouse at dusk"],"seq":1,"event":"started"}"#;
        let error = decode::<Callback>(body).unwrap_err();
        assert!(!error.to_string().contains("lighthouse"), "{error}");
    }

    #[test]
    fn a_trace_id_survives_the_way_through_a_traceparent() {
        let trace: TraceId = "00112233445566778899aabbccddeeff".parse().unwrap();
        let run: Run = "acme.my-own-id.1".parse().unwrap();
        let other: Run = "acme.my-own-id.2".parse().unwrap();
        let text = traceparent(&trace, &run);
        assert_eq!(text.len(), 55);
        assert_eq!(trace_id(&text), Some(trace.clone()));
        assert_ne!(text, traceparent(&trace, &other));
        for bad in ["", "00-xyz-1-01", "00112233445566778899aabbccddeeff"] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
