//! Keeps containers warm while that pays. Each minute: one Query of the endpoints' states and one of the
//! finished minute's counters, a decision for each endpoint, and what was decided as a lease that ends by
//! itself. Reads nothing else, and starts no job.

mod figures;
mod fold;
mod span;
mod steer;
mod write;

pub use figures::{EndpointFigures, Tally};

use crate::port::{
    Backends, Clock, EndpointState, EndpointStore, Endpoints, Entropy, Levers, Pool, StoreError,
    Unreadable,
};
use crate::settings::{Settings, WarmSettings};
use figures::Before;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Calibration, Look, Minute, SHORTEST_WINDOW_S, TermsError, Why, decide};
use span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Counts of a minute may still land so long after its end: they are waited for.
const LANDING: Ms = Ms::seconds(3);

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
    /// What its backend is to hold.
    wish: Option<Levers>,
    /// Something runs, is held, idles within what it is worth, or boots ahead.
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
        let this = self.landed().await;
        // Figures are of the day in which the last minute lies that is told.
        let told_until = this.begin() - Ms(1);
        let Endpoints {
            states,
            pool,
            unreadable,
        } = self.endpoints.endpoints().await?;
        let unread_usd = unread_usd(&unreadable, this.begin());
        let left_alone = left_alone(unreadable)?;
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
        let mut tally = self.tally(&left_alone, unread_usd);
        let mut seats: BTreeMap<String, Seat> = states
            .into_iter()
            .map(|state| (state.endpoint.to_string(), Seat::of(state, told_until)))
            .collect();
        self.prepare(&mut seats, span, this)?;
        if span == Span::Ahead {
            self.repeat(&mut seats, &mut tally, told_until);
            self.steer(&mut seats, &mut tally).await;
            self.write(seats, &mut tally, told_until).await;
            return Ok(tally);
        }
        for minute in span.minutes(this) {
            let ticks = self.endpoints.ticks(minute).await?;
            let readable = ticks
                .into_iter()
                .filter(|tick| !left_alone.contains_key(&tick.endpoint.to_string()));
            for tick in readable {
                self.fold(&mut seats, &mut pool.calibration, minute, &tick)?;
            }
        }
        self.decide(&mut seats, &mut pool.calibration, this.begin(), &mut tally);
        self.steer(&mut seats, &mut tally).await;
        pool.next = this;
        pool.rev += 1;
        self.write(seats, &mut tally, told_until).await;
        if !tally.gave_way && !self.endpoints.write_pool(seen, &pool).await? {
            tally.gave_way = true;
        }
        Ok(tally)
    }

    /// The minute under way, once what the one before it counted has landed.
    async fn landed(&self) -> Minute {
        let now = self.clock.now();
        let into = now.since(Minute::of(now).begin());
        if into < LANDING {
            self.clock.sleep(Ms(LANDING.0 - into.0)).await;
        }
        Minute::of(self.clock.now())
    }

    /// Nothing has been done yet. What cannot be read cannot be held either, and costs what it has cost.
    fn tally(&self, left_alone: &BTreeMap<String, String>, unread_usd: f64) -> Tally {
        let backends: BTreeSet<&String> = left_alone.values().collect();
        Tally {
            steered: true,
            unheld: u32::try_from(backends.len()).unwrap_or(u32::MAX),
            budget_usd: self.prices.idle_usd_per_day,
            idle_usd_today: unread_usd,
            ..Tally::default()
        }
    }

    /// Brings every state to the beginning of what it is told next.
    fn prepare(
        &self,
        seats: &mut BTreeMap<String, Seat>,
        span: Span,
        this: Minute,
    ) -> Result<(), WarmError> {
        let now = self.clock.now();
        for seat in seats.values_mut() {
            // Before anything is decided: a floor that is over holds no container.
            seat.lapse(now);
            let terms = self.terms(&seat.state.endpoint.class)?;
            seat.state.history.set_prices(terms);
            let deployed = self.deployed(seat.state.most);
            seat.state.account.set_deployed(deployed);
            if span == Span::Gap {
                let window_s = seat.state.window.as_seconds();
                seat.state.history.restart(window_s);
                seat.state.account.forget(this.previous().begin());
            }
            if span != Span::Ahead && seat.state.next > this {
                // Its clock was ahead.
                seat.state.next = this.previous();
            }
        }
        Ok(())
    }

    /// Another tick's clock was ahead and has told these minutes: what holds is held on until the time has
    /// come, and nothing else is decided.
    fn repeat(&self, seats: &mut BTreeMap<String, Seat>, tally: &mut Tally, told_until: UnixMs) {
        for seat in seats.values_mut() {
            tally.idle_usd_today += seat.state.account.on_day_of(told_until).idle_usd;
            seat.active = seat.state.floor > 0 || seat.state.lease_until.is_some();
            seat.wish = seat.active.then_some(Levers {
                floor: seat.state.floor,
                window: seat.state.window,
            });
        }
        tally.stopped = tally.idle_usd_today >= self.prices.idle_usd_per_day;
    }

    /// Decides for all, and adds up what the day has cost.
    fn decide(
        &self,
        seats: &mut BTreeMap<String, Seat>,
        pool: &mut Calibration,
        at: UnixMs,
        tally: &mut Tally,
    ) {
        for seat in seats.values_mut() {
            self.pass(seat, at);
            tally.idle_usd_today += seat.state.account.on_day_of(at).idle_usd;
        }
        let spent_usd = tally.idle_usd_today;
        tally.stopped = spent_usd >= self.prices.idle_usd_per_day;
        let acts_at = self.clock.now() + self.spread;
        for seat in seats.values_mut() {
            let state = &mut seat.state;
            state.in_flight = state.history.in_flight();
            let look = Look {
                now: at,
                acts_at,
                in_flight: state.in_flight,
                max: self.prices.max_floor.min(state.most.unwrap_or(u32::MAX)),
            };
            let mut decision = decide(&mut state.history, pool, look);
            state.reason = decision.reason.to_string();
            if tally.stopped {
                decision.floor = 0;
                decision.window_s = SHORTEST_WINDOW_S;
                state.history.in_force(0, SHORTEST_WINDOW_S);
                state.reason = format!(
                    "nothing is held until the next UTC day: idle containers have cost ${spent_usd:.2} today, \
                     and WARM_IDLE_USD_PER_DAY is {}",
                    self.prices.idle_usd_per_day
                );
            }
            seat.active = decision.reason.why != Why::Cold;
            seat.wish = Some(Levers {
                floor: decision.floor,
                window: Ms(Ms::from_secs_f64(decision.window_s.round()).0 / 1000 * 1000),
            });
        }
    }
}

/// Dollars that rows have cost on the day of `at` which cannot be read otherwise, as far as their accounts go.
fn unread_usd(unreadable: &[Unreadable], at: UnixMs) -> f64 {
    let accounts = unreadable.iter().filter_map(|row| row.account.clone());
    accounts
        .map(|mut account| {
            account.pass(at);
            account.on_day_of(at).idle_usd.max(0.0)
        })
        .sum()
}

/// Rows that cannot be read, with their backends.
fn left_alone(unreadable: Vec<Unreadable>) -> Result<BTreeMap<String, String>, WarmError> {
    let mut left_alone = BTreeMap::new();
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
        let backend = row.key.split('#').next().unwrap_or_default().to_owned();
        left_alone.insert(row.key, backend);
    }
    Ok(left_alone)
}

impl Seat {
    fn of(state: EndpointState, told_until: UnixMs) -> Self {
        Self {
            seen: Some(state.rev),
            before: Before::of(&state, told_until),
            told: false,
            wish: None,
            active: false,
            state,
        }
    }
}
