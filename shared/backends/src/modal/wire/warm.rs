//! Leases on warm containers: `POST {base}/v1/warm` and its answers, with the bounds that every app keeps
//! (`infra/modal`, the preview GPU). The adapter writes the request; the preview GPU reads it here.

use super::{WireError, lenient, version};
use ryla_domain::V;
use ryla_domain::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest lease: it is renewed each minute, and anything much longer is a mistake that costs money.
pub const MAX_LEASE: Ms = Ms::seconds(15 * 60);
/// Bounds of the release window in seconds; what lies beyond is cut to them.
pub const WINDOW_S: (u32, u32) = (2, 1200);

/// `POST {base}/v1/warm`: floors and windows by class, until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmRequest {
    /// Version of the message.
    pub v: u32,
    /// Leases by the class's name; a class that is left out keeps its lease.
    pub classes: BTreeMap<String, WarmClass>,
    /// Unix milliseconds: when the leases end, at most [`MAX_LEASE`] ahead.
    pub lease_until: UnixMs,
}

/// What is wanted of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmClass {
    /// Containers that are not to be released; 0 to the class's maximum.
    pub floor: u32,
    /// Seconds after which an idle container above the floor is released; `None`: as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}

/// The answer to [`WarmRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmReply {
    /// Version of the message.
    pub v: u32,
    /// What holds now, for each class of the request.
    pub classes: BTreeMap<String, WarmFloor>,
}

/// The floor of one class as it was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmFloor {
    /// Containers that are not released until the lease ends.
    pub floor: u32,
    /// The class's maximum of containers: no higher floor is taken. `None` from an app that does not say.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub max: Option<u32>,
}

/// Why a lease is refused, whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WarmInvalid {
    /// Not a message of this version.
    #[error(transparent)]
    Message(#[from] WireError),
    /// A field that does not fit. `max`: where the floor is above the class's maximum, that.
    #[error("{field}: {why}")]
    Field {
        /// Its path in the message, such as `classes.flux.floor`.
        field: String,
        /// What it must be.
        why: String,
        /// Class and maximum.
        max: Option<(String, u32)>,
    },
}

impl WarmInvalid {
    fn field(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            why: why.into(),
            max: None,
        }
    }
}

impl WarmRequest {
    /// One lease over several classes.
    pub fn new(
        classes: impl IntoIterator<Item = (String, WarmClass)>,
        lease_until: UnixMs,
    ) -> Self {
        Self {
            v: V,
            classes: classes.into_iter().collect(),
            lease_until,
        }
    }

    /// Reads and checks a message as an app does. `max_of` knows the maximum of each class of the app; the
    /// first field that does not fit is named, and windows are cut to their bounds.
    pub fn read(
        body: &[u8],
        now: UnixMs,
        max_of: impl Fn(&str) -> Option<u32>,
    ) -> Result<Self, WarmInvalid> {
        match version(body)? {
            0 => return Err(WireError::Malformed { line: 0, column: 0 }.into()),
            newer if newer > u64::from(V) => return Err(WireError::Newer(newer).into()),
            _ => {}
        }
        let message: Map<String, Value> = serde_json::from_slice(body).map_err(WireError::from)?;
        let until = message.get("lease_until").and_then(Value::as_i64);
        let lease_until = until
            .map(UnixMs)
            .filter(|until| *until > now && *until <= now + MAX_LEASE)
            .ok_or_else(|| {
                let why = "must be unix milliseconds within the next 15 minutes";
                WarmInvalid::field("lease_until", why)
            })?;
        let classes = message.get("classes").and_then(Value::as_object);
        let classes = classes
            .filter(|classes| !classes.is_empty())
            .ok_or_else(|| WarmInvalid::field("classes", "must be an object"))?;
        let classes = classes.iter().map(|(name, value)| {
            let class = wanted(name, value, max_of(name))?;
            Ok((name.clone(), class))
        });
        Ok(Self {
            v: V,
            classes: classes.collect::<Result<_, WarmInvalid>>()?,
            lease_until,
        })
    }
}

fn wanted(name: &str, value: &Value, max: Option<u32>) -> Result<WarmClass, WarmInvalid> {
    let Some(max) = max else {
        let field = format!("classes.{name}");
        return Err(WarmInvalid::field(field, "is not a class of this app"));
    };
    let floor = value.get("floor").and_then(Value::as_i64);
    let floor = floor
        .and_then(|floor| u32::try_from(floor).ok())
        .filter(|floor| *floor <= max)
        .ok_or_else(|| WarmInvalid::Field {
            field: format!("classes.{name}.floor"),
            why: format!("must be 0 to {max}"),
            max: floor
                .is_some_and(|floor| floor > 0)
                .then(|| (name.to_owned(), max)),
        })?;
    let window_s = match value.get("window_s") {
        None | Some(Value::Null) => None,
        Some(window_s) => {
            let window_s = window_s.as_i64().ok_or_else(|| {
                WarmInvalid::field(format!("classes.{name}.window_s"), "must be whole seconds")
            })?;
            let (shortest, longest) = WINDOW_S;
            let window_s = window_s.clamp(shortest.into(), longest.into());
            u32::try_from(window_s).ok()
        }
    };
    Ok(WarmClass { floor, window_s })
}
