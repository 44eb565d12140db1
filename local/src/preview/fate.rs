//! Which runs fail and which callbacks are lost: decided by seed, run and event alone, so that a test
//! that names its jobs sees the same accidents every time.

use ryla_domain::id::Run;

/// The accidents that were asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) seed: u64,
    /// Share of runs that fail, 0 to 1.
    pub(super) fail: f64,
    /// Share of callbacks that are never sent, 0 to 1.
    pub(super) lose: f64,
}

impl Fate {
    /// Whether that run fails on its GPU.
    pub(super) fn fails(&self, run: &Run) -> bool {
        self.draw(run, "fail") < self.fail
    }

    /// Whether that event of the run is never sent.
    pub(super) fn loses(&self, run: &Run, seq: u64) -> bool {
        self.draw(run, &format!("lose {seq}")) < self.lose
    }

    /// A number from 0 to 1 that spreads retries.
    pub(super) fn jitter(&self, run: &Run, retry: u32) -> f64 {
        self.draw(run, &format!("retry {retry}"))
    }

    /// A number from 0 to below 1: FNV-1a, mixed by `SplitMix64`'s last step so that all bits count.
    fn draw(&self, run: &Run, what: &str) -> f64 {
        let text = format!("{} {run} {what}", self.seed);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are what a double holds"
        )]
        let number = ((mixed ^ (mixed >> 31)) >> 11) as f64;
        number / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> impl Iterator<Item = Run> {
        (0..10_000).map(|n| format!("acme.job-{n:06}.1").parse().unwrap())
    }

    #[test]
    fn about_the_asked_share_of_runs_fails_and_always_the_same_ones() {
        let fate = Fate {
            seed: 7,
            fail: 0.2,
            lose: 0.0,
        };
        let failing: Vec<Run> = runs().filter(|run| fate.fails(run)).collect();
        assert!((1_800..2_200).contains(&failing.len()), "{}", failing.len());
        assert_eq!(
            failing,
            runs().filter(|run| fate.fails(run)).collect::<Vec<_>>()
        );
        let other = Fate { seed: 8, ..fate };
        assert_ne!(
            failing,
            runs().filter(|run| other.fails(run)).collect::<Vec<_>>()
        );
        assert!(!runs().any(|run| fate.loses(&run, 1)));
    }

    #[test]
    fn a_rate_of_one_spares_nobody_and_a_rate_of_zero_everybody() {
        let all = Fate {
            seed: 1,
            fail: 1.0,
            lose: 1.0,
        };
        assert!(runs().all(|run| all.fails(&run) && all.loses(&run, 3)));
        let none = Fate {
            seed: 1,
            fail: 0.0,
            lose: 0.0,
        };
        assert!(!runs().any(|run| none.fails(&run) || none.loses(&run, 3)));
    }
}
