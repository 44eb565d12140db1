//! What a tick did and what it cost, by endpoint: for the log and for metrics.

use crate::port::EndpointState;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Day, Endpoint};

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Leases were asked for; not where another tick had done that already.
    pub steered: bool,
    /// What is new at endpoints whose state was written.
    pub endpoints: Vec<EndpointFigures>,
    /// Backends at which something was to be held and was not.
    pub unheld: u32,
    /// States that could not be written.
    pub failed: u32,
    /// The day's budget is spent.
    pub stopped: bool,
    /// Another tick was faster.
    pub gave_way: bool,
    /// Dollars that idle containers may cost in a day; 0 where nothing was asked for.
    pub budget_usd: f64,
    /// Dollars that they have cost today.
    pub idle_usd_today: f64,
}

/// One endpoint's figures since the tick before.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointFigures {
    /// Which.
    pub endpoint: Endpoint,
    /// Requests.
    pub arrivals: u64,
    /// Requests for which a container had to boot.
    pub cold_starts: u64,
    /// Requests that a held container spared a boot.
    pub avoided: u64,
    /// Seconds of containers without work.
    pub idle_s: f64,
    /// What they cost.
    pub idle_usd: f64,
    /// Containers that are held now.
    pub floor: u32,
}

/// An endpoint as it was before the tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// Of the day that is told, and of the one before: a tick that catches up ends both.
    days: [Day; 2],
    /// Something ran, was held, or idled: also what the policy would not have idle, where nobody could tell the
    /// backend, costs until its own window is over.
    pub(super) active: bool,
}

impl Before {
    pub(super) fn of(state: &EndpointState, now: UnixMs) -> Self {
        Self {
            days: days(state, now),
            active: state.in_flight > 0
                || state.floor > 0
                || state.lease_until.is_some()
                || state.account.idle() > 0,
        }
    }
}

impl Tally {
    /// Adds an endpoint whose state was written.
    pub(super) fn add(&mut self, state: &EndpointState, before: &Before, at: UnixMs) {
        let mut sum = Day::default();
        for (day, seen) in days(state, at).into_iter().zip(before.days) {
            sum.arrivals += day.arrivals.saturating_sub(seen.arrivals);
            sum.cold_starts += day.cold_starts.saturating_sub(seen.cold_starts);
            sum.avoided += day.avoided.saturating_sub(seen.avoided);
            sum.idle_s += (day.idle_s - seen.idle_s).max(0.0);
            sum.idle_usd += (day.idle_usd - seen.idle_usd).max(0.0);
        }
        self.endpoints.push(EndpointFigures {
            endpoint: state.endpoint.clone(),
            arrivals: sum.arrivals,
            cold_starts: sum.cold_starts,
            avoided: sum.avoided,
            idle_s: sum.idle_s,
            idle_usd: sum.idle_usd,
            floor: state.floor,
        });
    }
}

fn days(state: &EndpointState, at: UnixMs) -> [Day; 2] {
    let day_before = at - Ms::seconds(86_400);
    [at, day_before].map(|at| state.account.on_day_of(at))
}
