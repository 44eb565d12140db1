//! Endpoints that a clock calls: requests that begin at equal distances. Where such a period is real, a
//! container can be booted just before.

use super::terms::Terms;
use crate::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};

/// A request is the beginning of something if none came for so long before it. Shorter periods need no
/// boot ahead: their containers are worth holding.
const QUIET: Ms = Ms::seconds(150);
/// So many distances in a row must agree before a period is believed.
const ENOUGH: u8 = 4;
/// Agreement beyond this adds nothing.
const CERTAIN: u8 = 20;
/// The least that a beginning is allowed to be off, in seconds.
const LEAST_OFF_S: f64 = 10.0;
/// A distance that is off by more than this share of the period is another one.
const MOST_OFF_SHARE: f64 = 0.04;

/// What is known of an endpoint's period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Period {
    /// The last request.
    request: Option<UnixMs>,
    /// The last beginning.
    beginning: Option<UnixMs>,
    every_s: f64,
    /// How far beginnings have been off of late.
    off_s: f64,
    agreed: u8,
}

/// When the next beginning is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Due {
    pub(super) at: UnixMs,
    /// It may be off by so much, either way.
    pub(super) off_s: f64,
    pub(super) every_s: f64,
    /// How likely it comes.
    pub(super) chance: f64,
}

impl Period {
    /// A request came.
    pub(super) fn arrived(&mut self, at: UnixMs) {
        let quiet = self.request.is_none_or(|last| at.since(last) >= QUIET);
        self.request = Some(at);
        if !quiet {
            return;
        }
        if let Some(last) = self.beginning.replace(at) {
            let distance_s = at.since(last).as_seconds();
            let off_s = (distance_s - self.every_s).abs();
            if off_s <= LEAST_OFF_S.max(self.every_s * MOST_OFF_SHARE) {
                self.agreed = (self.agreed + 1).min(CERTAIN);
                self.off_s = self.off_s * 0.8 + off_s * 0.2;
                self.every_s += (distance_s - self.every_s) / f64::from(self.agreed.min(8) + 1);
            } else if self.agreed > ENOUGH {
                // One beginning out of line does not unmake a period; several do.
                self.agreed /= 2;
            } else {
                *self = Self {
                    every_s: distance_s,
                    off_s: 0.0,
                    agreed: 0,
                    ..*self
                };
            }
        }
    }

    /// The next beginning, where the period is real and it is not overdue.
    pub(super) fn due(&self, now: UnixMs) -> Option<Due> {
        let last = self.beginning?;
        if self.agreed < ENOUGH {
            return None;
        }
        let off_s = LEAST_OFF_S.max(self.off_s * 2.0);
        let at = last + Ms::from_secs_f64(self.every_s);
        let chance = f64::from(self.agreed) / (f64::from(self.agreed) + 1.0);
        (now < at + Ms::from_secs_f64(off_s)).then_some(Due {
            at,
            off_s,
            every_s: self.every_s,
            chance,
        })
    }
}

impl Due {
    /// The last instant at which a boot can begin and be over in time.
    pub(super) fn boot_by(&self, terms: &Terms) -> UnixMs {
        self.at - Ms::from_secs_f64(self.off_s + terms.boot_s())
    }

    /// Until when a container that was booted for it is held.
    pub(super) fn over_at(&self) -> UnixMs {
        self.at + Ms::from_secs_f64(self.off_s)
    }

    /// What a boot at `now` saves if the request comes.
    pub(super) fn saves_usd(&self, now: UnixMs, terms: &Terms) -> f64 {
        terms.value_usd() * terms.share_of_cold_wait(self.at.since(now).as_seconds())
    }

    /// What a boot at `now` is expected to cost beyond the boot that the request would have caused anyway.
    pub(super) fn costs_usd(&self, now: UnixMs, terms: &Terms) -> f64 {
        let ahead_s = self.at.since(now).as_seconds();
        let idle_s = (ahead_s - terms.boot_s()).max(0.0);
        let wasted_s = terms.boot_s() + idle_s + self.off_s;
        (self.chance * idle_s + (1.0 - self.chance) * wasted_s) * terms.usd_per_s()
    }

    /// What a boot at `now` is expected to save, less what it is expected to cost.
    pub(super) fn gain_usd(&self, now: UnixMs, terms: &Terms) -> f64 {
        self.chance * self.saves_usd(now, terms) - self.costs_usd(now, terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixMs {
        UnixMs(seconds * 1000)
    }

    fn hourly(hours: i64) -> Period {
        let mut period = Period::default();
        for hour in 0..hours {
            // A few seconds off, and a second request that belongs to the first.
            period.arrived(at(hour * 3600 + hour % 3));
            period.arrived(at(hour * 3600 + 40));
        }
        period
    }

    #[test]
    fn a_period_is_believed_when_five_distances_agree_and_not_before() {
        assert_eq!(hourly(5).due(at(4 * 3600 + 60)), None);
        let due = hourly(7).due(at(6 * 3600 + 60)).unwrap();
        assert!(
            due.at.since(at(7 * 3600 - 5)).as_seconds() < 10.0,
            "{due:?}"
        );
        assert!((10.0..20.0).contains(&due.off_s));
        assert_eq!(hourly(7).due(at(7 * 3600 + 60)), None, "it did not come");
    }

    #[test]
    fn requests_without_a_period_have_none() {
        let mut period = Period::default();
        let mut now = 0;
        for distance in [400, 900, 350, 2000, 700, 1500, 300, 5000, 640] {
            now += distance;
            period.arrived(at(now));
            assert_eq!(period.due(at(now)), None);
        }
    }

    #[test]
    fn a_boot_ahead_pays_where_the_wait_is_worth_more_than_the_idle_minute() {
        let due = Due {
            at: at(1000),
            off_s: 10.0,
            every_s: 3600.0,
            chance: 0.95,
        };
        let terms = |value| Terms::new(2.5 / 3600.0, value, 45.0, 20.0).unwrap();
        assert!(due.gain_usd(at(900), &terms(0.25)) > 0.0);
        assert!(due.gain_usd(at(900), &terms(0.01)) < 0.0);
        assert!(
            due.gain_usd(at(1000), &terms(0.25)) < 0.0,
            "too late to save anything"
        );
        assert_eq!(due.boot_by(&terms(0.25)), at(945));
    }
}
