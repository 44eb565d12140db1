//! GET of what is kept warm: each endpoint's arrivals, levers, reason and figures of the day. It concerns
//! all accounts, so that only operators see it; to others it is a route that does not exist.

use super::json;
use crate::body::Body;
use crate::prediction::iso;
use crate::problem::Refusal;
use crate::router::Call;
use http::{Response, StatusCode};
use ryla_domain::time::UnixMs;
use ryla_domain::warm::Day;
use ryla_engine::port::{EndpointState, Endpoints};
use ryla_engine::settings::WarmSettings;
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let parts = &call.api.parts;
    if !parts.settings.operators.contains(call.account()?) {
        return Err(Refusal::NoRoute);
    }
    let endpoints = parts.ports.endpoints.endpoints().await?;
    let now = parts.ports.clock.now();
    let shown = render(&endpoints, parts.settings.warm.as_ref(), now);
    Ok(json(StatusCode::OK, &shown))
}

/// What is known of the endpoints, at that time.
fn render(endpoints: &Endpoints, settings: Option<&WarmSettings>, now: UnixMs) -> Value {
    let mut states: Vec<&EndpointState> = endpoints.states.iter().collect();
    states.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    let settings = settings.map(|settings| {
        json!({
            "value_usd": settings.value_usd,
            "idle_usd_per_day": settings.idle_usd_per_day,
            "gpu_usd_per_hour": settings.gpu_usd_per_hour,
            "max_floor": settings.max_floor,
        })
    });
    json!({
        "settings": settings,
        "endpoints": states.into_iter().map(|state| endpoint(state, now)).collect::<Vec<_>>(),
        "unreadable": endpoints.unreadable.iter().map(|row| &row.key).collect::<Vec<_>>(),
    })
}

fn endpoint(state: &EndpointState, now: UnixMs) -> Value {
    let terms = state.history.terms();
    // A state that is told of later instants than this clock shows knows better which day it is.
    let day = state.account.on_day_of(now.max(state.next.begin()));
    json!({
        "backend": state.endpoint.backend,
        "class": state.endpoint.class,
        "in_flight": state.in_flight,
        "floor": state.floor,
        "window_seconds": state.window.as_seconds(),
        "lease_until": state.lease_until.map(iso),
        "max_containers": state.most,
        "reason": state.reason,
        "boot_seconds": terms.boot_s(),
        "service_seconds": terms.service_s(),
        "break_even_seconds": terms.break_even_s(),
        "told_until": iso(state.next.begin()),
        "today": today(&day),
    })
}

fn today(day: &Day) -> Value {
    let date = iso(UnixMs(day.day.saturating_mul(DAY_MS)));
    json!({
        "date": date.get(..10).unwrap_or_default(),
        "arrivals": day.arrivals,
        "cold_starts": day.cold_starts,
        "cold_starts_avoided": day.avoided,
        "idle_seconds": rounded(day.idle_s, 1e3),
        "idle_usd": rounded(day.idle_usd, 1e6),
    })
}

/// Sums of many parts, without the noise of their last digits.
fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}
