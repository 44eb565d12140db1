//! Traces that look like those of picture services, drawn from a seed: gaps with heavy tails, sessions,
//! most endpoints below one request an hour; and the awkward shapes beside them. Not a measurement of
//! anything: they hold the policy's goals in tests.

use crate::trace::{Trace, TraceError};
use std::collections::BTreeMap;

const DAY_S: f64 = 86_400.0;

/// A kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Many endpoints whose rates lie orders of magnitude apart, users in sessions, days and nights.
    Service {
        /// How many endpoints.
        endpoints: usize,
        /// Requests a day of the busiest.
        busiest_per_day: f64,
        /// How many days.
        days: f64,
    },
    /// Arrivals without memory.
    Poisson {
        /// Seconds between two.
        every_s: f64,
        /// How many.
        requests: usize,
    },
    /// A clock: one arrival in every period, give or take.
    Periodic {
        /// Seconds.
        every_s: f64,
        /// Seconds, either way.
        jitter_s: f64,
        /// How many.
        requests: usize,
    },
    /// Several at once, and then nothing for a while.
    Batches {
        /// Requests in one.
        size: usize,
        /// Seconds between two batches.
        every_s: f64,
        /// How many batches.
        batches: usize,
    },
    /// Busy and idle stretches that change without warning.
    Regimes {
        /// Seconds between two requests of a busy stretch.
        busy_every_s: f64,
        /// Seconds between two requests of an idle one.
        idle_every_s: f64,
        /// Usual seconds of a stretch.
        stretch_s: f64,
        /// How many requests.
        requests: usize,
    },
    /// Dense bursts of an exponential size, and gaps of minutes between them.
    Bursts {
        /// Seconds between two requests of a burst.
        within_s: f64,
        /// Usual requests of a burst.
        size: f64,
        /// The median gap between two bursts in seconds.
        between_s: f64,
        /// How many hours.
        hours: f64,
    },
    /// One program that calls by day and night: its rate is another every ten minutes, and its gaps are
    /// burstier than chance within them.
    Client {
        /// Usual requests a day.
        per_day: f64,
        /// Standard deviation of the rate's logarithm.
        spread: f64,
        /// How many days.
        days: f64,
    },
    /// Batches of very different sizes at irregular times, as when people start jobs on a cluster.
    Jobs {
        /// The median gap between two batches in seconds.
        median_s: f64,
        /// How many days.
        days: f64,
    },
    /// Gaps with a heavy tail and no other structure.
    HeavyTail {
        /// The median gap in seconds.
        median_s: f64,
        /// Standard deviation of the gap's logarithm.
        spread: f64,
        /// How many.
        requests: usize,
    },
}

impl Shape {
    /// Draws the trace of a seed.
    pub fn draw(self, seed: u64) -> Result<Trace, TraceError> {
        let mut dice = Dice::new(seed);
        let mut by_name = BTreeMap::new();
        if let Self::Service {
            endpoints,
            busiest_per_day,
            days,
        } = self
        {
            for index in 0..endpoints {
                let rank = crate::engine::count(index + 1);
                let per_day = busiest_per_day / rank.powf(1.6);
                let arrivals = service(&mut dice, per_day, days);
                by_name.insert(format!("model-{index:03}"), arrivals);
            }
        } else {
            by_name.insert("endpoint".to_owned(), self.one(&mut dice));
        }
        Trace::of(by_name, 0)
    }

    fn one(self, dice: &mut Dice) -> Vec<f64> {
        let mut at = 8.0 * 3600.0 + dice.unit() * 60.0;
        let mut arrivals = Vec::new();
        match self {
            Self::Service { .. } => {}
            Self::Poisson { every_s, requests } => {
                for _ in 0..requests {
                    at += dice.exponential(every_s);
                    arrivals.push(at);
                }
            }
            Self::Periodic {
                every_s,
                jitter_s,
                requests,
            } => {
                for _ in 0..requests {
                    at += every_s;
                    arrivals.push(at + (dice.unit() * 2.0 - 1.0) * jitter_s);
                }
            }
            Self::Batches {
                size,
                every_s,
                batches,
            } => {
                for _ in 0..batches {
                    at += dice.exponential(every_s);
                    arrivals.extend((0..size).map(|_| at + dice.unit() * 5.0));
                }
            }
            Self::Regimes {
                busy_every_s,
                idle_every_s,
                stretch_s,
                requests,
            } => {
                let mut busy = true;
                let mut until = at + dice.exponential(stretch_s);
                while arrivals.len() < requests {
                    at += dice.exponential(if busy { busy_every_s } else { idle_every_s });
                    if at > until {
                        (busy, at) = (!busy, until);
                        until += dice.exponential(stretch_s);
                    } else {
                        arrivals.push(at);
                    }
                }
            }
            Self::Bursts {
                within_s,
                size,
                between_s,
                hours,
            } => {
                let until = at + hours * 3600.0;
                while at < until {
                    let mut left = dice.exponential(size);
                    while left > 0.0 {
                        arrivals.push(at);
                        at += dice.exponential(within_s);
                        left -= 1.0;
                    }
                    at += between_s * (0.8 * dice.normal()).exp();
                }
            }
            Self::Client {
                per_day,
                spread,
                days,
            } => arrivals = client(dice, per_day, spread, days),
            Self::Jobs { median_s, days } => arrivals = jobs(dice, median_s, days),
            Self::HeavyTail {
                median_s,
                spread,
                requests,
            } => {
                for _ in 0..requests {
                    at += median_s * (spread * dice.normal()).exp();
                    arrivals.push(at);
                }
            }
        }
        arrivals
    }
}

/// One endpoint of a service: sessions by day and night, in each a user who asks again and again.
fn service(dice: &mut Dice, per_day: f64, days: f64) -> Vec<f64> {
    let per_session = 6.0;
    let popularity = (0.6 * dice.normal()).exp();
    let mut arrivals = Vec::new();
    let mut at = dice.exponential(DAY_S * per_session / per_day / popularity);
    while at < days * DAY_S {
        let hour = at.rem_euclid(DAY_S) / 3600.0;
        let awake = 0.55 + 0.45 * ((hour - 21.0) / 24.0 * std::f64::consts::TAU).cos();
        if dice.unit() < awake {
            let mut request_at = at;
            loop {
                arrivals.push(request_at);
                if dice.unit() < 0.12 {
                    // Several pictures at once.
                    arrivals.push(request_at + dice.unit() * 8.0);
                }
                if dice.unit() < 1.0 / per_session {
                    break;
                }
                request_at += 62.0 * (1.1 * dice.normal()).exp();
            }
        }
        at += dice.exponential(DAY_S * per_session / per_day / popularity * 0.62);
    }
    arrivals.retain(|t| *t < days * DAY_S);
    arrivals
}

/// A rate that drifts from ten minutes to ten minutes and follows the day; gaps whose logarithm is normal.
fn client(dice: &mut Dice, per_day: f64, spread: f64, days: f64) -> Vec<f64> {
    const STRETCH_S: f64 = 600.0;
    const KEPT: f64 = 0.9;
    const GAP_SPREAD: f64 = 1.3;
    let mut arrivals = Vec::new();
    let (mut begin, mut drift) = (0.0, dice.normal());
    while begin < days * DAY_S {
        drift = KEPT * drift + (1.0 - KEPT * KEPT).sqrt() * dice.normal();
        let hour = begin.rem_euclid(DAY_S) / 3600.0;
        let awake = 1.0 + 0.6 * ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos();
        let rate = per_day / DAY_S * awake * (spread * drift - spread * spread / 2.0).exp();
        let mut at = begin;
        loop {
            at += (GAP_SPREAD * dice.normal() - GAP_SPREAD * GAP_SPREAD / 2.0).exp() / rate;
            if at >= begin + STRETCH_S {
                break;
            }
            arrivals.push(at);
        }
        begin += STRETCH_S;
    }
    arrivals
}

/// Gaps with a heavy tail, shorter by day; batches of one to forty.
fn jobs(dice: &mut Dice, median_s: f64, days: f64) -> Vec<f64> {
    let (mut arrivals, mut at) = (Vec::new(), 0.0_f64);
    while at < days * DAY_S {
        let hour = at.rem_euclid(DAY_S) / 3600.0;
        let awake = 0.4
            + 0.6
                * ((hour - 15.0) / 24.0 * std::f64::consts::TAU)
                    .cos()
                    .max(0.0);
        at += median_s * (1.6 * dice.normal()).exp() / awake;
        let size = (1.0 - dice.unit()).powf(-0.7).min(40.0);
        let (mut left, mut job_at) = (size, at);
        while left >= 1.0 {
            arrivals.push(job_at);
            let usual_s = if dice.unit() < 0.6 { 2.0 } else { 60.0 };
            job_at += dice.exponential(usual_s);
            left -= 1.0;
        }
    }
    arrivals
}

/// Random numbers of a seed (`SplitMix64`), the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or_default();
        f64::from(high) / 4_294_967_296.0
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.unit()).ln() * mean
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}
