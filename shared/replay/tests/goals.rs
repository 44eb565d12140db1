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
        for (value, most) in VALUES.into_iter().zip([0.77, 0.81, 0.83]) {
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
                // endpoints at five cents miss it here by up to 0.015, with 300 to 600 requests in all.
                let most = if class == "rare" { 1.05 } else { 1.02 };
                let ratio = against_best(&part, None, value);
                assert!(ratio <= most, "seed {seed}, {class}, {value}: {ratio:.3}");
            }
        }
    }
}

#[test]
fn single_endpoints_of_many_shapes_are_not_worse_off_than_with_the_best_fixed_rule() {
    let poisson = |every_s| Shape::Poisson {
        every_s,
        requests: 1500,
    };
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
    let batches = |size, every_s| Shape::Batches {
        size,
        every_s,
        batches: 300,
    };
    let shapes = [
        poisson(10.0),
        poisson(30.0),
        poisson(60.0),
        poisson(120.0),
        poisson(300.0),
        poisson(1000.0),
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
                assert!(ratio <= 1.04, "{shape:?}, seed {seed}, {value}: {ratio:.3}");
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

/// What is not reached, so that nobody believes it is: an hour of dense bursts is over before much of it
/// is learnt. The limits are what it comes to now, with a margin.
#[test]
fn dense_bursts_without_a_past_cost_at_most_so_much_more() {
    let poisson = Shape::Poisson {
        every_s: 2.0,
        requests: 1500,
    };
    let batches = Shape::Batches {
        size: 8,
        every_s: 120.0,
        batches: 300,
    };
    let regimes = Shape::Regimes {
        busy_every_s: 5.0,
        idle_every_s: 600.0,
        stretch_s: 1800.0,
        requests: 2000,
    };
    for (shape, most) in [(poisson, 1.12), (batches, 1.20), (regimes, 1.12)] {
        let trace = shape.draw(1).unwrap();
        for value in VALUES {
            let ratio = against_best(&trace, None, value);
            assert!(ratio <= most, "{shape:?}, {value}: {ratio:.3}");
        }
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
