//! Plays a trace against policies by name and adds up what each cost.

use crate::adaptive;
use crate::baseline::{Always, Cron, Never};
use crate::clairvoyant::{self, Bound};
use crate::controller::Controller;
use crate::engine::{Engine, Tally, count};
use crate::hybrid::Hybrid;
use crate::setting::{Setting, SettingError};
use crate::trace::Trace;
use std::fmt;
use std::str::FromStr;

/// Seconds of waiting that nobody calls cold.
const UNNOTICED_S: f64 = 1.0;
/// Modal's default window.
const USUAL_WINDOW_S: f64 = 60.0;

/// A policy that can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// No floor; released after so many seconds.
    Never(u32),
    /// A floor that never goes away.
    Always(usize),
    /// A ping every five minutes in opening hours; released after so many seconds.
    Cron(u32),
    /// The hybrid histogram with its published figures.
    Hybrid,
    /// No floor; released when holding has cost as much as a miss.
    SkiRental,
    /// Ours.
    Adaptive,
    /// Knows the future and lets nobody wait.
    Clairvoyant,
}

impl Policy {
    /// What a comparison shows.
    pub const ALL: [Self; 9] = [
        Self::Never(20),
        Self::Never(60),
        Self::Never(300),
        Self::Always(1),
        Self::Cron(60),
        Self::Hybrid,
        Self::SkiRental,
        Self::Adaptive,
        Self::Clairvoyant,
    ];
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never(window_s) => write!(f, "never-{window_s}"),
            Self::Always(floor) => write!(f, "always-{floor}"),
            Self::Cron(60) => f.write_str("cron"),
            Self::Cron(window_s) => write!(f, "cron-{window_s}"),
            Self::Hybrid => f.write_str("hybrid"),
            Self::SkiRental => f.write_str("ski-rental"),
            Self::Adaptive => f.write_str("adaptive"),
            Self::Clairvoyant => f.write_str("clairvoyant"),
        }
    }
}

/// A name that no policy has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no policy {0:?}; there are never-SECONDS, always-FLOOR, cron, cron-SECONDS, hybrid, ski-rental, adaptive and clairvoyant"
)]
pub struct NoPolicy(String);

impl FromStr for Policy {
    type Err = NoPolicy;
    fn from_str(name: &str) -> Result<Self, NoPolicy> {
        let unknown = || NoPolicy(name.to_owned());
        let number = |text: &str| text.parse::<u32>().map_err(|_| unknown());
        Ok(match name.split_once('-') {
            Some(("never", window)) => Self::Never(number(window)?),
            Some(("always", floor)) => {
                Self::Always(usize::try_from(number(floor)?).map_err(|_| unknown())?)
            }
            Some(("cron", window)) => Self::Cron(number(window)?),
            _ => match name {
                "cron" => Self::Cron(60),
                "hybrid" => Self::Hybrid,
                "ski-rental" => Self::SkiRental,
                "adaptive" => Self::Adaptive,
                "clairvoyant" => Self::Clairvoyant,
                _ => return Err(unknown()),
            },
        })
    }
}

/// What a policy cost, GPU time at work left out: that is the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests.
    pub requests: f64,
    /// Container seconds without work.
    pub idle_s: f64,
    /// Container seconds of booting.
    pub boot_s: f64,
    /// Boots.
    pub boots: f64,
    /// Requests that waited noticeably.
    pub cold: f64,
    /// Seconds waited in all.
    pub wait_s: f64,
    /// The wait that 95 of 100 requests stay below.
    pub p95_wait_s: f64,
    /// Full cold waits, shorter ones counted by their share.
    pub cold_waits: f64,
    /// Dollars for idle and booting containers.
    pub gpu_usd: f64,
    /// That, and the waits at their value.
    pub total_usd: f64,
}

impl Figures {
    fn of(tallies: &[Tally], setting: &Setting) -> Self {
        let sum = |of: fn(&Tally) -> f64| tallies.iter().map(of).sum::<f64>();
        let waits = tallies.iter().flat_map(|t| t.waits.iter().copied());
        Self {
            idle_s: sum(|t| t.idle_s),
            boot_s: sum(|t| t.boot_s),
            boots: sum(|t| count(t.boots)),
            ..Self::of_waits(waits.collect(), setting)
        }
        .priced(setting)
    }

    fn of_bound(bound: Bound, setting: &Setting) -> Self {
        Self {
            idle_s: bound.idle_s,
            boot_s: bound.boots * setting.cold_s,
            boots: bound.boots,
            ..Self::of_waits(bound.waits, setting)
        }
        .priced(setting)
    }

    fn of_waits(mut waits: Vec<f64>, setting: &Setting) -> Self {
        waits.sort_by(f64::total_cmp);
        let p95 = waits.len() * 95 / 100;
        let shares = waits.iter().map(|wait| setting.share_of_cold_wait(*wait));
        Self {
            requests: count(waits.len()),
            cold: count(waits.iter().filter(|wait| **wait > UNNOTICED_S).count()),
            wait_s: waits.iter().sum(),
            p95_wait_s: waits.get(p95).copied().unwrap_or_default(),
            cold_waits: shares.sum(),
            ..Self::default()
        }
    }

    fn priced(mut self, setting: &Setting) -> Self {
        self.gpu_usd = (self.idle_s + self.boot_s) * setting.usd_per_s;
        self.total_usd = self.gpu_usd + self.cold_waits * setting.value_usd;
        self
    }

    /// Dollars for a thousand requests.
    pub fn total_usd_per_1000(&self) -> f64 {
        self.total_usd / self.requests * 1000.0
    }

    /// Dollars for a thousand requests, waits left out.
    pub fn gpu_usd_per_1000(&self) -> f64 {
        self.gpu_usd / self.requests * 1000.0
    }

    /// The share of requests that waited noticeably.
    pub fn cold_share(&self) -> f64 {
        self.cold / self.requests
    }

    /// Hours of idle containers.
    pub fn idle_gpu_hours(&self) -> f64 {
        self.idle_s / 3600.0
    }
}

/// What one policy costs on a trace; `learnt` is what the adaptive one has lived through before.
pub fn score(
    policy: Policy,
    trace: &Trace,
    learnt: Option<&Trace>,
    setting: &Setting,
) -> Result<Figures, SettingError> {
    let tallies = match policy {
        Policy::Clairvoyant => {
            let bound = clairvoyant::without_waits(trace, setting);
            return Ok(Figures::of_bound(bound, setting));
        }
        Policy::Always(floor) if floor > setting.max_containers => {
            return Err(SettingError::FloorAboveMaximum {
                floor,
                max: setting.max_containers,
            });
        }
        Policy::Always(floor) => always(floor, trace, setting),
        Policy::Never(window) => each(trace, setting, f64::from(window), || Never),
        Policy::Cron(window) => each(trace, setting, f64::from(window), || Cron::USUAL),
        Policy::Hybrid => each(trace, setting, USUAL_WINDOW_S, || {
            Hybrid::published(setting.cold_s)
        }),
        Policy::SkiRental => each(trace, setting, setting.break_even_s(), || Never),
        Policy::Adaptive => adaptive::play(trace, learnt, setting, false)?.tallies,
    };
    Ok(Figures::of(&tallies, setting))
}

/// The clairvoyant bounds beside [`Policy::Clairvoyant`], by name.
pub fn bounds(trace: &Trace, setting: &Setting) -> [(&'static str, Figures); 2] {
    [
        ("clairvoyant-line", clairvoyant::with_a_line(trace, setting)),
        (
            "clairvoyant-keep",
            clairvoyant::keeping_only(trace, setting),
        ),
    ]
    .map(|(name, bound)| (name, Figures::of_bound(bound, setting)))
}

fn each<C: Controller>(
    trace: &Trace,
    setting: &Setting,
    window_s: f64,
    controller: impl Fn() -> C,
) -> Vec<Tally> {
    let run = |endpoint: &crate::trace::Endpoint| {
        Engine::new(*setting, &endpoint.arrivals, window_s).run(&mut controller())
    };
    trace.endpoints.iter().map(run).collect()
}

/// Held over the whole trace, not only from an endpoint's first request to its last.
fn always(floor: usize, trace: &Trace, setting: &Setting) -> Vec<Tally> {
    let (first, last) = trace.span();
    let mut tallies = each(trace, setting, USUAL_WINDOW_S, || Always(floor));
    for (tally, endpoint) in tallies.iter_mut().zip(&trace.endpoints) {
        let arrivals = &endpoint.arrivals;
        if let (Some(from), Some(until)) = (arrivals.first(), arrivals.last()) {
            tally.idle_s += ((from - first) + (last - until)) * count(floor);
        }
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_its_name() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("cron-300".parse(), Ok(Policy::Cron(300)));
        for name in ["", "never", "never-x", "never--1", "skirental"] {
            assert!(name.parse::<Policy>().is_err(), "{name}");
        }
    }
}
