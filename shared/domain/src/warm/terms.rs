//! What holding and missing cost at one endpoint.

use serde::{Deserialize, Serialize};

/// Break-even is cut off here: the window that Modal takes is no longer than 20 minutes.
pub(super) const LONGEST_HOLD_S: f64 = 1200.0;

/// Boots that a missing container causes where others run. A boot that is under way covers whoever comes to
/// stand in line, so that many misses share one.
const BOOTS_BESIDE_OTHERS: f64 = 0.2;

/// Prices and times of one endpoint, checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    usd_per_s: f64,
    value_usd: f64,
    boot_s: f64,
    service_s: f64,
}

/// Figures that no decision can be made from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} must be a number of at least 0, not {value}")]
pub struct TermsError {
    what: &'static str,
    value: f64,
}

impl Terms {
    /// `usd_per_s` is the price of a container's second, `value_usd` what a full cold wait costs the
    /// owner; boot and service seconds are the class's usual ones until the endpoint's own are learnt.
    pub fn new(
        usd_per_s: f64,
        value_usd: f64,
        boot_s: f64,
        service_s: f64,
    ) -> Result<Self, TermsError> {
        for (what, value) in [
            ("the GPU's price per second", usd_per_s),
            ("the value of a cold wait", value_usd),
            ("the boot time in seconds", boot_s),
            ("the service time in seconds", service_s),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(TermsError { what, value });
            }
        }
        Ok(Self {
            usd_per_s,
            value_usd,
            boot_s,
            service_s,
        })
    }

    /// The same prices with boot and service seconds as they were measured.
    #[must_use]
    pub fn with_times(self, boot_s: f64, service_s: f64) -> Self {
        Self {
            boot_s,
            service_s,
            ..self
        }
    }

    /// Dollars for a container's second.
    pub const fn usd_per_s(&self) -> f64 {
        self.usd_per_s
    }

    /// Dollars that a full cold wait costs the owner.
    pub const fn value_usd(&self) -> f64 {
        self.value_usd
    }

    /// Seconds of a boot.
    pub const fn boot_s(&self) -> f64 {
        self.boot_s
    }

    /// Seconds of a request on a container.
    pub const fn service_s(&self) -> f64 {
        self.service_s
    }

    /// What it costs that a container is gone when its request comes. Where others run, the request
    /// waits for the first of them to end and not for the boot, which it shares with others.
    pub fn miss_usd(&self, others_running: u8) -> f64 {
        self.miss_of_usd(self.usual_share(others_running), others_running)
    }

    /// The same where that share of a full cold wait is known.
    pub(super) fn miss_of_usd(&self, share: f64, others_running: u8) -> f64 {
        let boots = if others_running == 0 {
            1.0
        } else {
            BOOTS_BESIDE_OTHERS
        };
        self.value_usd * share + boots * self.boot_s * self.usd_per_s
    }

    /// The share of a full cold wait that a request waits which finds its container missing.
    pub(super) fn usual_share(&self, others_running: u8) -> f64 {
        if others_running == 0 || self.boot_s <= 0.0 {
            1.0
        } else {
            (self.service_s / (f64::from(others_running) + 1.0) / self.boot_s).min(1.0)
        }
    }

    /// The share of a full cold wait that a wait of `seconds` is.
    pub fn share_of_cold_wait(&self, seconds: f64) -> f64 {
        if self.boot_s > 0.0 {
            (seconds / self.boot_s).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Seconds of holding that cost as much as a miss (T*), at most twenty minutes.
    pub fn break_even_s(&self) -> f64 {
        if self.usd_per_s > 0.0 {
            (self.miss_usd(0) / self.usd_per_s).min(LONGEST_HOLD_S)
        } else {
            LONGEST_HOLD_S
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_behind_a_running_one_waits_for_that_and_not_for_the_boot() {
        let terms = Terms::new(0.001, 0.09, 45.0, 20.0).unwrap();
        let misses = [0, 1, 2].map(|n| terms.miss_usd(n));
        for (miss, expected) in misses.into_iter().zip([0.135, 0.029, 0.009 + 0.04 / 3.0]) {
            assert!((miss - expected).abs() < 1e-12, "{misses:?}");
        }
    }

    #[test]
    fn a_free_gpu_is_held_as_long_as_can_be_and_free_waits_only_save_the_boot() {
        let free = Terms::new(0.0, 0.05, 45.0, 20.0).unwrap();
        assert!((free.break_even_s() - LONGEST_HOLD_S).abs() < 1e-9);
        let patient = Terms::new(0.001, 0.0, 45.0, 20.0).unwrap();
        assert!((patient.break_even_s() - 45.0).abs() < 1e-9);
    }

    #[test]
    fn figures_below_zero_are_refused_by_name() {
        let told = Terms::new(0.001, -0.05, 45.0, 20.0)
            .unwrap_err()
            .to_string();
        assert_eq!(
            told,
            "the value of a cold wait must be a number of at least 0, not -0.05"
        );
        assert!(Terms::new(f64::NAN, 0.05, 45.0, 20.0).is_err());
        assert!(Terms::new(0.001, 0.05, f64::INFINITY, 20.0).is_err());
    }
}
