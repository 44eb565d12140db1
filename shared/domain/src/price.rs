//! What a GPU second costs us, in micro-dollars. A GPU that is not in the table has no price, and a
//! job on it an unknown cost: never zero.

use crate::report::Timings;

/// Price of one second of a GPU in millionths of a micro-dollar (10^-12 dollars), so that the
/// published prices (six decimal places of a dollar per second) stay whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuPrice {
    /// The GPU's name as the worker reports it, in lower case.
    pub gpu: &'static str,
    /// Micro-dollars for 1,000 seconds.
    pub usd_micros_per_1000_s: u64,
}

/// Modal's list prices per second, May 2026 (docs/BACKENDS.md gives the source and its date).
pub const PRICES: &[GpuPrice] = &[
    price("t4", 164_000),
    price("l4", 222_000),
    price("a10", 306_000),
    price("l40s", 542_000),
    price("a100-40gb", 583_000),
    price("a100-80gb", 694_000),
    price("h100", 1_097_000),
];

const fn price(gpu: &'static str, usd_micros_per_1000_s: u64) -> GpuPrice {
    GpuPrice {
        gpu,
        usd_micros_per_1000_s,
    }
}

/// What a run took from us in micro-dollars, rounded up, or `None` where the GPU has no price or the
/// worker did not say how long it ran. Boot is paid as well; the wait in the queue is not.
pub fn cost_usd_micros(gpu: Option<&str>, timings: Option<&Timings>) -> Option<u64> {
    let name = gpu?.to_ascii_lowercase();
    let price = PRICES.iter().find(|price| price.gpu == name)?;
    let billed_ms = timings?.billed_ms();
    Some(
        billed_ms
            .saturating_mul(price.usd_micros_per_1000_s)
            .div_ceil(1_000_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_seconds_on_an_l40s_cost_just_over_a_cent() {
        let timings = Timings {
            queue: 5_000,
            boot: 0,
            load: 2_000,
            run: 17_000,
            upload: 1_000,
        };
        assert_eq!(cost_usd_micros(Some("L40S"), Some(&timings)), Some(10_840));
    }

    #[test]
    fn a_gpu_without_a_price_costs_an_unknown_amount_and_not_nothing() {
        let timings = Timings::default();
        assert_eq!(cost_usd_micros(Some("preview"), Some(&timings)), None);
        assert_eq!(cost_usd_micros(None, Some(&timings)), None);
        assert_eq!(cost_usd_micros(Some("l4"), None), None);
    }
}
