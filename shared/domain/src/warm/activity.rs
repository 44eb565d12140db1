//! How busy an endpoint has been: six counts of arrivals that fade, from a minute to a day.

use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// Seconds after which a count has faded to 1/e.
pub(super) const FADES_S: [f64; 6] = [60.0, 300.0, 1200.0, 3600.0, 14_400.0, 86_400.0];

/// The fading counts as they were at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Activity {
    pub(super) at: UnixMs,
    pub(super) counts: [f32; 6],
}

impl Default for Activity {
    fn default() -> Self {
        Self::none(UnixMs(0))
    }
}

impl Activity {
    pub(super) const fn none(at: UnixMs) -> Self {
        Self {
            at,
            counts: [0.0; 6],
        }
    }

    /// The counts at a later time; an earlier one leaves them as they are.
    pub(super) fn faded_to(self, at: UnixMs) -> Self {
        let passed_s = at.since(self.at).as_seconds();
        if passed_s <= 0.0 {
            return self;
        }
        let mut counts = self.counts;
        for (count, fade_s) in counts.iter_mut().zip(FADES_S) {
            *count = narrow(f64::from(*count) * (-passed_s / fade_s).exp());
        }
        Self { at, counts }
    }

    /// One more arrival; one that comes late counts as if it had come now.
    pub(super) fn arrived(&mut self, at: UnixMs) {
        *self = self.faded_to(at);
        for count in &mut self.counts {
            *count += 1.0;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits of a count are enough for the row"
)]
pub(super) const fn narrow(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_fade_each_at_its_own_pace_and_never_by_a_clock_that_goes_back() {
        let mut activity = Activity::none(UnixMs(0));
        activity.arrived(UnixMs(0));
        let later = activity.faded_to(UnixMs(60_000));
        assert!((f64::from(later.counts[0]) - (-1.0_f64).exp()).abs() < 1e-6);
        assert!(later.counts[5] > 0.999);
        assert_eq!(activity.faded_to(UnixMs(-5)), activity);
        let mut back = later;
        back.arrived(UnixMs(1_000));
        assert_eq!(back.at, later.at);
        assert!((back.counts[0] - later.counts[0] - 1.0).abs() < 1e-6);
    }
}
