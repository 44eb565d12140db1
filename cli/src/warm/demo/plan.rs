//! What a demo plays: a trace, cut to its first minutes, each endpoint on a GPU class of the catalog.

use crate::failure::Failure;
use crate::say;
use crate::warm::trace::read;
use ryla_domain::model::{Media, Model, catalog};
use ryla_replay::generate::Shape;
use ryla_replay::trace::Trace;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Requests beyond which a laptop would be the bottleneck, and not the containers.
const MOST_REQUESTS: usize = 2_000;

/// The generated trace: three models of a service in the evening, of whose requests a window of 60 s
/// leaves about half cold. docs/WARM.md says where the usual seed stands among sixty.
const USUAL: Shape = Shape::Service {
    endpoints: 3,
    busiest_per_day: 1500.0,
    days: 1.0,
};
const USUAL_SEED: u64 = 8;
const EVENING_S: f64 = 20.0 * 3600.0;

/// One request of the demo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrival {
    /// Since the beginning of the demo, in the trace's time.
    pub(super) after: Duration,
    /// The model that is asked.
    pub(super) model: &'static str,
}

/// What is played.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// In the order of time.
    pub(super) arrivals: Vec<Arrival>,
    /// Which endpoint of the trace is which class.
    pub(super) classes: Vec<(String, &'static str)>,
}

impl Plan {
    /// From a file, or from the generated trace of that seed.
    pub(super) fn read(
        path: Option<&Path>,
        seed: Option<u64>,
        minutes: u32,
    ) -> Result<Self, Failure> {
        let trace = match path {
            None => usual(seed.unwrap_or(USUAL_SEED))
                .map_err(|error| Failure::Usage(error.to_string()))?,
            Some(path) => read(path)?,
        };
        let plan = Self::of(&trace, minutes)?;
        for (name, class) in &plan.classes {
            if name != class && catalog().iter().any(|model| model.class == name) {
                say::note(format!(
                    "{name} is played as {class}: no model of that class makes a picture from a prompt alone"
                ));
            }
        }
        Ok(plan)
    }

    fn of(trace: &Trace, minutes: u32) -> Result<Self, Failure> {
        let (first, _) = trace.span();
        let length = f64::from(minutes) * 60.0;
        let classes = dealt(trace);
        let mut arrivals = Vec::new();
        for (endpoint, (_, class)) in trace.endpoints.iter().zip(&classes) {
            let Some(model) = model_of(class) else {
                continue;
            };
            let offsets = endpoint.arrivals.iter().map(|at| at - first);
            arrivals.extend(
                offsets
                    .filter(|after| *after < length)
                    .map(|after| Arrival {
                        after: Duration::from_secs_f64(after.max(0.0)),
                        model: model.name,
                    }),
            );
        }
        arrivals.sort_by_key(|arrival| arrival.after);
        if arrivals.len() > MOST_REQUESTS {
            return Err(Failure::Usage(format!(
                "{} requests in {minutes} minutes are more than a demo can play ({MOST_REQUESTS}); take fewer \
                 --minutes",
                arrivals.len()
            )));
        }
        Ok(Self { arrivals, classes })
    }
}

fn usual(seed: u64) -> Result<Trace, ryla_replay::trace::TraceError> {
    let day = USUAL.draw(seed)?;
    let evening = day.endpoints.into_iter().map(|endpoint| {
        let mut arrivals = endpoint.arrivals;
        arrivals.retain(|at| *at >= EVENING_S);
        (endpoint.name, arrivals)
    });
    Trace::of(evening.collect(), 0)
}

/// The models that need nothing but a prompt, one for each class that has any.
fn models() -> BTreeMap<&'static str, &'static Model> {
    let mut models = BTreeMap::new();
    for model in catalog() {
        let schema = model.input_schema();
        let prompt_alone = schema["required"] == serde_json::json!(["prompt"]);
        if model.media == Media::Picture && prompt_alone {
            models.entry(model.class).or_insert(model);
        }
    }
    models
}

fn model_of(class: &str) -> Option<&'static Model> {
    models().get(class).copied()
}

/// A class for each endpoint, in the trace's order: its own name where that is one, else the classes in
/// turn, the busiest endpoint first, those that no endpoint names before the others.
fn dealt(trace: &Trace) -> Vec<(String, &'static str)> {
    let classes: Vec<&'static str> = models().into_keys().collect();
    let named: BTreeSet<&str> = trace.endpoints.iter().map(|e| e.name.as_str()).collect();
    let (taken, free): (Vec<_>, Vec<_>) = classes.iter().partition(|class| named.contains(**class));
    let mut turn = free.iter().chain(&taken).cycle();
    let mut busiest: Vec<usize> = (0..trace.endpoints.len()).collect();
    busiest.sort_by_key(|index| std::cmp::Reverse(trace.endpoints[*index].arrivals.len()));
    let mut dealt: Vec<(String, &'static str)> = trace
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.name.clone(), ""))
        .collect();
    for index in busiest {
        let own = classes.iter().find(|class| **class == dealt[index].0);
        dealt[index].1 = own
            .or_else(|| turn.next().copied())
            .copied()
            .unwrap_or("flux");
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(csv: &str, minutes: u32) -> Result<Plan, Failure> {
        Plan::of(&Trace::parse(csv).unwrap(), minutes)
    }

    #[test]
    fn the_first_minutes_are_played_in_the_order_of_time_from_the_first_request_on() {
        let plan = plan(
            "timestamp_s,endpoint\n1000,a\n1090,b\n1030.5,a\n1120,a\n",
            2,
        )
        .unwrap();
        let after: Vec<f64> = plan
            .arrivals
            .iter()
            .map(|one| one.after.as_secs_f64())
            .collect();
        assert_eq!(after, [0.0, 30.5, 90.0]);
        let models: BTreeSet<&str> = plan.arrivals.iter().map(|one| one.model).collect();
        assert_eq!(
            models.len(),
            2,
            "two endpoints have two classes: {models:?}"
        );
    }

    #[test]
    fn an_endpoint_that_is_named_as_a_class_is_that_class_and_the_others_take_turns() {
        let mut csv = "timestamp_s,endpoint\n0,sdxl\n".to_owned();
        for (name, requests) in [("p", 1), ("q", 3), ("r", 2)] {
            for n in 0..requests {
                csv = csv + &n.to_string() + "," + name + "\n";
            }
        }
        let classes: BTreeMap<String, &str> = plan(&csv, 1).unwrap().classes.into_iter().collect();
        assert_eq!(classes["sdxl"], "sdxl");
        assert_eq!(classes["q"], "flux", "the busiest first");
        assert_eq!(classes["r"], "z_image");
        assert_eq!(classes["p"], "sdxl", "around again");
    }

    #[test]
    fn the_usual_trace_fits_and_a_flood_is_refused() {
        let usual = Plan::of(&usual(USUAL_SEED).unwrap(), 30).unwrap();
        assert!(
            (60..150).contains(&usual.arrivals.len()),
            "{}",
            usual.arrivals.len()
        );
        assert_eq!(usual.classes.len(), 3);
        let flood = (0..2_001).map(|n| format!("\n{n},a"));
        let flood = flood.fold("timestamp_s,endpoint".to_owned(), |all, row| all + &row);
        let told = plan(&flood, 60).unwrap_err();
        assert!(told.text().contains("fewer --minutes"), "{}", told.text());
    }
}
