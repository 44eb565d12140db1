//! One pass of a demo: a system in memory with the preview GPU, the plan's requests over HTTP, and what
//! the system says of it when all containers have gone.

use super::Demo;
use super::plan::Plan;
use crate::client::Client;
use crate::embedded;
use crate::failure::Failure;
use crate::prediction;
use ryla_domain::model::{Model, catalog};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::DEPLOYED_WINDOW;
use ryla_engine::port::Clock as _;
use ryla_engine::system::SystemClock;
use ryla_local::{ContainerEvent, FastClock, Options, PreviewOptions, Stack};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;

const MINUTE: Ms = Ms::seconds(60);
const DAY_MS: i64 = 86_400_000;
/// The smallest picture: drawing is not what is shown.
const SIDE: u64 = 256;
/// Jobs a page of the list.
const PAGE: usize = 100;
/// More than happens to the containers of the longest plan: its figures are sums over all of them.
const EVENTS: usize = 200_000;
/// After the last request all is cold within that time: nothing is held for longer than 20 minutes.
const COLD_WITHIN: Ms = Ms::seconds(30 * 60);

/// Whether leases are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Every class has its own window and nothing else; `warm` only counts.
    Without,
    /// `warm` takes leases.
    With,
}

impl Pass {
    pub(super) const ALL: [Self; 2] = [Self::Without, Self::With];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Without => "without",
            Self::With => "with",
        }
    }
}

/// What a pass came to.
#[derive(Debug)]
pub(super) struct Played {
    /// As `GET /v1/warm` shows it.
    pub(super) warm: Value,
    /// Jobs that have no picture.
    pub(super) unsuccessful: usize,
    /// What happened to the containers.
    pub(super) events: Vec<ContainerEvent>,
}

/// Plays the plan once.
pub(super) async fn play(demo: &Demo, plan: &Plan, pass: Pass) -> Result<Played, Failure> {
    let stack = embedded::start(options(demo, pass)).await?;
    let client = Client::new(&embedded::target(&stack))?;
    let clock = *stack.containers_clock();
    let models = models(&client, plan).await?;

    let begin = next_minute(clock.now()) + MINUTE;
    let mut submits = JoinSet::new();
    for (number, arrival) in plan.arrivals.iter().enumerate() {
        sleep_until(&clock, begin + length(arrival.after)).await;
        let (client, model) = (client.clone(), models[arrival.model].clone());
        submits.spawn(async move {
            let key = format!("demo-{number}");
            client.submit(&model, &input(&model, number), &key).await
        });
    }
    while let Some(submitted) = submits.join_next().await {
        submitted.map_err(|error| Failure::unreachable(error.to_string()))??;
    }
    let warm = until_cold(&stack, &client, &clock, plan).await?;
    let unsuccessful = unsuccessful(&client).await?;
    let events = stack.preview().map(ryla_local::Preview::container_events);
    stack.shutdown().await;
    Ok(Played {
        warm,
        unsuccessful,
        events: events.unwrap_or_default(),
    })
}

fn options(demo: &Demo, pass: Pass) -> Options {
    let seconds = Ms::from_secs_f64;
    // A whole day lies before this clock, so that the figures of the day are those of the demo.
    let midnight = (SystemClock.now().0.div_euclid(DAY_MS) + 1) * DAY_MS;
    Options {
        preview: PreviewOptions {
            boot: seconds(demo.cold),
            run: seconds(demo.service),
            concurrency: demo.max,
            idle: DEPLOYED_WINDOW,
            speed: demo.speed,
            events: EVENTS,
            ..PreviewOptions::default()
        },
        hold: pass == Pass::With,
        containers_from: Some(UnixMs(midnight)),
        ..Options::default()
    }
    .with("WARM_VALUE_USD", plain(demo.value))
    .with("WARM_GPU_USD_PER_HOUR", plain(demo.gpu_hour))
    .with("WARM_MAX_FLOOR", demo.max.to_string())
    // The demo shows the policy, not the day's stop.
    .with("WARM_IDLE_USD_PER_DAY", "100000")
}

/// Without an exponent, as settings are written.
fn plain(usd: f64) -> String {
    format!("{usd:.9}")
}

async fn models(
    client: &Client,
    plan: &Plan,
) -> Result<BTreeMap<&'static str, prediction::Model>, Failure> {
    let mut models = BTreeMap::new();
    for arrival in &plan.arrivals {
        if !models.contains_key(arrival.model) {
            let model = client.model("ryla", arrival.model).await?;
            let unknown = || Failure::unreachable(format!("there is no model {}", arrival.model));
            models.insert(arrival.model, model.ok_or_else(unknown)?);
        }
    }
    Ok(models)
}

fn input(model: &prediction::Model, number: usize) -> Map<String, Value> {
    let mut input = Map::new();
    input.insert(
        "prompt".to_owned(),
        json!(format!("a lighthouse, request {number}")),
    );
    let known = catalog().iter().find(|known| known.name == model.name);
    let schema = known.map(Model::input_schema).unwrap_or_default();
    for (field, value) in [
        ("width", json!(SIDE)),
        ("height", json!(SIDE)),
        ("aspect_ratio", json!("custom")),
    ] {
        if schema["properties"].get(field).is_some() {
            input.insert(field.to_owned(), value);
        }
    }
    input
}

/// Waits until every run has ended and every container has gone, and until `warm` has been told of it.
async fn until_cold(
    stack: &Stack,
    client: &Client,
    clock: &FastClock,
    plan: &Plan,
) -> Result<Value, Failure> {
    let latest = clock.now() + COLD_WITHIN;
    let mut cold_since = None;
    loop {
        clock.sleep(MINUTE).await;
        let warm = client.warm().await?.unwrap_or_default();
        let arrivals = total(&warm, "/today/arrivals");
        let in_flight = total(&warm, "/in_flight");
        let all = arrivals >= plan.arrivals.len() as u64 && in_flight == 0;
        let now = clock.now();
        cold_since = match cold_since {
            _ if !(all && is_cold(stack)) => None,
            since => since.or(Some(now)),
        };
        // The minute in which the last container went has been folded two minutes later.
        if cold_since.is_some_and(|since| now.since(since) >= Ms(3 * MINUTE.0)) {
            return Ok(warm);
        }
        if now > latest {
            return Err(Failure::unreachable(format!(
                "the demo does not come to its end: {arrivals} of {} requests were counted, {in_flight} are in \
                 flight; this machine may be too busy, try a lower --speed",
                plan.arrivals.len()
            )));
        }
    }
}

async fn unsuccessful(client: &Client) -> Result<usize, Failure> {
    let mut number = 0;
    let count = |page: Vec<Value>| {
        let without = page.iter().filter(|job| job["status"] != "succeeded");
        number += without.count();
        true
    };
    client.pages(PAGE, &[], count).await?;
    Ok(number)
}

fn is_cold(stack: &Stack) -> bool {
    let Some(preview) = stack.preview() else {
        return true;
    };
    let states = catalog()
        .iter()
        .filter_map(|m| preview.containers_of(m.class));
    preview.waiting() == 0 && states.map(|state| state.containers()).sum::<usize>() == 0
}

/// A figure of all endpoints together.
fn total(warm: &Value, figure: &str) -> u64 {
    let endpoints = warm["endpoints"].as_array().into_iter().flatten();
    endpoints
        .filter_map(|one| one.pointer(figure)?.as_u64())
        .sum()
}

async fn sleep_until(clock: &FastClock, at: UnixMs) {
    clock.sleep(at.since(clock.now())).await;
}

fn next_minute(at: UnixMs) -> UnixMs {
    UnixMs((at.0.div_euclid(60_000) + 1) * 60_000)
}

fn length(duration: Duration) -> Ms {
    Ms(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
