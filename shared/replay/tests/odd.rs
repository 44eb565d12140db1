//! Traces and settings that nobody means to give: sound figures, or none.

#![expect(
    clippy::unwrap_used,
    reason = "tests: what goes wrong here is the test's own failure"
)]

use ryla_replay::generate::Shape;
use ryla_replay::score::{Figures, Policy, bounds, score};
use ryla_replay::setting::{Setting, SettingError};
use ryla_replay::trace::Trace;
use std::collections::BTreeMap;
use std::time::Instant;

fn trace(arrivals: &[f64]) -> Trace {
    Trace::of(BTreeMap::from([("a".to_owned(), arrivals.to_vec())]), 0).unwrap()
}

fn all(trace: &Trace, setting: &Setting) -> Vec<(Policy, Figures)> {
    let figures = |policy| (policy, score(policy, trace, None, setting).unwrap());
    Policy::ALL.map(figures).to_vec()
}

fn sound(trace: &Trace, setting: &Setting) {
    let with_bounds = bounds(trace, setting).map(|(_, figures)| figures);
    let figures = all(trace, setting)
        .into_iter()
        .map(|(_, figures)| figures)
        .chain(with_bounds);
    for one in figures {
        let requests = u32::try_from(trace.requests()).unwrap();
        assert!((one.requests - f64::from(requests)).abs() < 1e-9, "{one:?}");
        for figure in [
            one.idle_s,
            one.boot_s,
            one.boots,
            one.cold,
            one.wait_s,
            one.total_usd,
        ] {
            assert!(figure.is_finite() && figure >= 0.0, "{one:?}");
        }
        assert!(one.cold_share() <= 1.0);
    }
}

#[test]
fn a_single_arrival_costs_its_boot_its_wait_and_its_window() {
    let one = trace(&[1234.5]);
    sound(&one, &Setting::USUAL);
    let never = score(Policy::Never(60), &one, None, &Setting::USUAL).unwrap();
    let expected = (45.0 + 60.0) * Setting::USUAL.usd_per_s + 0.05;
    assert!((never.total_usd - expected).abs() < 1e-9);
    let ours = score(Policy::Adaptive, &one, None, &Setting::USUAL).unwrap();
    assert!(ours.total_usd <= never.total_usd);
}

#[test]
fn rows_in_any_order_cost_the_same() {
    let sorted = Trace::parse("timestamp_s,endpoint\n10,a\n70,a\n75,a\n4000,a\n").unwrap();
    let shuffled = Trace::parse("timestamp_s,endpoint\n4000,a\n75,a\n10,a\n70,a\n").unwrap();
    assert_eq!((sorted.unsorted_rows, shuffled.unsorted_rows), (0, 2));
    assert_eq!(
        all(&sorted, &Setting::USUAL),
        all(&shuffled, &Setting::USUAL)
    );
}

#[test]
fn gaps_over_months_and_times_before_zero_are_passed_over_at_once() {
    let begun = Instant::now();
    let long = trace(&[-3e7, 0.0, 30.0, 3e7, 3e7 + 1.0, 9e7]);
    for policy in [
        Policy::Never(60),
        Policy::Hybrid,
        Policy::SkiRental,
        Policy::Adaptive,
    ] {
        score(policy, &long, None, &Setting::USUAL).unwrap();
    }
    assert!(
        begun.elapsed().as_millis() < 500,
        "no minute is walked in which nothing can change"
    );
    sound(&trace(&[-3e6, 0.0, 30.0, 3e6]), &Setting::USUAL);
}

#[test]
fn arrivals_at_the_same_instant_all_run() {
    sound(&trace(&[5.0; 300]), &Setting::USUAL);
    sound(
        &trace(&[0.0; 3]),
        &Setting {
            max_containers: 1,
            ..Setting::USUAL
        },
    );
}

#[test]
fn prices_times_and_values_of_zero_have_sound_figures() {
    let busy = Shape::Poisson {
        every_s: 90.0,
        requests: 300,
    }
    .draw(3)
    .unwrap();
    sound(
        &busy,
        &Setting {
            usd_per_s: 0.0,
            ..Setting::USUAL
        },
    );
    sound(&busy, &Setting::USUAL.valued(0.0));
    sound(
        &busy,
        &Setting {
            cold_s: 0.0,
            ..Setting::USUAL
        },
    );
    sound(
        &busy,
        &Setting {
            service_s: 0.0,
            ..Setting::USUAL
        },
    );
}

#[test]
fn what_cannot_be_is_refused_and_not_played() {
    let one = trace(&[1.0]);
    let above = score(Policy::Always(21), &one, None, &Setting::USUAL);
    assert_eq!(
        above,
        Err(SettingError::FloorAboveMaximum { floor: 21, max: 20 })
    );
    let negative = score(Policy::Adaptive, &one, None, &Setting::USUAL.valued(-0.05));
    assert!(matches!(negative, Err(SettingError::OutOfRange { .. })));
    let nothing = Trace::of(BTreeMap::new(), 0);
    assert!(nothing.is_err());
}

#[test]
fn the_same_seed_draws_the_same_trace_and_every_play_costs_the_same() {
    let shape = Shape::Service {
        endpoints: 8,
        busiest_per_day: 100.0,
        days: 2.0,
    };
    let (one, other) = (shape.draw(9).unwrap(), shape.draw(9).unwrap());
    assert_eq!(one, other);
    assert_ne!(one, shape.draw(10).unwrap());
    assert_eq!(all(&one, &Setting::USUAL), all(&other, &Setting::USUAL));
}

/// Some 10 ms on a quiet machine; the limit only catches steps that grow with the trace.
#[test]
fn a_hundred_thousand_requests_are_played_in_seconds() {
    let large = Shape::Poisson {
        every_s: 30.0,
        requests: 100_000,
    }
    .draw(1)
    .unwrap();
    let best = (0..3)
        .map(|_| {
            let begun = Instant::now();
            score(Policy::SkiRental, &large, None, &Setting::USUAL).unwrap();
            begun.elapsed().as_millis()
        })
        .min();
    assert!(best < Some(400), "{best:?} ms");
}
