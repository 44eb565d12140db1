//! What schedules do in AWS: the sweep, at the start over every open job, since the queue of a new
//! process is empty, then over what is due; and the removal of expired rows.

use crate::embedded::Embedded;
use ryla_domain::time::Ms;
use ryla_engine::sweep::{Scope, Sweep};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often expired rows are removed. DynamoDB itself takes up to days.
const EXPIRY_PERIOD: Duration = Duration::from_mins(1);

/// The running timers.
#[derive(Debug)]
pub(crate) struct Timers {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Timers {
    /// Sweeps now and then every `period`.
    pub(crate) fn start(sweep: Sweep, period: Ms, embedded: Arc<Embedded>) -> Self {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let stop = stopping.clone();
        tasks.spawn(async move {
            let sweeping = async {
                let mut scope = Scope::Everything;
                loop {
                    ryla_sweep::handle(&sweep, scope).await;
                    scope = Scope::Due;
                    tokio::time::sleep(period.duration()).await;
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
                () = expiring => {}
                // A sweep may end between any two of its calls.
                () = stop.cancelled() => {}
            }
        });
        Self { stopping, tasks }
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
