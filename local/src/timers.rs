//! What schedules do in AWS: the sweep, at the start over every open job, since the queue of a new
//! process is empty, then over what is due; `warm` each minute; and the removal of expired rows.

use crate::clock::FastClock;
use crate::embedded::Embedded;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock as _;
use ryla_engine::sweep::{Scope, Sweep};
use ryla_engine::warm::Warm;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often expired rows are removed. DynamoDB itself takes up to days.
const EXPIRY_PERIOD: Duration = Duration::from_mins(1);

/// Seconds into a minute at which the finished one is looked at: what was counted at its very end is
/// there by then. Where a minute is short, [`PacedEndpoints`](crate::paced::PacedEndpoints) sees to that.
const TICK_AT: Ms = Ms::seconds(5);

/// How long it is from there to the next tick.
fn until_tick(now: UnixMs) -> Ms {
    let into = Ms(u64::try_from((now - TICK_AT).0.rem_euclid(60_000)).unwrap_or_default());
    Ms(60_000 - into.0)
}

/// The running timers.
#[derive(Debug)]
pub(crate) struct Timers {
    stopping: CancellationToken,
    /// Of `warm` alone.
    cooling: CancellationToken,
    tasks: TaskTracker,
}

impl Timers {
    /// Sweeps now and then every `period`; keeps containers warm each minute of their clock.
    pub(crate) fn start(
        sweep: Sweep,
        period: Ms,
        warm: Option<Warm>,
        containers_clock: FastClock,
        embedded: Arc<Embedded>,
    ) -> Self {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let cooling = stopping.child_token();
        let (stop, cool) = (stopping.clone(), cooling.clone());
        tasks.spawn(async move {
            let sweeping = async {
                let mut scope = Scope::Everything;
                loop {
                    ryla_sweep::handle(&sweep, scope).await;
                    scope = Scope::Due;
                    tokio::time::sleep(period.duration()).await;
                }
            };
            let warming = async {
                let Some(warm) = warm else {
                    return std::future::pending::<()>().await;
                };
                loop {
                    tokio::select! {
                        () = containers_clock.sleep(until_tick(containers_clock.now())) => {}
                        () = cool.cancelled() => return std::future::pending().await,
                    }
                    if let Err(error) = ryla_warm::handle(&warm).await {
                        let error = error.to_string();
                        tracing::warn!(event = "port", call = "warm", error, "port failed");
                    }
                }
            };
            let expiring = async {
                loop {
                    tokio::time::sleep(EXPIRY_PERIOD).await;
                    if let Err(error) = embedded.sweep_expired().await {
                        let error = format!("{error:#}");
                        tracing::warn!(event = "port", call = "table.expire", error, "port failed");
                    }
                }
            };
            tokio::select! {
                () = sweeping => {}
                () = warming => {}
                () = expiring => {}
                // A sweep may end between any two of its calls.
                () = stop.cancelled() => {}
            }
        });
        Self {
            stopping,
            cooling,
            tasks,
        }
    }

    /// Lets `warm` come no more; what it holds ends with its leases.
    pub(crate) fn stop_warm(&self) {
        self.cooling.cancel();
    }

    /// Stops them at once.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_comes_five_seconds_into_each_minute_and_never_twice() {
        for (now, wait) in [(0, 5_000), (4_999, 1), (5_000, 60_000), (59_000, 6_000)] {
            assert_eq!(
                until_tick(UnixMs(1_800_000_000_000 + now)),
                Ms(wait),
                "{now}"
            );
        }
    }
}
