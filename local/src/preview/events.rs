//! What happened to the preview GPU's containers, in order: from it anybody can count idle seconds and
//! cold starts again. Kept in memory, the newest of it; `ryla warm demo` asks for more than is usual, adds it
//! up and writes it out.

use ryla_domain::time::UnixMs;
use serde::Serialize;
use std::collections::VecDeque;

/// One event of one container, or of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerEvent {
    /// When, on the containers' own clock.
    pub at: UnixMs,
    /// The GPU class.
    pub class: &'static str,
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
#[derive(Debug)]
pub(super) struct EventLog {
    events: VecDeque<ContainerEvent>,
    most: usize,
}

impl EventLog {
    /// Of that many events; the oldest go first.
    pub(super) const fn of(most: usize) -> Self {
        Self {
            events: VecDeque::new(),
            most,
        }
    }

    pub(super) fn add(&mut self, at: UnixMs, class: &'static str, what: Happened) {
        self.events.push_back(ContainerEvent { at, class, what });
        while self.events.len() > self.most {
            self.events.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<ContainerEvent> {
        self.events.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_events_are_kept() {
        let mut log = EventLog::of(2);
        for container in 1..=3 {
            log.add(UnixMs(0), "flux", Happened::Idle { container });
        }
        let kept: Vec<Happened> = log.all().into_iter().map(|event| event.what).collect();
        let idle = |container| Happened::Idle { container };
        assert_eq!(kept, [idle(2), idle(3)]);
    }
}
