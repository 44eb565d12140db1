//! What was seen against what was expected, by age of the container: the part of the hazard table that
//! is learnt. One is pooled over all endpoints, one belongs to each.

use super::activity::narrow;
use super::hazard::{LAST_AGE_S, Rates};
use serde::{Deserialize, Serialize};

/// Ages in seconds at which the bands end.
const BANDS_S: [f64; BANDS] = [30.0, 120.0, 480.0, LAST_AGE_S];
const BANDS: usize = 4;
/// First the containers that were the only ones, then those beside which a few others ran, then those of a
/// crowd.
const DEPTHS: usize = 3;
/// So many others are a crowd.
const CROWD: u8 = 5;

/// Requests seen and expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Band {
    seen: f32,
    expected: f32,
}

/// A table of corrections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calibration {
    #[serde(with = "super::stored")]
    bands: [[Band; BANDS]; DEPTHS],
}

impl Calibration {
    /// Adds what was seen of one idle container between two ages: that a request took it at the second,
    /// or that none did. `memory` is the number of requests after which what was seen counts 1/e.
    pub(super) fn learn(
        &mut self,
        rates: &Rates,
        ages: (f64, f64),
        taken: bool,
        others_running: u8,
        memory: f64,
    ) {
        let mut from = 0.0;
        for (band, until) in self.bands[depth(others_running)].iter_mut().zip(BANDS_S) {
            let (begin, end) = (ages.0.max(from), ages.1.min(until));
            if end > begin || (taken && ages.1 >= from && ages.1 < until) {
                let expected = rates.expected(begin, end);
                let seen = f64::from(u8::from(taken && ages.1 < until));
                let keep = (-(expected.max(seen)) / memory).exp();
                band.expected = narrow(f64::from(band.expected) * keep + expected);
                band.seen = narrow(f64::from(band.seen) * keep + seen);
            }
            from = until;
        }
    }

    /// The end of the last band that lies wholly below an age; 0 where none does.
    pub(super) fn last_band_before(age_s: f64) -> f64 {
        BANDS_S
            .iter()
            .rev()
            .copied()
            .find(|end| *end <= age_s)
            .unwrap_or(0.0)
    }

    /// Seen through expected, drawn to 1 as if `trust` requests had come as expected.
    pub(super) fn factor(&self, age_s: f64, others_running: u8, trust: f64) -> f64 {
        let band = BANDS_S
            .iter()
            .position(|until| age_s < *until)
            .unwrap_or(BANDS - 1);
        let band = self.bands[depth(others_running)][band];
        (f64::from(band.seen) + trust) / (f64::from(band.expected) + trust)
    }
}

fn depth(others_running: u8) -> usize {
    usize::from(others_running > 0) + usize::from(others_running >= CROWD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warm::hazard::CELLS;

    const RATES: Rates = Rates([0.01; CELLS]);

    #[test]
    fn what_is_seen_twice_as_often_as_expected_comes_to_count_twice() {
        let mut table = Calibration::default();
        for _ in 0..2000 {
            // On average after 50 s, where 100 s were expected.
            table.learn(&RATES, (0.0, 20.0), true, 0, 1000.0);
            table.learn(&RATES, (0.0, 80.0), true, 0, 1000.0);
        }
        let factor = table.factor(10.0, 0, 3.0);
        assert!((1.5..2.5).contains(&factor), "{factor}");
        assert!(
            (table.factor(10.0, 1, 3.0) - 1.0).abs() < 1e-9,
            "the other depth has seen nothing"
        );
    }

    #[test]
    fn a_crowd_is_learnt_apart_and_an_older_table_without_one_is_read() {
        let mut table = Calibration::default();
        table.learn(&RATES, (0.0, LAST_AGE_S), false, CROWD, 1000.0);
        assert!(table.factor(1000.0, CROWD, 3.0) < 0.25);
        assert!((table.factor(1000.0, CROWD - 1, 3.0) - 1.0).abs() < 1e-9);
        table.learn(&RATES, (0.0, LAST_AGE_S), false, 0, 1000.0);
        let mut older = serde_json::to_value(&table).unwrap();
        older["bands"].as_array_mut().unwrap().pop();
        let read: Calibration = serde_json::from_value(older).unwrap();
        assert!((read.factor(1000.0, CROWD, 3.0) - 1.0).abs() < 1e-9);
        assert!((read.factor(1000.0, 0, 3.0) - table.factor(1000.0, 0, 3.0)).abs() < 1e-9);
    }

    #[test]
    fn silence_lowers_the_rate_and_a_few_requests_do_not_turn_it() {
        let mut table = Calibration::default();
        table.learn(&RATES, (0.0, LAST_AGE_S), false, 0, 1000.0);
        assert!(table.factor(1000.0, 0, 3.0) < 0.25);
        assert!(table.factor(10.0, 0, 100.0) > 0.99);
    }

    #[test]
    fn an_idle_time_learnt_in_two_pieces_counts_as_one() {
        let (mut whole, mut pieces) = (Calibration::default(), Calibration::default());
        whole.learn(&RATES, (0.0, 300.0), true, 0, 1e12);
        pieces.learn(&RATES, (0.0, 120.0), false, 0, 1e12);
        pieces.learn(&RATES, (120.0, 300.0), true, 0, 1e12);
        for age in [5.0, 60.0, 200.0, 900.0] {
            assert!((whole.factor(age, 0, 3.0) - pieces.factor(age, 0, 3.0)).abs() < 1e-6);
        }
        assert!((Calibration::last_band_before(119.0) - 30.0).abs() < 1e-9);
        assert!(Calibration::last_band_before(29.0).abs() < 1e-9);
    }
}
