//! The few statistics that the reports need.

/// The value below which that share of the values lies, by nearest rank; 0 of none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list of thousands"
    )]
    let place = ((share * sorted.len() as f64).ceil() as usize).saturating_sub(1);
    sorted.get(place.min(last)).copied().unwrap_or_default()
}

/// Median with the smallest and the largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// Of these values; for an even number of them, the median lies between the middle two.
    pub fn of(values: &[f64]) -> Self {
        let (low, high) = (percentile(values, 0.5), -percentile(&negated(values), 0.5));
        Self {
            median: f64::midpoint(low, high),
            min: percentile(values, 0.0),
            max: percentile(values, 1.0),
        }
    }
}

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let found = [0.0, 0.5, 0.99, 1.0].map(|share| percentile(&values, share).to_string());
        assert_eq!(found, ["1", "100", "198", "200"]);
        assert_eq!(percentile(&[], 0.5).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn the_median_of_an_even_number_of_values_lies_between_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]);
        let expected = Spread {
            median: 2.5,
            min: 1.0,
            max: 4.0,
        };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(&[7.0]).median.to_bits(), 7.0_f64.to_bits());
    }
}
