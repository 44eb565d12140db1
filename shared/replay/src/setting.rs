//! What a replay is given beside the trace: boot and service seconds, the GPU's price, the value of a
//! cold wait. Checked once, so that nothing behind it meets a NaN or a division by zero.

/// Longest window that break-even may ask for: where the GPU costs nothing, a week is as good as ever.
pub const LONGEST_BREAK_EVEN_S: f64 = 7.0 * 86_400.0;

/// The fixed figures of one replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Seconds that a container boots before it can serve; they are billed.
    pub cold_s: f64,
    /// Seconds that a request takes on a container.
    pub service_s: f64,
    /// Dollars for a container's second, booting, idle or busy.
    pub usd_per_s: f64,
    /// What a full cold wait costs the owner, in dollars; a shorter wait costs its share.
    pub value_usd: f64,
    /// The class's maximum of containers.
    pub max_containers: usize,
}

/// What cannot be replayed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// A figure is negative, or no number.
    #[error("{what} must be a number of at least 0, not {value}")]
    OutOfRange {
        /// Which.
        what: &'static str,
        /// As it was given.
        value: f64,
    },
    /// A figure is far beyond what makes sense.
    #[error("{what} is {value}; at most {most} makes sense")]
    TooLarge {
        /// Which.
        what: &'static str,
        /// As it was given.
        value: f64,
        /// The limit.
        most: f64,
    },
    /// No container may run.
    #[error("the maximum of containers must be 1 to 1000, not {0}")]
    Containers(usize),
    /// A floor that the class cannot hold.
    #[error("a floor of {floor} containers is above the class's maximum of {max}")]
    FloorAboveMaximum {
        /// The floor asked for.
        floor: usize,
        /// The class's maximum.
        max: usize,
    },
    /// What the policy itself refuses.
    #[error(transparent)]
    Terms(#[from] ryla_domain::warm::TermsError),
}

impl Setting {
    /// The figures of docs/WARM.md: 45 s boot, 20 s service, $2.50 an hour, $0.05 a cold wait.
    pub const USUAL: Self = Self {
        cold_s: 45.0,
        service_s: 20.0,
        usd_per_s: 2.5 / 3600.0,
        value_usd: 0.05,
        max_containers: 20,
    };

    /// The same for another value of a cold wait.
    #[must_use]
    pub const fn valued(self, value_usd: f64) -> Self {
        Self { value_usd, ..self }
    }

    /// Refuses figures that no replay can make sense of.
    pub fn checked(self) -> Result<Self, SettingError> {
        for (what, value, most) in [
            ("the cold start in seconds", self.cold_s, 86_400.0),
            ("the service time in seconds", self.service_s, 86_400.0),
            ("the GPU's price per second", self.usd_per_s, 1.0),
            ("the value of a cold wait", self.value_usd, 1e6),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(SettingError::OutOfRange { what, value });
            }
            if value > most {
                return Err(SettingError::TooLarge { what, value, most });
            }
        }
        if !(1..=1000).contains(&self.max_containers) {
            return Err(SettingError::Containers(self.max_containers));
        }
        Ok(self)
    }

    /// What a miss costs: the wait and the boot.
    pub fn miss_usd(&self) -> f64 {
        self.value_usd + self.cold_s * self.usd_per_s
    }

    /// Seconds of holding that cost as much as a miss (T* in docs/WARM.md).
    pub fn break_even_s(&self) -> f64 {
        if self.usd_per_s > 0.0 {
            (self.miss_usd() / self.usd_per_s).min(LONGEST_BREAK_EVEN_S)
        } else {
            LONGEST_BREAK_EVEN_S
        }
    }

    /// The share of a full cold wait that a wait of `seconds` is.
    pub fn share_of_cold_wait(&self, seconds: f64) -> f64 {
        if self.cold_s > 0.0 {
            seconds.min(self.cold_s) / self.cold_s
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn break_even_is_59_117_and_405_seconds_at_a_cent_five_cents_and_a_quarter() {
        let seconds = [0.01, 0.05, 0.25].map(|p| Setting::USUAL.valued(p).break_even_s().round());
        for (found, expected) in seconds.into_iter().zip([59.0, 117.0, 405.0]) {
            assert!((found - expected).abs() < 0.1, "{seconds:?}");
        }
    }

    #[test]
    fn a_gpu_that_costs_nothing_is_held_for_a_week_and_not_for_ever() {
        let free = Setting {
            usd_per_s: 0.0,
            ..Setting::USUAL
        };
        assert_eq!(free.checked(), Ok(free));
        assert!((free.break_even_s() - LONGEST_BREAK_EVEN_S).abs() < 1e-9);
    }

    #[test]
    fn figures_that_make_no_sense_are_refused_by_name() {
        let told = |setting: Setting| setting.checked().unwrap_err().to_string();
        assert_eq!(
            told(Setting::USUAL.valued(-0.01)),
            "the value of a cold wait must be a number of at least 0, not -0.01"
        );
        assert!(told(Setting::USUAL.valued(f64::NAN)).contains("not NaN"));
        let dear = Setting {
            usd_per_s: 7.0,
            ..Setting::USUAL
        };
        assert!(told(dear).contains("at most 1 makes sense"));
        let none = Setting {
            max_containers: 0,
            ..Setting::USUAL
        };
        assert!(told(none).contains("not 0"));
    }

    #[test]
    fn without_a_boot_nobody_waits() {
        let instant = Setting {
            cold_s: 0.0,
            ..Setting::USUAL
        };
        assert!(instant.share_of_cold_wait(9.0).abs() < 1e-12);
        assert!((Setting::USUAL.share_of_cold_wait(9.0) - 0.2).abs() < 1e-12);
    }
}
