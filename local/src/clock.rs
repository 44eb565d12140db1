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

/// A clock that runs some times as fast as the machine's.
#[derive(Clone, Copy, Debug)]
pub struct FastClock {
    /// What the machine's clock showed when this one began.
    begun: UnixMs,
    /// What it showed itself.
    first: UnixMs,
    /// Its seconds in one of the machine's.
    speed: f64,
}

impl FastClock {
    /// Shows the machine's time now, and runs `speed` times as fast from here on; what is no speed is 1.
    pub fn new(speed: f64) -> Self {
        let now = SystemClock.now();
        Self {
            begun: now,
            ..Self::beginning(now, speed)
        }
    }

    /// Shows that time now.
    pub fn beginning(first: UnixMs, speed: f64) -> Self {
        let usable = speed.is_finite() && speed > 0.0;
        Self {
            begun: SystemClock.now(),
            first,
            speed: if usable { speed } else { 1.0 },
        }
    }

    /// Whether it leaves the machine's clock behind, or began elsewhere.
    pub fn is_faster(&self) -> bool {
        self.speed > 1.0 || self.first != self.begun
    }

    /// What a length on the machine's clock is on this one.
    pub fn shown(&self, real: Ms) -> Ms {
        Ms::from_secs_f64(real.as_seconds() * self.speed)
    }

    /// How long a length on this clock takes on the machine's.
    pub fn real(&self, length: Ms) -> Ms {
        Ms::from_secs_f64(length.as_seconds() / self.speed)
    }

    /// What this clock shows at an instant of the machine's.
    pub fn at(&self, machine: UnixMs) -> UnixMs {
        self.first + self.shown(machine.since(self.begun)) - self.begun.since(machine)
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
    fn a_fast_clock_leaves_the_machines_behind_from_its_beginning_on() {
        let clock = FastClock {
            begun: UnixMs(1_000_000),
            first: UnixMs(5_000_000),
            speed: 60.0,
        };
        for (machine, shown) in [
            (999_000, 4_999_000),
            (1_000_000, 5_000_000),
            (1_001_000, 5_060_000),
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
