//! How soon the next request takes an idle container: its rate by the container's age, from how busy the
//! endpoint was when the container became idle. The shape below was fitted once; [`Calibration`]s correct
//! it by what is seen.

use super::activity::{Activity, FADES_S};
use super::calibration::Calibration;
use std::sync::LazyLock;

/// Ages in seconds at which the cells begin; the last one ends at [`LAST_AGE_S`].
pub(super) const AGES_S: [f64; CELLS] = [
    0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0,
    1200.0,
];
/// Cells of age.
pub(super) const CELLS: usize = 16;
/// Nothing is known, and nothing learnt, of older containers.
pub(super) const LAST_AGE_S: f64 = 1800.0;

/// A log-linear rate (Poisson regression on the idle times of a public trace of picture requests, every
/// endpoint by itself and in groups of several sizes; docs/WARM.md says how). Logarithm of requests per
/// second = base + age + depth + sum over the fading counts of (level + slope x log-age) x log-count.
const BASE: f64 = -5.653;
const AGE: f64 = -0.192;
const DEEP: f64 = -0.291;
const DEEP_SLOPE: f64 = -0.234;
const LEVEL: [f64; 6] = [0.29, 0.323, 0.153, 0.047, -0.051, 0.125];
const SLOPE: [f64; 6] = [0.001, 0.003, -0.061, 0.059, 0.0, 0.01];
/// Keeps the logarithm of a count that has faded away finite.
const FADED: f64 = 0.02;

/// Requests per second that would take a container, by the cell of its age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates(pub(super) [f64; CELLS]);

/// What of a cell does not depend on the endpoint.
struct CellTerms {
    log_age: f64,
    /// How much of each fading count is left by then.
    left: [f64; 6],
    /// What the logarithm of each weighs.
    weights: [f64; 6],
}

static CELL_TERMS: LazyLock<[CellTerms; CELLS]> = LazyLock::new(|| {
    AGES_S.map(|age_s| {
        let log_age = (age_s + 5.0).ln() - 4.0;
        CellTerms {
            log_age,
            left: FADES_S.map(|fade_s| (-age_s / fade_s).exp()),
            weights: std::array::from_fn(|index| LEVEL[index] + SLOPE[index] * log_age),
        }
    })
});

impl Rates {
    /// As fitted, nothing corrected. `then` is the activity when the container became idle.
    pub(super) fn fitted(then: &Activity, others_running: u8) -> Self {
        let counts = then.counts.map(f64::from);
        let (deep, deep_slope) = if others_running > 0 {
            (DEEP, DEEP_SLOPE)
        } else {
            (0.0, 0.0)
        };
        Self(CELL_TERMS.each_ref().map(|cell| {
            let mut log = BASE + deep + (AGE + deep_slope) * cell.log_age;
            for ((count, left), weight) in counts.iter().zip(cell.left).zip(cell.weights) {
                log += weight * (count * left + FADED).ln();
            }
            log.exp()
        }))
    }

    /// The same, corrected by what was seen.
    #[must_use]
    pub(super) fn corrected(mut self, by: &Calibration, trust: f64, others_running: u8) -> Self {
        for (rate, age) in self.0.iter_mut().zip(AGES_S) {
            *rate *= by.factor(age, others_running, trust);
        }
        self
    }

    /// Requests that were to be expected between two ages.
    pub(super) fn expected(&self, from_s: f64, until_s: f64) -> f64 {
        let mut sum = 0.0;
        for (cell, rate) in self.0.iter().enumerate() {
            let (begin, end) = cell_of(cell);
            let within = until_s.min(end) - from_s.max(begin);
            if within > 0.0 {
                sum += rate * within;
            }
        }
        sum
    }
}

/// Where a cell begins and ends.
pub(super) fn cell_of(cell: usize) -> (f64, f64) {
    let end = AGES_S.get(cell + 1).copied().unwrap_or(LAST_AGE_S);
    (AGES_S[cell], end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixMs;

    fn activity(arrivals: &[i64], now_s: i64) -> Activity {
        let mut activity = Activity::none(UnixMs(0));
        for at_s in arrivals {
            activity.arrived(UnixMs(at_s * 1000));
        }
        activity.faded_to(UnixMs(now_s * 1000))
    }

    #[test]
    fn the_next_request_is_the_sooner_expected_the_busier_it_was() {
        let quiet = Rates::fitted(&activity(&[0], 20), 0);
        let busy = Rates::fitted(&activity(&[0, 200, 400, 500, 560, 600], 620), 0);
        for (quiet, busy) in quiet.0.iter().zip(busy.0) {
            assert!(*quiet < busy);
        }
        assert!(
            quiet.0[0] > quiet.0[8] && quiet.0[8] > quiet.0[15],
            "and the later, the less"
        );
    }

    #[test]
    fn requests_to_be_expected_add_up_over_ages() {
        let rates = Rates::fitted(&activity(&[0, 60], 80), 0);
        let whole = rates.expected(0.0, LAST_AGE_S);
        let parts = rates.expected(0.0, 77.0) + rates.expected(77.0, LAST_AGE_S);
        assert!((whole - parts).abs() < 1e-9);
        assert!(rates.expected(50.0, 50.0).abs() < 1e-12);
        assert!((rates.expected(0.0, 5.0) - 5.0 * rates.0[0]).abs() < 1e-12);
    }
}
