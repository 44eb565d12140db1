//! Keeps containers warm while that pays. Each minute: one Query of the endpoints' states and one of the
//! finished minute's counters, a decision for each endpoint, and what was decided as a lease that ends by
//! itself. Reads nothing else, and starts no job.

mod figures;
mod fold;
mod steer;

pub use figures::{EndpointFigures, Tally};

use crate::log;
use crate::port::{
    Backends, Clock, EndpointState, EndpointStore, Endpoints, Entropy, Pool, StoreError,
};
use crate::settings::{Settings, WarmSettings};
use figures::Before;
use futures_util::stream::{self, StreamExt as _};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{
    Calibration, Decision, Look, Minute, SHORTEST_WINDOW_S, TermsError, decide,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far ticks are apart.
const TICK: Ms = Ms::seconds(60);
/// Missed minutes that are caught up with. After more, requests and containers are forgotten.
const CATCH_UP: i64 = 5;
/// Minutes by which the clock of one invocation may be behind that of another, below 0.
const BEHIND: i64 = -10;
/// States that are written side by side.
const SIDE_BY_SIDE: usize = 16;

/// A tick came to nothing; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Prices or a model's times from which nothing can be decided.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// What all endpoints share was written by a newer build, or cannot be decoded: left to that build.
    #[error("the row `pool` cannot be read")]
    Pool(#[source] StoreError),
}

/// Keeps containers warm.
#[derive(Clone)]
pub struct Warm {
    /// Counters and states.
    pub endpoints: Arc<dyn EndpointStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For the dice of a new endpoint, and for the spread of calls.
    pub entropy: Arc<dyn Entropy>,
    /// Where leases are taken.
    pub backends: Backends,
    /// Limits of runs.
    pub settings: Arc<Settings>,
    /// What holding is worth, and how much of it there may be.
    pub prices: WarmSettings,
    /// Leases are asked for within that time from the beginning of a tick.
    pub spread: Ms,
}

/// One endpoint during a tick.
#[derive(Debug)]
struct Seat {
    state: EndpointState,
    /// The revision that was read; `None` for a new one.
    seen: Option<u64>,
    before: Before,
    /// Something was counted.
    told: bool,
    decision: Option<Decision>,
    /// Something runs, is held, idles within what it is worth, or is to boot before the next tick.
    active: bool,
}

impl Seat {
    /// Whether the row has to say something else than before.
    fn changed(&self) -> bool {
        self.told || self.before.active || self.active
    }
}

impl Warm {
    /// Calls are spread over the first seconds of a tick, so that not every deployment's come at once.
    pub const SPREAD: Ms = Ms::seconds(5);

    /// One tick.
    pub async fn run(&self) -> Result<Tally, WarmError> {
        let now = self.clock.now();
        let this = Minute::of(now);
        // Figures are of the day in which the last minute lies that is told.
        let told_until = this.begin() - Ms(1);
        let Endpoints {
            states,
            pool,
            unreadable,
        } = self.endpoints.endpoints().await?;
        let mut left_alone = BTreeSet::new();
        for row in unreadable {
            if row.key == "pool" {
                return Err(WarmError::Pool(row.error));
            }
            let (endpoint, error) = (&row.key, row.error.to_string());
            tracing::warn!(
                event = "warm_unread",
                endpoint,
                error,
                "state is left as it is"
            );
            left_alone.insert(row.key);
        }
        let seen = pool.as_ref().map(|pool| pool.rev);
        let mut pool = pool.unwrap_or_else(|| Pool {
            rev: 0,
            next: this.previous(),
            calibration: Calibration::default(),
        });
        let span = Span::of(pool.next, this);
        if span == Span::Done {
            return Ok(Tally::default());
        }
        let mut seats: BTreeMap<String, Seat> = states
            .into_iter()
            .map(|state| (state.endpoint.to_string(), Seat::of(state, told_until)))
            .collect();
        self.prepare(&mut seats, span, this)?;
        for minute in span.minutes(this) {
            let ticks = self.endpoints.ticks(minute).await?;
            let readable = ticks
                .into_iter()
                .filter(|tick| !left_alone.contains(&tick.endpoint.to_string()));
            for tick in readable {
                self.fold(&mut seats, &mut pool.calibration, minute, &tick)?;
            }
        }
        let mut tally = self.decide(&mut seats, &mut pool.calibration, this.begin());
        self.steer(&mut seats, &mut tally).await;
        pool.next = this;
        pool.rev += 1;
        self.write(seats, &mut tally, told_until).await;
        if !tally.gave_way && !self.endpoints.write_pool(seen, &pool).await? {
            tally.gave_way = true;
        }
        Ok(tally)
    }

    /// Brings every state to the beginning of what it is told next.
    fn prepare(
        &self,
        seats: &mut BTreeMap<String, Seat>,
        span: Span,
        this: Minute,
    ) -> Result<(), WarmError> {
        for seat in seats.values_mut() {
            let terms = self.terms(&seat.state.endpoint.class)?;
            seat.state.history.set_prices(terms);
            let deployed = self.deployed(seat.state.most);
            seat.state.account.set_deployed(deployed);
            if span == Span::Gap {
                seat.state.history.restart(deployed.window_s);
                seat.state.account.forget(this.previous().begin());
            }
            if seat.state.next > this {
                // Its clock was ahead.
                seat.state.next = this.previous();
            }
        }
        Ok(())
    }

    /// Decides for all, and adds up what the day has cost.
    fn decide(
        &self,
        seats: &mut BTreeMap<String, Seat>,
        pool: &mut Calibration,
        at: UnixMs,
    ) -> Tally {
        let mut spent_usd = 0.0;
        for seat in seats.values_mut() {
            self.pass(seat, at);
            spent_usd += seat.state.account.on_day_of(at).idle_usd;
        }
        let stopped = spent_usd >= self.prices.idle_usd_per_day;
        for seat in seats.values_mut() {
            let state = &mut seat.state;
            state.in_flight = state.history.in_flight();
            let look = Look {
                now: at,
                in_flight: state.in_flight,
                max: self.prices.max_floor.min(state.most.unwrap_or(u32::MAX)),
            };
            let mut decision = decide(&mut state.history, pool, look);
            state.reason = decision.reason.to_string();
            if stopped {
                decision.floor = 0;
                decision.window_s = SHORTEST_WINDOW_S;
                state.history.in_force(0, SHORTEST_WINDOW_S);
                state.reason = format!(
                    "nothing is held until the next UTC day: idle containers have cost ${spent_usd:.2} today, \
                     and WARM_IDLE_USD_PER_DAY is {}",
                    self.prices.idle_usd_per_day
                );
            }
            let soon = at + TICK;
            seat.active = decision.again_at.is_some_and(|again| again <= soon);
            seat.decision = Some(decision);
        }
        Tally {
            stopped,
            budget_usd: self.prices.idle_usd_per_day,
            idle_usd_today: spent_usd,
            ..Tally::default()
        }
    }

    /// Writes what has changed, each state on the revision that was read. Where somebody else was faster,
    /// this tick gives way: the other one has done the same.
    async fn write(&self, seats: BTreeMap<String, Seat>, tally: &mut Tally, at: UnixMs) {
        let changed = seats.into_values().filter(Seat::changed);
        let mut writes = stream::iter(changed.map(|mut seat| async move {
            seat.state.rev += 1;
            let written = self.endpoints.write_endpoint(seat.seen, &seat.state).await;
            (seat, written)
        }))
        .buffer_unordered(SIDE_BY_SIDE);
        while let Some((seat, written)) = writes.next().await {
            match written {
                Ok(true) => tally.add(&seat.state, &seat.before, at),
                Ok(false) => {
                    let endpoint = seat.state.endpoint.to_string();
                    tracing::warn!(event = "warm_gave_way", endpoint, "another tick was faster");
                    tally.gave_way = true;
                    return;
                }
                // What the minute told of this endpoint is lost; its lease stands.
                Err(error) => {
                    let endpoint = seat.state.endpoint.to_string();
                    log::port_failed("endpoints.write_endpoint", &endpoint, "", &error);
                    tally.failed += 1;
                }
            }
        }
    }
}

impl Seat {
    fn of(state: EndpointState, told_until: UnixMs) -> Self {
        Self {
            seen: Some(state.rev),
            before: Before::of(&state, told_until),
            told: false,
            decision: None,
            active: false,
            state,
        }
    }
}

/// Which minutes are still to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// None: another tick has looked at them.
    Done,
    /// From that one on.
    From(Minute),
    /// Too many, or a clock that went back: the last one alone.
    Gap,
}

impl Span {
    /// `next` is the first that has not been looked at, `this` the one under way.
    const fn of(next: Minute, this: Minute) -> Self {
        match this.0.saturating_sub(next.0) {
            BEHIND..=0 => Self::Done,
            1..=CATCH_UP => Self::From(next),
            _ => Self::Gap,
        }
    }

    fn minutes(self, this: Minute) -> impl Iterator<Item = Minute> {
        let first = match self {
            Self::Done => this,
            Self::From(first) => first,
            Self::Gap => this.previous(),
        };
        (first.0..this.0).map(Minute)
    }
}
