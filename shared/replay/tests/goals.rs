//! The goals of the adaptive policy, held by generated traces with fixed seeds and margins. What it comes
//! to on recorded traffic stands in docs/WARM.md.

#![expect(
    clippy::unwrap_used,
    reason = "tests: what goes wrong here is the test's own failure"
)]

use ryla_replay::generate::Shape;
use ryla_replay::score::{Policy, score};
use ryla_replay::setting::Setting;
use ryla_replay::trace::{Endpoint, Trace};

const VALUES: [f64; 3] = [0.01, 0.05, 0.25];
const FIXED: [Policy; 4] = [
    Policy::Never(20),
    Policy::Never(60),
    Policy::Never(300),
    Policy::SkiRental,
];
const SERVICE: Shape = Shape::Service {
    endpoints: 60,
    busiest_per_day: 300.0,
    days: 6.0,
};

fn usd(policy: Policy, trace: &Trace, learnt: Option<&Trace>, value: f64) -> f64 {
    score(policy, trace, learnt, &Setting::USUAL.valued(value))
        .unwrap()
        .total_usd
}

/// Ours against the best of the fixed rules.
fn against_best(trace: &Trace, learnt: Option<&Trace>, value: f64) -> f64 {
    let fixed = FIXED.map(|policy| usd(policy, trace, learnt, value));
    usd(Policy::Adaptive, trace, learnt, value) / fixed.into_iter().fold(f64::INFINITY, f64::min)
}

fn against_ski_rental(trace: &Trace, learnt: Option<&Trace>, value: f64) -> f64 {
    usd(Policy::Adaptive, trace, learnt, value) / usd(Policy::SkiRental, trace, learnt, value)
}

fn halves(seed: u64) -> (Trace, Trace) {
    SERVICE.draw(seed).unwrap().split(0.5).unwrap()
}

#[test]
fn on_a_service_it_costs_about_a_fifth_less_than_ski_rental() {
    for seed in 1..=4 {
        let (first, second) = halves(seed);
        for (value, most) in VALUES.into_iter().zip([0.75, 0.80, 0.83]) {
            let ratio = against_ski_rental(&second, Some(&first), value);
            assert!(ratio <= most, "seed {seed}, {value}: {ratio:.3}");
        }
    }
}

#[test]
fn in_a_shared_pool_it_costs_a_seventh_less_than_ski_rental() {
    for seed in 1..=4 {
        let (first, second) = halves(seed);
        for value in VALUES {
            let ratio = against_ski_rental(&second.pooled(), Some(&first.pooled()), value);
            assert!(ratio <= 0.86, "seed {seed}, {value}: {ratio:.3}");
        }
    }
}

#[test]
fn no_class_of_endpoints_is_worse_off_than_with_the_best_fixed_rule() {
    for seed in 1..=4 {
        let service = SERVICE.draw(seed).unwrap();
        for (class, range) in [
            ("busy", 50.0..1e9),
            ("middling", 10.0..50.0),
            ("rare", 0.0..10.0),
        ] {
            let in_class = |endpoint: &&Endpoint| {
                let requests = u32::try_from(endpoint.arrivals.len()).unwrap();
                range.contains(&(f64::from(requests) / 6.0))
            };
            let endpoints = service.endpoints.iter().filter(in_class).cloned().collect();
            let part = Trace {
                endpoints,
                ..Trace::default()
            };
            for value in VALUES {
                // From nothing: what it is worth before it has learnt anything. The goal is 1.02; rare
                // endpoints at five cents miss it here by up to 0.013, with 300 to 600 requests in all.
                let most = if class == "rare" { 1.04 } else { 1.02 };
                let ratio = against_best(&part, None, value);
                assert!(ratio <= most, "seed {seed}, {class}, {value}: {ratio:.3}");
            }
        }
    }
}

#[test]
fn single_endpoints_of_many_shapes_are_not_worse_off_than_with_the_best_fixed_rule() {
    let tail = |median_s, spread| Shape::HeavyTail {
        median_s,
        spread,
        requests: 1500,
    };
    let regimes = |busy_every_s, idle_every_s, stretch_s| Shape::Regimes {
        busy_every_s,
        idle_every_s,
        stretch_s,
        requests: 2000,
    };
    let shapes = [
        poisson(10.0, 1500),
        poisson(30.0, 1500),
        poisson(60.0, 1500),
        poisson(120.0, 1500),
        poisson(300.0, 1500),
        poisson(1000.0, 1500),
        tail(20.0, 1.0),
        tail(60.0, 2.0),
        tail(200.0, 1.0),
        tail(1000.0, 2.5),
        regimes(20.0, 2000.0, 3600.0),
        regimes(60.0, 1200.0, 7200.0),
        regimes(40.0, 40_000.0, 1200.0),
        batches(2, 300.0),
        batches(4, 600.0),
        batches(8, 3000.0),
    ];
    for shape in shapes {
        for seed in 1..=2 {
            let trace = shape.draw(seed).unwrap();
            for value in VALUES {
                let ratio = against_best(&trace, None, value);
                assert!(ratio <= 1.01, "{shape:?}, seed {seed}, {value}: {ratio:.3}");
            }
        }
    }
}

#[test]
fn a_clock_is_met_where_a_wait_is_worth_it() {
    for (every_s, jitter_s) in [
        (600.0, 20.0),
        (1800.0, 30.0),
        (3600.0, 60.0),
        (86_400.0, 60.0),
    ] {
        let clock = Shape::Periodic {
            every_s,
            jitter_s,
            requests: 300,
        }
        .draw(1)
        .unwrap();
        let ratio = against_best(&clock, None, 0.25);
        assert!(ratio < 0.7, "every {every_s}: {ratio:.3}");
        assert!(
            against_best(&clock, None, 0.01) <= 1.0,
            "and never where it is not"
        );
    }
}

/// Ours against the best of the fixed rules on the traces of eight seeds: the mean, and the worst.
fn of_eight(shape: Shape, value: f64) -> (f64, f64) {
    let ratios: Vec<f64> = (1..=8)
        .map(|seed| against_best(&shape.draw(seed).unwrap(), None, value))
        .collect();
    (
        ratios.iter().sum::<f64>() / 8.0,
        ratios.into_iter().fold(0.0, f64::max),
    )
}

#[test]
fn programs_and_clusters_cost_less_than_with_the_best_fixed_rule() {
    let client = |per_day, spread, days| Shape::Client {
        per_day,
        spread,
        days,
    };
    let jobs = |median_s, days| Shape::Jobs { median_s, days };
    for shape in [
        client(132.0, 1.0, 14.0),
        client(97.0, 0.7, 14.0),
        client(97.0, 2.0, 14.0),
        client(1056.0, 0.8, 1.0),
        client(1056.0, 1.5, 1.0),
        jobs(700.0, 60.0),
        jobs(200.0, 30.0),
    ] {
        for seed in 1..=3 {
            let trace = shape.draw(seed).unwrap();
            for value in VALUES {
                let ratio = against_best(&trace, None, value);
                assert!(ratio <= 1.0, "{shape:?}, seed {seed}, {value}: {ratio:.3}");
            }
        }
    }
}

const fn bursts(within_s: f64, size: f64, between_s: f64, hours: f64) -> Shape {
    Shape::Bursts {
        within_s,
        size,
        between_s,
        hours,
    }
}

const fn poisson(every_s: f64, requests: usize) -> Shape {
    Shape::Poisson { every_s, requests }
}

const fn batches(size: usize, every_s: f64) -> Shape {
    Shape::Batches {
        size,
        every_s,
        batches: 300,
    }
}

#[test]
fn dense_traffic_without_a_past_costs_at_most_2_percent_more_than_with_the_best_fixed_rule() {
    for (shape, values) in [
        (bursts(3.0, 12.0, 90.0, 1.0), &VALUES[..2]),
        (bursts(3.0, 12.0, 90.0, 6.0), &VALUES[..2]),
        (bursts(8.0, 20.0, 200.0, 2.0), &VALUES[..1]),
        (bursts(2.0, 4.0, 60.0, 1.0), &VALUES[..]),
        (bursts(2.0, 4.0, 60.0, 6.0), &VALUES[..]),
        (bursts(1.0, 6.0, 400.0, 4.0), &VALUES[..2]),
        (batches(8, 120.0), &VALUES[..]),
        (batches(5, 60.0), &VALUES[..]),
        (poisson(18.6, 190), &VALUES[..]),
        (poisson(9.3, 387), &VALUES[..]),
        (poisson(4.6, 780), &VALUES[1..]),
        (poisson(5.0, 1500), &VALUES[..]),
    ] {
        for value in values {
            let (mean, _) = of_eight(shape, *value);
            assert!(mean <= 1.02, "{shape:?}, {value}: {mean:.3} on the mean");
        }
    }
}

/// What is not reached, so that nobody believes it is: docs/WARM.md says why. The limits are what it comes
/// to now, with a margin.
#[test]
fn what_is_missed_is_missed_by_at_most_so_much() {
    // An hour of bursts, and a wait that is worth much: 1.02 on the mean of some, not of each.
    for (shape, value, most) in [
        (bursts(3.0, 12.0, 90.0, 1.0), 0.25, (1.13, 1.45)),
        (bursts(3.0, 12.0, 90.0, 6.0), 0.25, (1.07, 1.25)),
        (bursts(8.0, 20.0, 200.0, 2.0), 0.05, (1.04, 1.10)),
        (bursts(1.0, 6.0, 400.0, 4.0), 0.25, (1.04, 1.10)),
        // A request every two seconds, ten containers at work.
        (poisson(2.0, 1500), 0.01, (1.09, 1.12)),
        (poisson(2.0, 1500), 0.05, (1.10, 1.17)),
        (poisson(2.0, 1500), 0.25, (1.02, 1.05)),
        (poisson(4.6, 780), 0.01, (1.04, 1.10)),
        // On the mean of seeds it is reached, with a seed it may not be.
        (poisson(9.3, 387), 0.05, (1.02, 1.18)),
        (bursts(2.0, 4.0, 60.0, 1.0), 0.25, (1.02, 1.18)),
    ] {
        let (mean, worst) = of_eight(shape, value);
        assert!(
            mean <= most.0 && worst <= most.1,
            "{shape:?}, {value}: {mean:.3} on the mean, {worst:.3} at worst"
        );
    }
    let regimes = Shape::Regimes {
        busy_every_s: 5.0,
        idle_every_s: 600.0,
        stretch_s: 1800.0,
        requests: 2000,
    };
    for value in VALUES {
        let (mean, worst) = of_eight(regimes, value);
        assert!(
            mean <= 1.01 && worst <= 1.04,
            "{value}: {mean:.3}, {worst:.3}"
        );
    }
}

#[test]
fn a_second_half_costs_no_more_for_having_lived_through_the_first() {
    for seed in 1..=2 {
        let (first, second) = halves(seed);
        for value in VALUES {
            let learnt = usd(Policy::Adaptive, &second, Some(&first), value);
            let fresh = usd(Policy::Adaptive, &second, None, value);
            assert!(
                learnt <= fresh * 1.01,
                "seed {seed}, {value}: {learnt} and {fresh}"
            );
        }
    }
}
