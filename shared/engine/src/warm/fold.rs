//! Tells an endpoint what was counted in a minute, in the order of time.

use super::{Seat, Warm, WarmError};
use crate::port::{EndpointState, Measured, Second, Tick};
use ryla_domain::id::GpuClass;
use ryla_domain::model::{Media, Model, catalog};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{
    Account, Calibration, DEPLOYED_WINDOW, Deployed, Endpoint, History, Minute, Terms, TermsError,
};
use std::collections::BTreeMap;

/// Times of a class of which the catalog has no model.
const USUAL_BOOT_S: f64 = 45.0;
const USUAL_SERVICE_S: f64 = 20.0;

impl Warm {
    /// Tells the endpoint of a tick what it counts. One that is new begins with it; one that has been
    /// told already, by a tick that died before its end, is not told twice.
    pub(super) fn fold(
        &self,
        seats: &mut BTreeMap<String, Seat>,
        pool: &mut Calibration,
        minute: Minute,
        tick: &Tick,
    ) -> Result<(), WarmError> {
        let key = tick.endpoint.to_string();
        if !seats.contains_key(&key) {
            let seat = self.first(&tick.endpoint, minute)?;
            seats.insert(key.clone(), seat);
        }
        let Some(seat) = seats.get_mut(&key) else {
            return Ok(());
        };
        if seat.state.next > minute {
            return Ok(());
        }
        seat.told = true;
        tell_minute(&mut seat.state, pool, minute, tick);
        seat.state.next = minute.next();
        Ok(())
    }

    /// Lets the time pass until `at`, and forgets runs of which nothing more will be heard.
    pub(super) fn pass(&self, seat: &mut Seat, at: UnixMs) {
        let state = &mut seat.state;
        let timers = self.settings.timers_on(&state.endpoint.backend);
        let video = models_of(&state.endpoint.class).any(|model| model.media == Media::Video);
        let media = if video { Media::Video } else { Media::Picture };
        let longest = Ms(timers.start_limit.0 + timers.run_limit_of(media).0);
        let lost = state.history.lost(at - longest);
        state.account.pass(at);
        state.account.lost(lost);
        if lost > 0 {
            seat.told = true;
        }
    }

    /// An endpoint of which this is the first that is heard.
    fn first(&self, endpoint: &Endpoint, minute: Minute) -> Result<Seat, WarmError> {
        let (begin, deployed) = (minute.begin(), self.deployed(None));
        let terms = self.terms(&endpoint.class)?;
        let history = History::new(terms, deployed.window_s, self.dice(), begin);
        let state = EndpointState {
            endpoint: endpoint.clone(),
            rev: 0,
            next: minute,
            history,
            account: Account::new(deployed, begin),
            in_flight: 0,
            floor: 0,
            window: DEPLOYED_WINDOW,
            lease_until: None,
            most: None,
            touched_at: None,
            reason: String::new(),
            writer: None,
        };
        Ok(Seat {
            seen: None,
            ..Seat::of(state, begin)
        })
    }

    /// Prices, and the usual times of the class's models until its own are learnt.
    pub(super) fn terms(&self, class: &GpuClass) -> Result<Terms, TermsError> {
        let models: Vec<&Model> = models_of(class).collect();
        let mean = |of: fn(&Model) -> u32, usual: f64| match u32::try_from(models.len()) {
            Ok(count @ 1..) => {
                let sum: f64 = models.iter().map(|model| f64::from(of(model))).sum();
                sum / f64::from(count)
            }
            _ => usual,
        };
        let boot_s = mean(|model| model.cold_start_s, USUAL_BOOT_S);
        let service_s = mean(|model| model.typical_s, USUAL_SERVICE_S);
        let prices = &self.prices;
        Terms::new(prices.usd_per_s(), prices.value_usd, boot_s, service_s)
    }

    /// The class as it is deployed; its maximum is known once its backend has said so.
    pub(super) fn deployed(&self, most: Option<u32>) -> Deployed {
        Deployed {
            window_s: DEPLOYED_WINDOW.as_seconds(),
            max: most.unwrap_or(Deployed::NOT_SAID),
            usd_per_s: self.prices.usd_per_s(),
        }
    }

    /// Uniform in [0, 1).
    fn dice(&self) -> f64 {
        let [a, b, c, d] = self.entropy.bytes::<4>();
        f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }
}

fn models_of(class: &GpuClass) -> impl Iterator<Item = &'static Model> {
    catalog()
        .iter()
        .filter(move |model| model.class == class.as_str())
}

/// What was counted in a minute, second by second. The history forgets the oldest of a flood; once it
/// knows again of every request, the account holds no others.
fn tell_minute(state: &mut EndpointState, pool: &mut Calibration, minute: Minute, tick: &Tick) {
    for (second, counted) in &tick.seconds {
        tell(state, pool, minute.second(*second), counted);
    }
    if tick.full {
        end_unsampled(state, pool, minute.second(59));
    }
    if let Some(under_way) = state.history.all_in_flight() {
        state.account.settle(under_way);
    }
}

/// One second: what ended in it has freed its containers for what came in it.
fn tell(state: &mut EndpointState, pool: &mut Calibration, at: UnixMs, counted: &Second) {
    let Second {
        arrivals,
        ends,
        boots,
        services,
    } = counted;
    let under_way = ends.count.min(state.history.in_flight());
    let end = |state: &mut EndpointState, pool: &mut Calibration| {
        state.history.ended(at, pool);
        state.account.ended(at);
    };
    for _ in 0..under_way {
        end(state, pool);
    }
    for _ in 0..*arrivals {
        state.history.arrived(at, pool);
        state.account.arrived(at);
    }
    // Came and ended within the second, or came so long ago that it was forgotten.
    for _ in under_way..ends.count {
        end(state, pool);
    }
    for _ in 0..boots.count {
        state.history.measured(mean_s(*boots), None);
    }
    for _ in 0..services.count {
        state.history.measured(None, mean_s(*services));
    }
}

/// More ended than were sampled: a run that is older than the class's usual service counts as ended.
fn end_unsampled(state: &mut EndpointState, pool: &mut Calibration, at: UnixMs) {
    let usual = Ms::from_secs_f64(state.history.terms().service_s());
    while state
        .history
        .oldest()
        .is_some_and(|since| at.since(since) > usual)
    {
        state.history.ended(at, pool);
        state.account.ended(at);
    }
}

fn mean_s(measured: Measured) -> Option<f64> {
    (measured.count > 0).then(|| measured.sum.as_seconds() / f64::from(measured.count))
}

#[cfg(test)]
mod tests;
