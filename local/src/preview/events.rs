//! What happened to the preview GPU's containers, in order: from it anybody can count idle seconds and
//! cold starts again. Kept in memory, the newest of it; written out by `ryla warm demo --events`.

use ryla_domain::time::UnixMs;
use serde::Serialize;
use std::collections::VecDeque;

/// Events that are kept; the oldest go first.
const KEPT: usize = 200_000;

/// One event of one container, or of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerEvent {
    /// When, on the containers' own clock.
    pub at: UnixMs,
    /// The GPU class.
    pub class: String,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// Floor and window were set, by a lease or by its end.
    Set {
        /// Containers that are not released.
        floor: u32,
        /// Milliseconds after its last use at which an idle container above the floor goes.
        window_ms: u64,
    },
    /// It costs from now on.
    BootBegan {
        /// The container's number, never used again.
        container: u64,
    },
    /// It can take a run, and idles.
    Ready {
        /// Which.
        container: u64,
    },
    /// It works.
    Took {
        /// Which.
        container: u64,
        /// On what.
        run: String,
        /// How long the run had waited for a container, in milliseconds.
        waited_ms: u64,
    },
    /// Its run has ended, and it idles.
    Idle {
        /// Which.
        container: u64,
    },
    /// It is gone.
    Released {
        /// Which.
        container: u64,
    },
}

/// The newest events.
#[derive(Debug, Default)]
pub(super) struct EventLog(VecDeque<ContainerEvent>);

impl EventLog {
    pub(super) fn add(&mut self, at: UnixMs, class: &str, what: Happened) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(ContainerEvent {
            at,
            class: class.to_owned(),
            what,
        });
    }

    pub(super) fn all(&self) -> Vec<ContainerEvent> {
        self.0.iter().cloned().collect()
    }
}
