//! One decision for one endpoint: a floor of containers and a release window. A constant number of steps,
//! whatever the history. What is held beyond the window's reach is held by the floor, which is a lease and
//! ends by itself.

use super::calibration::Calibration;
use super::history::History;
use super::idle::Idle;
use super::plan;
use super::reason::{Reason, Term, Why};
use crate::time::{Ms, UnixMs};

/// Decisions are this far apart.
const TICK_S: f64 = 60.0;
/// The window is never longer, so that everything cools within three minutes when nobody decides any more.
pub const LONGEST_WINDOW_S: f64 = 120.0;
/// The window that a class is deployed with, and has until a decision sets another (`IDLE_WINDOW_S` of
/// infra/modal).
pub const DEPLOYED_WINDOW: Ms = Ms::seconds(60);
/// The shortest window that Modal takes.
pub const SHORTEST_WINDOW_S: f64 = 2.0;
/// Running requests whose containers are looked at one by one.
const MOST_LOOKED_AT: usize = 20;

/// What a decision looks at beside the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The whole minute; one before the last instant told counts as that.
    pub now: UnixMs,
    /// When the levers will be asserted; before `now` counts as `now`. What is gone by then is not held:
    /// a floor that comes too late would boot.
    pub acts_at: UnixMs,
    /// Requests under way.
    pub in_flight: u32,
    /// The class's maximum of containers: no floor is higher.
    pub max: u32,
}

/// What to do until the next decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Containers that are not to be released.
    pub floor: u32,
    /// Seconds after its last use at which an idle container above the floor is released.
    pub window_s: f64,
    /// Where nothing arrives, the decision stays as it is until then; `None`: for good.
    pub again_at: Option<UnixMs>,
    /// Why.
    pub reason: Reason,
}

/// What is wanted: containers to hold over the whole next minute, and the window for the rest.
struct Wanted {
    containers: usize,
    window_s: f64,
}

/// Decides, and remembers what was decided. `pool` is what all endpoints have taught.
pub fn decide(history: &mut History, pool: &mut Calibration, look: Look) -> Decision {
    let now = history.pass(look.now, pool);
    let acts_at = look.acts_at.max(now);
    let in_flight = usize::try_from(look.in_flight).unwrap_or(usize::MAX);
    let there = containers_there(history, in_flight, acts_at);
    let fresh = history.becoming_idle(now, 0, pool);
    let wanted = wanted(history, pool, in_flight, (now, acts_at), &fresh);
    let next = history.idle.last().copied().unwrap_or(fresh);
    let held = history.idle.iter().any(|idle| idle.left_s(acts_at) > 0.0);

    // No floor boots: a container that is gone is not worth its boot, unless a clock calls.
    let floor = clamped(wanted.containers.min(there), look.max);
    let why = match (floor, in_flight) {
        (1.., _) => Why::Held(floor),
        (0, 1..) => Why::Running,
        (0, 0) if held => Why::Waning,
        (0, 0) => Why::Cold,
    };
    let soon = now + Ms::seconds(60);
    let mut decision = Decision {
        floor,
        window_s: wanted.window_s.clamp(SHORTEST_WINDOW_S, LONGEST_WINDOW_S),
        again_at: (held || in_flight > 0 || floor > 0).then_some(soon),
        reason: Reason {
            why,
            rule: history.rule(),
            in_flight: look.in_flight,
            containers: clamped(there, u32::MAX),
            break_even_s: history.terms().break_even_s(),
            next: term(history, pool, &next, acts_at),
        },
    };
    if floor == 0 && in_flight == 0 && !held {
        boot_ahead(history, &mut decision, look.max, acts_at, soon);
    }
    history.levers.floor = decision.floor;
    history.levers.window_s = super::activity::narrow(decision.window_s);
    decision
}

/// Containers that exist then: running ones, and idle ones that window or floor have kept.
fn containers_there(history: &History, in_flight: usize, acts_at: UnixMs) -> usize {
    let window_s = f64::from(history.levers.window_s);
    let young = history
        .idle
        .iter()
        .filter(|idle| idle.age_s(acts_at) < window_s)
        .count();
    let floor = usize::try_from(history.levers.floor).unwrap_or(usize::MAX);
    let kept = floor.saturating_sub(in_flight).min(history.idle.len());
    in_flight.saturating_add(young.max(kept))
}

fn wanted(
    history: &History,
    pool: &Calibration,
    in_flight: usize,
    (now, acts_at): (UnixMs, UnixMs),
    fresh: &Idle,
) -> Wanted {
    let mut wanted = Wanted {
        containers: 0,
        window_s: 0.0,
    };
    for idle in &history.idle {
        let (hold_s, left_s) = (f64::from(idle.hold_s), idle.left_s(acts_at));
        // Beyond the window's reach only whole minutes can be held: the nearest.
        let nearest_s = if hold_s > LONGEST_WINDOW_S {
            TICK_S / 2.0
        } else {
            TICK_S
        };
        if left_s >= nearest_s {
            wanted.containers += 1;
        } else if left_s > 0.0 {
            wanted.window_s = wanted.window_s.max(hold_s);
        }
    }
    for others in 0..in_flight.clamp(1, MOST_LOOKED_AT) {
        let hold_s = match others {
            0 => f64::from(fresh.hold_s),
            _ => f64::from(history.becoming_idle(now, others, pool).hold_s),
        };
        if in_flight > 0 && hold_s >= TICK_S {
            wanted.containers += 1;
        } else {
            wanted.window_s = wanted.window_s.max(hold_s);
        }
    }
    if wanted.containers > 0 {
        // The first container above the floor, should one more request come before the next decision.
        let next = history.becoming_idle(now, wanted.containers, pool);
        wanted.window_s = wanted.window_s.max(f64::from(next.hold_s));
    }
    wanted
}

/// A container for a request that a clock sends, where that pays. `soon` is the next decision, which acts
/// as long after it as this one does.
fn boot_ahead(history: &History, decision: &mut Decision, max: u32, acts_at: UnixMs, soon: UnixMs) {
    let Some(due) = history.period.due(acts_at) else {
        return;
    };
    let terms = history.terms();
    let waits_already = history.levers.floor > 0;
    let tick = Ms::seconds(60);
    // The last instant at which a decision can be made that acts in time.
    let decide_by = due.boot_by(terms) - (acts_at + tick).since(soon);
    if soon <= decide_by {
        decision.again_at = Some(decide_by - tick);
    } else if max > 0 && (waits_already || due.gain_usd(acts_at, terms) > 0.0) {
        let ahead_s = due.at.since(acts_at).as_seconds() - acts_at.since(due.at).as_seconds();
        decision.floor = 1;
        decision.again_at = Some(soon.min(due.over_at()));
        let (saves_usd, costs_usd) = if waits_already {
            let left_s = due.over_at().since(acts_at).as_seconds();
            (terms.value_usd(), left_s * terms.usd_per_s())
        } else {
            (due.saves_usd(acts_at, terms), due.costs_usd(acts_at, terms))
        };
        decision.reason.why = Why::Due {
            in_s: ahead_s,
            every_s: due.every_s,
            chance: due.chance,
            saves_usd,
            costs_usd,
        };
    }
}

fn term(history: &History, pool: &Calibration, idle: &Idle, at: UnixMs) -> Term {
    let rates = history.rates(&idle.activity, idle.others_running, pool);
    let age_s = idle.age_s(at);
    let chance = plan::chance(&rates, age_s, age_s + TICK_S);
    let expected = rates.expected(age_s, age_s + TICK_S);
    let idle_s = if expected > 0.0 {
        chance / expected * TICK_S
    } else {
        TICK_S
    };
    Term {
        age_s,
        hold_s: f64::from(idle.hold_s),
        chance,
        miss_usd: history.miss_usd(idle.others_running),
        idle_usd: idle_s * history.terms().usd_per_s(),
    }
}

fn clamped(containers: usize, max: u32) -> u32 {
    u32::try_from(containers).unwrap_or(u32::MAX).min(max)
}

#[cfg(test)]
mod tests;
