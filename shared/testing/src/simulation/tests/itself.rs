//! The simulation keeps its own promises: a seed repeats its run, and what is planned happens.

use super::kept;
use crate::simulation::seeded::replay;
use crate::simulation::{Ending, Fault, Harm, Kind, Scenario, Weather, play};

#[test]
fn one_seed_is_one_run_and_another_seed_is_another() {
    for scenario in Scenario::all() {
        let first = play(&scenario, &Weather::of(&[]), 3).trace;
        assert_eq!(
            first,
            play(&scenario, &Weather::of(&[]), 3).trace,
            "{}",
            scenario.name
        );
        assert_ne!(
            first,
            play(&scenario, &Weather::of(&[]), 4).trace,
            "{}",
            scenario.name
        );
    }
}

/// With faults at every call, message and callback and clocks that are off: still the same run.
#[test]
fn a_seed_of_a_storm_is_one_run_as_well() {
    for seed in (3..400).step_by(4) {
        let trace = |ending: Ending| (ending.trace, ending.hit);
        let [first, second] = [(), ()].map(|()| replay(seed).map(trace).ok());
        assert!(first.is_some(), "seed {seed} breaks a promise");
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn a_process_that_died_makes_no_further_call() {
    let fault = Fault::Call {
        kind: Kind::Dispatch,
        nth: 0,
        harm: Harm::DeathAfter,
    };
    let ending = kept(&Scenario::usual(), &[fault], 7);
    let trace = ending.trace.join("\n");
    let dead: Vec<&str> = trace
        .lines()
        .filter(|line| line.ends_with("died"))
        .collect();
    let [dead] = dead[..] else {
        panic!("one process dies:\n{trace}")
    };
    let name = dead.split(' ').nth(1).unwrap();
    let calls = trace
        .lines()
        .filter(|line| line.contains(&format!("{name} jobs")));
    assert_eq!(calls.count(), 1, "the claim, and no start:\n{trace}");
}
