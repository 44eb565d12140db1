//! How long to wait before the next try: doubling, with a ceiling. Jitter is the caller's, who has
//! the random numbers.

use crate::time::Ms;

/// A doubling wait with a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Ms,
    /// No wait is longer than this.
    pub ceiling: Ms,
}

impl Backoff {
    /// The wait before try number `tries` (0 is the first): base, 2 x base, 4 x base, ... ceiling.
    pub fn wait(self, tries: u32) -> Ms {
        self.base.doubled(tries).min(self.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_waits_1_2_4_8_and_then_15_minutes() {
        let sweep = Backoff {
            base: Ms::seconds(60),
            ceiling: Ms::seconds(900),
        };
        let minutes: Vec<u64> = (0..6).map(|n| sweep.wait(n).0 / 60_000).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15]);
        assert_eq!(sweep.wait(u32::MAX), Ms::seconds(900));
    }
}
