//! One idle container, as the history believes it: since when, what was known then, how long it is worth
//! holding.

use super::activity::Activity;
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// A container that has become idle and that no request has taken since, whether or not it was released.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Idle {
    /// When its last request ended.
    pub(super) since: UnixMs,
    /// Requests that ran beside it then; at most 255.
    pub(super) others_running: u8,
    /// How busy the endpoint was then, at this depth.
    pub(super) activity: Activity,
    /// The age up to which the tables have learnt from it.
    pub(super) learnt_s: f32,
    /// Seconds for which it is held.
    pub(super) hold_s: f32,
}

/// Its time is over.
impl Default for Idle {
    fn default() -> Self {
        Self {
            since: UnixMs(0),
            others_running: 0,
            activity: Activity::default(),
            learnt_s: 0.0,
            hold_s: 0.0,
        }
    }
}

impl Idle {
    /// How long it has been idle.
    pub(super) fn age_s(&self, now: UnixMs) -> f64 {
        now.since(self.since).as_seconds()
    }

    /// For how much longer it is held; 0 where no more.
    pub(super) fn left_s(&self, now: UnixMs) -> f64 {
        (f64::from(self.hold_s) - self.age_s(now)).max(0.0)
    }
}
