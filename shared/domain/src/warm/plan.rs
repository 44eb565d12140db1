//! How long to hold one idle container: until the age at which what is saved, less what is paid, is
//! greatest.

use super::hazard::{AGES_S, CELLS, LAST_AGE_S, Rates, cell_of};
use super::terms::LONGEST_HOLD_S;

/// Seconds from becoming idle for which holding pays best; 0 where it never does.
pub(super) fn hold_s(rates: &Rates, miss_usd: f64, usd_per_s: f64) -> f64 {
    let (mut gain, mut best, mut hold, mut waiting) = (0.0, 0.0, 0.0, 1.0);
    for (cell, rate) in rates.0.iter().enumerate() {
        let (begin, end) = cell_of(cell);
        if begin >= LONGEST_HOLD_S {
            break;
        }
        let come = waiting * (1.0 - (-rate * (end - begin)).exp());
        // Held seconds within the cell are `come / rate`, since the rate is constant there.
        gain += come * miss_usd
            - usd_per_s
                * if *rate > 0.0 {
                    come / rate
                } else {
                    waiting * (end - begin)
                };
        waiting -= come;
        if gain > best {
            (best, hold) = (gain, end);
        }
    }
    hold.min(LONGEST_HOLD_S)
}

/// How likely a request comes between two ages, given that none came before.
pub(super) fn chance(rates: &Rates, from_s: f64, until_s: f64) -> f64 {
    1.0 - (-rates.expected(from_s, until_s)).exp()
}

const _: () = assert!(AGES_S.len() == CELLS && LAST_AGE_S > LONGEST_HOLD_S);

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(rate: f64) -> Rates {
        Rates([rate; CELLS])
    }

    #[test]
    fn holding_pays_exactly_above_the_rate_of_break_even() {
        let (miss_usd, usd_per_s) = (0.08, 0.0008);
        assert!((hold_s(&constant(0.011), miss_usd, usd_per_s) - LONGEST_HOLD_S).abs() < 1e-9);
        assert!(hold_s(&constant(0.009), miss_usd, usd_per_s).abs() < 1e-9);
        assert!(hold_s(&constant(0.0), miss_usd, usd_per_s).abs() < 1e-9);
    }

    #[test]
    fn a_rate_that_falls_is_followed_to_where_it_no_longer_pays() {
        let mut rates = constant(0.001);
        rates.0[..6].fill(0.05);
        assert!((hold_s(&rates, 0.08, 0.0008) - 60.0).abs() < 1e-9);
    }

    #[test]
    fn a_stretch_that_does_not_pay_is_held_through_for_one_that_does() {
        let mut rates = constant(0.0);
        rates.0[6] = 1.0;
        assert!(
            (hold_s(&rates, 0.08, 0.0008) - 90.0).abs() < 1e-9,
            "60 s of idling for a sure request"
        );
        assert!(hold_s(&rates, 0.04, 0.0008).abs() < 1e-9);
    }

    #[test]
    fn the_chance_is_that_of_the_rate() {
        assert!((chance(&constant(0.01), 30.0, 90.0) - (1.0 - (-0.6_f64).exp())).abs() < 1e-12);
    }
}
