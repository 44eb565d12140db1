//! The only source of variety: a seeded generator (splitmix64), one independent stream per layer.
//!
//! Streams are named, so that adding a layer or a draw to one layer leaves every other layer as it was.

/// A stream of pseudo-random numbers that is a pure function of its seed.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An independent stream for the layer called `name`; `self` does not advance.
    pub(crate) fn stream(&self, name: &str) -> Self {
        Self::new(scramble(self.state ^ hash(name)))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.state)
    }

    /// Uniform in 0.0..1.0, with 24 bits, all that an `f32` holds.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Uniform in `low..high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with probability `odds`.
    pub(crate) fn happens(&mut self, odds: f32) -> bool {
        self.unit() < odds
    }

    /// Uniform in `0..count`; 0 if `count` is 0.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count.saturating_sub(1))
    }

    /// -1.0 or 1.0.
    pub(crate) fn side(&mut self) -> f32 {
        if self.happens(0.5) { -1.0 } else { 1.0 }
    }

    /// A key for [`crate::noise`].
    pub(crate) fn key(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }
}

/// FNV-1a of the text: the same on every machine, unlike the standard library's hasher.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of splitmix64: every input bit reaches every output bit.
pub(crate) fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_gives_the_same_stream_each_time() {
        let (mut one, mut two) = (Chance::new(7), Chance::new(7));
        assert!((0..50).all(|_| one.bits() == two.bits()));
    }

    #[test]
    fn streams_with_different_names_differ() {
        let root = Chance::new(7);
        assert_ne!(root.stream("clouds").bits(), root.stream("stars").bits());
    }

    #[test]
    fn units_fill_the_interval_and_stay_inside_it() {
        let mut chance = Chance::new(1);
        let mean = (0..4000)
            .map(|_| chance.unit())
            .inspect(|unit| assert!((0.0..1.0).contains(unit)))
            .sum::<f32>();
        assert!((mean / 4000.0 - 0.5).abs() < 0.03);
    }
}
