//! What is remembered of one endpoint: how busy it has been, which containers are idle, what its own past
//! says of the table, which rule has been cheapest. Fed with arrivals and ends in the order of time; a
//! constant number of steps for each.

use super::activity::{Activity, narrow};
use super::calibration::Calibration;
use super::decide::SHORTEST_WINDOW_S;
use super::hazard::{LAST_AGE_S, Rates};
use super::hedge::{Hedge, RULES, Rule};
use super::idle::Idle;
use super::period::Period;
use super::plan;
use super::shadow::Shadow;
use super::terms::{LONGEST_HOLD_S, Terms};
use crate::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};

/// Idle containers that are remembered.
const MOST_IDLE: usize = 20;
/// Running requests that are remembered.
const MOST_RUNNING: usize = 64;
/// Depths that have an activity of their own: with so many and more running at an arrival.
const DEPTHS: usize = 20;
/// Requests that the fitted rate counts as beside what all endpoints have seen.
const POOL_TRUST: f64 = 30.0;
/// Requests that the pooled rate counts as beside what this endpoint has seen.
const OWN_TRUST: f64 = 3.0;
/// Requests after which what was seen counts 1/e.
const POOL_MEMORY: f64 = 5000.0;
const OWN_MEMORY: f64 = 500.0;
/// Waits that the usual wait counts as beside those seen.
const WAIT_TRUST: f32 = 2.0;
/// How much of an older wait is kept when another is seen.
const WAIT_KEPT: f32 = 0.97;
/// Requests in line that are remembered until it is empty.
const MOST_MISSED: usize = 80;
/// [`Rule::Keep`] holds for so many times break-even.
const KEPT_LONGER: f64 = 1.5;
/// A clock that goes back by less stands still. By more, it was wrong before: what it said lies ahead, and
/// nothing would be told in time until then.
const MOST_BACK: Ms = Ms::seconds(600);
/// How much of the older mean of boot and service seconds is kept when another is measured.
const TIMES_KEPT: f64 = 0.95;
/// Measurements that the class's usual times count as beside the first ones.
const TIMES_TRUST: f64 = 3.0;

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Running {
    since: UnixMs,
}

/// So old that nothing more is heard of it.
impl Default for Running {
    fn default() -> Self {
        Self { since: UnixMs(0) }
    }
}

/// A request that found no container where the plan is played: when, and how many were there before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Missed {
    at: UnixMs,
    others: u8,
}

/// Its line has been empty for long.
impl Default for Missed {
    fn default() -> Self {
        Self {
            at: UnixMs(0),
            others: 0,
        }
    }
}

/// For how long one more container would have had something to do, as shares of a full wait, where requests
/// found none: until the line was empty. By how many were there before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Waits {
    times: f32,
    shares: f32,
}

/// The levers as they were last set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Levers {
    pub(super) floor: u32,
    pub(super) window_s: f32,
}

/// What is remembered of one endpoint. What an older build's row lacks is as it is at the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    terms: Terms,
    /// Decides between rules of equal merit, once; [0, 1).
    dice: f64,
    now: UnixMs,
    boots_measured: u16,
    services_measured: u16,
    depths: Vec<Activity>,
    running: Vec<Running>,
    pub(super) idle: Vec<Idle>,
    #[serde(with = "super::stored")]
    waits: [Waits; 4],
    missed: Vec<Missed>,
    own: Calibration,
    hedge: Hedge,
    #[serde(with = "super::stored")]
    shadows: [Shadow; RULES.len()],
    pub(super) period: Period,
    pub(super) levers: Levers,
}

impl Default for History {
    fn default() -> Self {
        Self::new(Terms::default(), 0.0, 0.0, UnixMs(0))
    }
}

impl History {
    /// Nothing is known yet. `dice` is uniform in [0, 1) and drawn once for each endpoint; `window_s` is
    /// the class's window as it is deployed.
    pub fn new(terms: Terms, window_s: f64, dice: f64, now: UnixMs) -> Self {
        Self {
            terms,
            dice,
            now,
            boots_measured: 0,
            services_measured: 0,
            depths: vec![Activity::none(now)],
            running: Vec::new(),
            idle: Vec::new(),
            waits: [Waits::default(); 4],
            missed: Vec::new(),
            own: Calibration::default(),
            hedge: Hedge::default(),
            shadows: std::array::from_fn(|_| Shadow::default()),
            period: Period::default(),
            levers: Levers {
                floor: 0,
                window_s: narrow(window_s),
            },
        }
    }

    /// Prices and times as they are believed now.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Prices as they are from now on; boot and service seconds stay as learnt.
    pub fn set_prices(&mut self, terms: Terms) {
        self.terms = terms.with_times(self.terms.boot_s(), self.terms.service_s());
    }

    /// Which rule has been followed, and at what regret.
    pub const fn hedge(&self) -> &Hedge {
        &self.hedge
    }

    /// Forgets requests and containers, not what was learnt: after a gap in what was told.
    pub fn restart(&mut self, window_s: f64) {
        self.forget_what_runs();
        self.in_force(0, window_s);
    }

    fn forget_what_runs(&mut self) {
        self.running.clear();
        self.idle.clear();
        self.missed.clear();
        self.shadows = std::array::from_fn(|_| Shadow::default());
    }

    /// Goes on from an earlier instant than the last one told: nothing that lies ahead of it is true.
    fn step_back(&mut self, at: UnixMs) {
        self.now = at;
        self.forget_what_runs();
        self.period = Period::default();
        for depth in &mut self.depths {
            depth.at = depth.at.min(at);
        }
    }

    /// Requests under way, as far as they are told apart: at most 64.
    pub fn in_flight(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    /// The same, where that is all of them: in a flood the oldest are not remembered.
    pub fn all_in_flight(&self) -> Option<u32> {
        (self.running.len() < MOST_RUNNING).then(|| self.in_flight())
    }

    /// When the oldest request under way came.
    pub fn oldest(&self) -> Option<UnixMs> {
        self.running.first().map(|running| running.since)
    }

    /// When the last request of all came; before the first, when this began.
    pub fn last_arrival(&self) -> UnixMs {
        self.depths.first().map_or(self.now, |all| all.at)
    }

    /// Forgets requests that came before that instant and of which no end was told; says how many.
    pub fn lost(&mut self, before: UnixMs) -> u32 {
        let there = self.running.len();
        self.running.retain(|running| running.since >= before);
        u32::try_from(there - self.running.len()).unwrap_or(u32::MAX)
    }

    /// The levers as they are in force, where that is not what was decided: a backend that took no lease.
    pub fn in_force(&mut self, floor: u32, window_s: f64) {
        self.levers = Levers {
            floor,
            window_s: narrow(window_s),
        };
    }

    /// A request came. One that is told late counts as if it had come at the last instant told.
    pub fn arrived(&mut self, at: UnixMs, pool: &mut Calibration) {
        let at = self.pass(at, pool);
        if let Some(idle) = self.idle.pop() {
            self.learn(&idle, idle.age_s(at), true, pool);
        }
        self.compare(at, pool);
        self.period.arrived(at);
        let deepest = self.running.len().min(DEPTHS - 1);
        while self.depths.len() <= deepest {
            self.depths.push(Activity::none(at));
        }
        for depth in &mut self.depths[..=deepest] {
            depth.arrived(at);
        }
        if self.running.len() == MOST_RUNNING {
            self.running.remove(0);
        }
        self.running.push(Running { since: at });
    }

    /// The oldest request ended.
    pub fn ended(&mut self, at: UnixMs, pool: &mut Calibration) {
        let at = self.pass(at, pool);
        if !self.running.is_empty() {
            self.running.remove(0);
        }
        if self.idle.len() == MOST_IDLE {
            self.idle.remove(0);
        }
        let idle = self.becoming_idle(at, self.running.len(), pool);
        self.idle.push(idle);
    }

    /// Boot and service seconds of a request, where they were measured.
    pub fn measured(&mut self, boot_s: Option<f64>, service_s: Option<f64>) {
        let mean = |old: f64, measured: &mut u16, new: Option<f64>| match new {
            Some(new) if new.is_finite() && new >= 0.0 => {
                *measured = measured.saturating_add(1);
                let share = (1.0 / (f64::from(*measured) + TIMES_TRUST)).max(1.0 - TIMES_KEPT);
                old + (new - old) * share
            }
            _ => old,
        };
        self.terms = self.terms.with_times(
            mean(self.terms.boot_s(), &mut self.boots_measured, boot_s),
            mean(
                self.terms.service_s(),
                &mut self.services_measured,
                service_s,
            ),
        );
    }

    /// Lets the time pass, and learns from containers that nobody has taken. A clock that goes back
    /// a little stands still; the instant that counts is returned.
    pub(super) fn pass(&mut self, at: UnixMs, pool: &mut Calibration) -> UnixMs {
        if self.now.since(at) > MOST_BACK {
            self.step_back(at);
        }
        self.now = self.now.max(at);
        let now = self.now;
        for index in 0..self.idle.len() {
            let idle = self.idle[index];
            let whole_s = Calibration::last_band_before(idle.age_s(now));
            if whole_s > f64::from(idle.learnt_s) {
                self.learn(&idle, whole_s, false, pool);
                self.idle[index].learnt_s = narrow(whole_s);
            }
        }
        self.idle.retain(|idle| idle.age_s(now) < LAST_AGE_S);
        now
    }

    /// A container as it would become idle now, with so many others running.
    pub(super) fn becoming_idle(&self, at: UnixMs, others: usize, pool: &Calibration) -> Idle {
        let activity = self.activity(at, others);
        let others_running = narrow_count(others);
        let rule = self.rule();
        let hold_s = self.hold_s(rule, &activity, others_running, pool);
        Idle {
            since: at,
            others_running,
            activity,
            learnt_s: 0.0,
            hold_s: narrow(hold_s),
        }
    }

    /// The rule that is followed.
    pub(super) fn rule(&self) -> Rule {
        self.hedge.draw(self.dice)
    }

    /// Rates by age of a container, corrected by what all endpoints and this one have seen.
    pub(super) fn rates(&self, activity: &Activity, others: u8, pool: &Calibration) -> Rates {
        let fitted = Rates::fitted(activity, others);
        fitted
            .corrected(pool, POOL_TRUST, others)
            .corrected(&self.own, OWN_TRUST, others)
    }

    /// What it costs that a container is gone when its request comes.
    pub(super) fn miss_usd(&self, others: u8) -> f64 {
        let seen = self.waits[usize::from(others.min(3))];
        let usual = narrow(self.terms.usual_share(others));
        let share = (seen.shares + WAIT_TRUST * usual) / (seen.times + WAIT_TRUST);
        self.terms.miss_of_usd(f64::from(share), others)
    }

    fn activity(&self, at: UnixMs, others: usize) -> Activity {
        let known = self.depths.get(others.min(DEPTHS - 1));
        known.map_or(Activity::none(at), |activity| activity.faded_to(at))
    }

    fn hold_s(&self, rule: Rule, activity: &Activity, others: u8, pool: &Calibration) -> f64 {
        match rule {
            Rule::Table => {
                let rates = self.rates(activity, others, pool);
                plan::hold_s(&rates, self.miss_usd(others), self.terms.usd_per_s())
            }
            Rule::Window(window_s) => f64::from(window_s),
            Rule::BreakEven => self.terms.break_even_s(),
            Rule::Keep(most) if others < most => {
                (KEPT_LONGER * self.terms.break_even_s()).min(LONGEST_HOLD_S)
            }
            Rule::Keep(_) => SHORTEST_WINDOW_S,
        }
    }

    /// Lets every rule live through the time until this arrival, and compares what it cost.
    fn compare(&mut self, at: UnixMs, pool: &Calibration) {
        let mut shadows = std::mem::replace(
            &mut self.shadows,
            std::array::from_fn(|_| Shadow::default()),
        );
        let miss_usd = self.terms.miss_usd(0);
        let mut losses = [0.0; RULES.len()];
        let (mut emptied, mut missed) = (None, None);
        for ((rule, shadow), loss) in RULES.into_iter().zip(&mut shadows).zip(&mut losses) {
            let empty_at = shadow.pass(at, &self.terms, |end, others| {
                let activity = self.activity(end, others);
                self.hold_s(rule, &activity, narrow_count(others), pool)
            });
            let others = shadow.arrived(at, &self.terms);
            if rule == Rule::Table {
                (emptied, missed) = (empty_at, others);
            }
            *loss = if miss_usd > 0.0 {
                shadow.take_usd() / miss_usd
            } else {
                0.0
            };
        }
        if let Some(at) = emptied {
            self.learn_waits(at);
        }
        if let Some(others) = missed
            && self.missed.len() < MOST_MISSED
        {
            let others = narrow_count(others);
            self.missed.push(Missed { at, others });
        }
        self.hedge.learn(losses);
        self.shadows = shadows;
    }

    fn learn(&mut self, idle: &Idle, until_s: f64, taken: bool, pool: &mut Calibration) {
        let ages = (f64::from(idle.learnt_s), until_s);
        let others = idle.others_running;
        let fitted = Rates::fitted(&idle.activity, others);
        let pooled = fitted.corrected(pool, POOL_TRUST, others);
        self.own.learn(&pooled, ages, taken, others, OWN_MEMORY);
        pool.learn(&fitted, ages, taken, others, POOL_MEMORY);
    }

    /// The line became empty. Until then each of its requests could have used one more container: that is
    /// what the container was worth, and not the wait of the request alone, which may be short because others
    /// wait longer.
    fn learn_waits(&mut self, emptied: UnixMs) {
        for Missed { at, others } in std::mem::take(&mut self.missed) {
            let share = self
                .terms
                .share_of_cold_wait(emptied.since(at).as_seconds());
            let waits = &mut self.waits[usize::from(others.min(3))];
            waits.times = waits.times * WAIT_KEPT + 1.0;
            waits.shares = waits.shares * WAIT_KEPT + narrow(share);
        }
    }
}

fn narrow_count(others: usize) -> u8 {
    u8::try_from(others).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
