use super::*;

fn at(seconds: i64) -> UnixMs {
    UnixMs(seconds * 1000)
}

fn history(value_usd: f64) -> History {
    let terms = Terms::new(2.5 / 3600.0, value_usd, 45.0, 20.0).unwrap();
    History::new(terms, 60.0, 0.5, at(0))
}

#[test]
fn a_missing_container_is_worth_what_its_line_waits_until_it_is_empty() {
    let (mut history, mut pool) = (history(0.25), Calibration::default());
    // The first boots until 45 and runs until 65. Then the second begins, after 5 s, and at 85 the third.
    for second in [0, 60, 62, 200] {
        history.arrived(at(second), &mut pool);
    }
    let shares = history.waits.map(|waits| f64::from(waits.shares));
    for (found, expected) in shares.into_iter().zip([1.0, 25.0 / 45.0, 23.0 / 45.0, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{shares:?}");
    }
}

#[test]
fn a_few_are_kept_for_one_and_a_half_times_break_even_and_at_most_twenty_minutes() {
    let pool = Calibration::default();
    let hold_s = |value_usd, others| {
        let history = history(value_usd);
        history.hold_s(Rule::Keep(2), &Activity::none(at(0)), others, &pool)
    };
    assert!((hold_s(0.25, 0) - 1.5 * 405.0).abs() < 1e-6);
    assert!((hold_s(0.25, 1) - 1.5 * 405.0).abs() < 1e-6);
    assert!((hold_s(0.25, 2) - SHORTEST_WINDOW_S).abs() < 1e-6);
    assert!((hold_s(10.0, 0) - LONGEST_HOLD_S).abs() < 1e-6);
}

#[test]
fn measured_times_are_believed_sooner_the_fewer_there_are() {
    let mut history = history(0.25);
    history.measured(Some(5.0), None);
    assert!(
        (history.terms().boot_s() - 35.0).abs() < 1e-9,
        "a fourth of the way"
    );
    for _ in 0..10_000 {
        history.measured(Some(5.0), Some(f64::NAN));
    }
    history.measured(Some(25.0), None);
    assert!((history.terms().boot_s() - 6.0).abs() < 1e-6, "a twentieth");
    assert!((history.terms().service_s() - 20.0).abs() < 1e-9);
}
