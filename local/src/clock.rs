//! The machine's clock in two other gaits: one on which nobody sleeps once the process is to stop, so that
//! requests that are held for their job are then answered with the job as it is; and one that is faster,
//! on which GPU containers and their leases live in a demo.

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

/// The machine's clock, some times as fast since it was made.
#[derive(Clone, Copy, Debug)]
pub struct FastClock {
    begun: UnixMs,
    /// Its seconds in one of the machine's.
    speed: f64,
}

impl FastClock {
    /// Shows the machine's time now, and runs `speed` times as fast from here on; what is no speed is 1.
    pub fn new(speed: f64) -> Self {
        let usable = speed.is_finite() && speed > 0.0;
        Self {
            begun: SystemClock.now(),
            speed: if usable { speed } else { 1.0 },
        }
    }

    /// How long a length on this clock takes on the machine's.
    pub fn real(&self, length: Ms) -> Ms {
        Ms::from_secs_f64(length.as_seconds() / self.speed)
    }

    /// What this clock shows at an instant of the machine's.
    pub fn at(&self, machine: UnixMs) -> UnixMs {
        let passed = machine.since(self.begun).as_seconds() * self.speed;
        // Before it was made it is the machine's.
        machine.min(self.begun) + Ms::from_secs_f64(passed)
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> UnixMs {
        self.at(SystemClock.now())
    }

    async fn sleep(&self, length: Ms) {
        tokio::time::sleep(length.duration().div_f64(self.speed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_begins_at_the_machines_time_and_leaves_it_behind() {
        let clock = FastClock {
            begun: UnixMs(1_000_000),
            speed: 60.0,
        };
        for (machine, shown) in [
            (999_000, 999_000),
            (1_000_000, 1_000_000),
            (1_001_000, 1_060_000),
        ] {
            assert_eq!(clock.at(UnixMs(machine)), UnixMs(shown));
        }
        assert_eq!(clock.real(Ms::seconds(30)), Ms(500));
        let usual = FastClock::new(0.0);
        assert_eq!(usual.real(Ms(30)), Ms(30));
        assert!(usual.now().since(SystemClock.now()) < Ms::seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn sleep_on_a_fast_clock_is_short() {
        let begun = tokio::time::Instant::now();
        FastClock::new(60.0).sleep(Ms::seconds(90)).await;
        assert_eq!(begun.elapsed(), std::time::Duration::from_millis(1_500));
    }
}
