//! What a rule would have cost: the containers of one endpoint as they would be had it been followed all
//! along. Several run side by side; none of them steers anything.

use super::terms::Terms;
use crate::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};

/// Containers that a shadow follows; beyond that requests wait in line.
const MOST: usize = 20;

/// A container without work: since when it has not been paid for, and until when the rule holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Held {
    since: UnixMs,
    until: UnixMs,
}

/// Its time is over.
impl Default for Held {
    fn default() -> Self {
        Self {
            since: UnixMs(0),
            until: UnixMs(0),
        }
    }
}

/// The containers of one endpoint under one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shadow {
    idle: Vec<Held>,
    /// Ends of running requests, soonest first.
    busy: Vec<UnixMs>,
    /// Ends of boots, soonest first.
    boots: Vec<UnixMs>,
    /// Arrivals in line.
    line: Vec<UnixMs>,
    /// Dollars since they were last asked for.
    usd: f64,
}

impl Shadow {
    /// Lets the time pass until `now`. `hold_s` is the rule: seconds for which a container is held that
    /// becomes idle while so many others run. Says when the line became empty, if it did.
    pub(super) fn pass(
        &mut self,
        now: UnixMs,
        terms: &Terms,
        hold_s: impl Fn(UnixMs, usize) -> f64,
    ) -> Option<UnixMs> {
        let mut emptied = None;
        loop {
            let (end, boot) = (self.busy.first().copied(), self.boots.first().copied());
            let at = match (end, boot) {
                (Some(end), Some(boot)) => end.min(boot),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            if at > now {
                break;
            }
            if end == Some(at) {
                self.busy.remove(0);
            } else {
                self.boots.remove(0);
            }
            if self.line.is_empty() {
                let until = at + Ms::from_secs_f64(hold_s(at, self.busy.len()));
                self.idle.push(Held { since: at, until });
            } else {
                let waited_s = at.since(self.line.remove(0)).as_seconds();
                self.usd += terms.value_usd() * terms.share_of_cold_wait(waited_s);
                self.busy.push(at + Ms::from_secs_f64(terms.service_s()));
                if self.line.is_empty() {
                    emptied = Some(at);
                }
            }
        }
        // Holding is paid for as it goes: a sum at its end would come as a surprise to the weights.
        let usd = &mut self.usd;
        self.idle.retain_mut(|held| {
            let paid = now.min(held.until);
            *usd += paid.since(held.since).as_seconds() * terms.usd_per_s();
            held.since = held.since.max(paid);
            held.until > now
        });
        emptied
    }

    /// A request comes, after the time has passed until then. Where it has to stand in line: how many
    /// requests were there before it.
    pub(super) fn arrived(&mut self, now: UnixMs, terms: &Terms) -> Option<usize> {
        if self.idle.pop().is_some() {
            self.busy.push(now + Ms::from_secs_f64(terms.service_s()));
            return None;
        }
        let others = self.busy.len() + self.line.len();
        if self.line.len() >= 4 * MOST {
            // A flood: every rule is late by the same, and the line is not to grow without limit.
            self.usd += terms.value_usd();
            return None;
        }
        self.line.push(now);
        if self.boots.len() < self.line.len() && self.busy.len() + self.boots.len() < MOST {
            self.usd += terms.boot_s() * terms.usd_per_s();
            self.boots.push(now + Ms::from_secs_f64(terms.boot_s()));
        }
        Some(others)
    }

    /// Dollars since this was last asked.
    pub(super) fn take_usd(&mut self) -> f64 {
        std::mem::take(&mut self.usd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixMs {
        UnixMs(seconds * 1000)
    }

    #[test]
    fn a_held_container_costs_its_idle_time_and_a_missing_one_the_boot_and_the_wait() {
        let terms = Terms::new(0.01, 1.0, 40.0, 20.0).unwrap();
        let mut shadow = Shadow::default();
        let hold = |_, _| 60.0;
        assert_eq!(shadow.pass(at(0), &terms, hold), None);
        assert_eq!(shadow.arrived(at(0), &terms), Some(0));
        assert!((shadow.take_usd() - 0.4).abs() < 1e-9, "the boot");
        assert_eq!(shadow.pass(at(100), &terms, hold), Some(at(40)));
        assert!(
            (shadow.take_usd() - 1.4).abs() < 1e-9,
            "the wait, and 40 s idle from 60 s on"
        );
        assert_eq!(shadow.arrived(at(100), &terms), None);
        assert!(shadow.take_usd().abs() < 1e-9, "all is paid");
        shadow.pass(at(1000), &terms, hold);
        assert!(
            (shadow.take_usd() - 0.6).abs() < 1e-9,
            "released after 60 s"
        );
        assert_eq!(shadow, Shadow::default());
    }

    #[test]
    fn whoever_is_free_first_takes_the_head_of_the_line() {
        let terms = Terms::new(0.01, 1.0, 40.0, 20.0).unwrap();
        let mut shadow = Shadow::default();
        let hold = |_, _| 0.0;
        shadow.arrived(at(0), &terms);
        shadow.pass(at(45), &terms, hold);
        assert_eq!(shadow.arrived(at(45), &terms), Some(1));
        // The first runs from 40 to 60 and takes the second after 15 s; its boot is paid all the same.
        shadow.pass(at(200), &terms, hold);
        let expected = 2.0 * 0.4 + 1.0 + 15.0 / 40.0;
        assert!((shadow.take_usd() - expected).abs() < 1e-9);
    }

    #[test]
    fn a_flood_does_not_grow_the_state_without_limit() {
        let terms = Terms::new(0.01, 1.0, 40.0, 20.0).unwrap();
        let mut shadow = Shadow::default();
        for n in 0..10_000 {
            shadow.pass(UnixMs(n), &terms, |_, _| 0.0);
            shadow.arrived(UnixMs(n), &terms);
        }
        assert!(shadow.line.len() + shadow.busy.len() + shadow.boots.len() <= 6 * MOST);
    }
}
