//! The machine's clock, except that nobody sleeps on it once the process is to stop: requests that are
//! held for their job are then answered with the job as it is.

use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use ryla_engine::system::SystemClock;
use tokio_util::sync::CancellationToken;

/// A clock whose sleepers wake when the process stops.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoppingClock {
    stopping: CancellationToken,
}

impl StoppingClock {
    /// Wakes every sleeper, also the later ones.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }
}

#[async_trait]
impl Clock for StoppingClock {
    fn now(&self) -> UnixMs {
        SystemClock.now()
    }

    async fn sleep(&self, length: Ms) {
        tokio::select! {
            () = SystemClock.sleep(length) => {}
            () = self.stopping.cancelled() => {}
        }
    }
}
