//! Time and randomness as ports, so that tests turn the clock by hand and a seed reproduces a run.

use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> UnixMs;
    /// Returns after that length of time.
    async fn sleep(&self, length: Ms);
}

/// Random bytes for ids, tokens and seeds.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Entropy {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
