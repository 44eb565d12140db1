//! A clock that moves only when a test or a sleeper moves it.

use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Time as a test sets it. A sleeper moves the clock to the end of its sleep at once, so that waits
/// cost no real time; after [`ManualClock::hold_sleepers`] it waits until the test has moved the
/// clock that far.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<UnixMs>,
    hold: AtomicBool,
    slept: Mutex<Vec<Ms>>,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(now: UnixMs) -> Self {
        Self {
            now: watch::Sender::new(now),
            hold: AtomicBool::new(false),
            slept: Mutex::default(),
        }
    }

    /// Shows this time from now on; also an earlier one, since clocks of two machines differ.
    pub fn set(&self, now: UnixMs) {
        self.now.send_replace(now);
    }

    /// Moves on by that length and returns the new time.
    pub fn advance(&self, by: Ms) -> UnixMs {
        self.now.send_modify(|now| *now = *now + by);
        *self.now.borrow()
    }

    /// From now on sleepers wait until the test has moved the clock.
    pub fn hold_sleepers(&self) {
        self.hold.store(true, Ordering::SeqCst);
    }

    /// How many sleepers wait for the clock to move.
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }

    /// Every length that was slept or is being slept, in order.
    pub fn slept(&self) -> Vec<Ms> {
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The clock of a machine that is off by a fixed length.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    pub(crate) right: Arc<ManualClock>,
    /// In milliseconds; above 0 it is ahead.
    pub(crate) off_by: i64,
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.right.now().0 + self.off_by)
    }

    async fn sleep(&self, length: Ms) {
        self.right.sleep(length).await;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        *self.now.borrow()
    }

    async fn sleep(&self, length: Ms) {
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(length);
        let end = self.now() + length;
        if self.hold.load(Ordering::SeqCst) {
            // An error would mean that the sender is gone, and the sender is `self`.
            let _ = self.now.subscribe().wait_for(|now| *now >= end).await;
        } else {
            self.now.send_modify(|now| *now = end.max(*now));
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join;

    #[tokio::test]
    async fn a_sleeper_moves_the_clock_and_costs_no_time() {
        let clock = ManualClock::at(UnixMs(1_000));
        clock.sleep(Ms::seconds(3_600)).await;
        assert_eq!(clock.now(), UnixMs(3_601_000));
        join(clock.sleep(Ms(10)), clock.sleep(Ms(20))).await;
        assert!(clock.now() >= UnixMs(3_601_020));
        assert_eq!(clock.slept(), [Ms::seconds(3_600), Ms(10), Ms(20)]);
    }

    #[tokio::test]
    async fn a_held_sleeper_wakes_only_when_the_clock_has_come_so_far() {
        let clock = Arc::new(ManualClock::at(UnixMs(0)));
        clock.hold_sleepers();
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep(Ms(100)).await }
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Ms(99));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Ms(1));
        sleeper.await.unwrap();
    }
}
