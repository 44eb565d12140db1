//! The machine's own clock and randomness: the only place where they are asked for directly.

use crate::port::{Clock, Entropy};
use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> UnixMs {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the Clock port's adapter"
        )]
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, length: Ms) {
        tokio::time::sleep(length.duration()).await;
    }
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the Entropy port's adapter"
        )]
        if getrandom::fill(buffer).is_err() {
            // Ids and tokens that could be guessed would be worse than no answer.
            std::process::abort();
        }
    }
}
