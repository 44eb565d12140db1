//! What a pass cost by the log of its containers: the same sums as in the simulator. Beside the system's
//! own accounting, which knows arrivals and ends only to the second and containers not at all.

use super::Demo;
use ryla_local::{ContainerEvent, Happened};
use serde::Serialize;
use std::collections::HashMap;

/// Seconds of waiting that nobody calls cold.
const UNNOTICED_S: f64 = 1.0;

/// Sums over all containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Measured {
    /// Runs that a container took.
    pub(super) requests: u32,
    /// Those of them that had waited for it.
    pub(super) waited: u32,
    /// Seconds that they had waited.
    pub(super) wait_seconds: f64,
    /// Containers that booted.
    pub(super) boots: u32,
    /// Seconds without work.
    pub(super) idle_seconds: f64,
    /// Idle and boot seconds at the GPU's price, and each wait by its share of a full one.
    pub(super) cost_usd: f64,
}

impl Measured {
    /// Adds up a log.
    pub(super) fn of(events: &[ContainerEvent], demo: &Demo) -> Self {
        let mut sums = Self::default();
        let mut idle_since = HashMap::new();
        let mut shares = 0.0;
        for event in events {
            match &event.what {
                Happened::Set { .. } => {}
                Happened::BootBegan { .. } => sums.boots += 1,
                Happened::Ready { container } | Happened::Idle { container } => {
                    idle_since.insert((&event.class, *container), event.at);
                }
                Happened::Released { container } | Happened::Took { container, .. } => {
                    let since = idle_since.remove(&(&event.class, *container));
                    let since = since.unwrap_or(event.at);
                    sums.idle_seconds += event.at.since(since).as_seconds();
                }
            }
            if let Happened::Took { waited_ms, .. } = event.what {
                let wait_s = ryla_domain::time::Ms(waited_ms).as_seconds();
                sums.requests += 1;
                sums.waited += u32::from(wait_s > UNNOTICED_S);
                sums.wait_seconds += wait_s;
                if demo.cold > 0.0 {
                    shares += (wait_s / demo.cold).min(1.0);
                }
            }
        }
        let usd_per_s = demo.gpu_hour / 3600.0;
        let billed_s = sums.idle_seconds + f64::from(sums.boots) * demo.cold;
        sums.cost_usd = billed_s * usd_per_s + shares * demo.value;
        sums
    }
}
