//! One fault at a time, at every place where one can be: the places are counted in a run without
//! faults, so that a new port call is covered by being made. And pairs where a GPU is paid.

use super::kept;
use crate::simulation::single::{SINGLE_SEED, harmed_calls, single_faults};
use crate::simulation::{Ending, Fault, Harm, Kind, Scenario};
use ryla_domain::state::State;

#[test]
fn without_faults_every_scenario_keeps_every_promise() {
    for scenario in Scenario::all() {
        for seed in 0..10 {
            kept(&scenario, &[], seed);
        }
    }
}

/// The fault finds its place, and no promise is broken.
fn hits(scenario: &Scenario, fault: Fault) {
    let harmed = kept(scenario, &[fault], SINGLE_SEED);
    assert_eq!(harmed.hit, [fault], "{:?}", scenario.name);
}

fn at_every_call(harm: Harm) {
    for scenario in Scenario::all() {
        let whole = kept(&scenario, &[], SINGLE_SEED);
        for fault in harmed_calls(&whole, harm) {
            hits(&scenario, fault);
        }
    }
}

#[test]
fn a_process_may_die_before_any_of_its_calls() {
    at_every_call(Harm::DeathBefore);
}

#[test]
fn a_process_may_die_after_any_of_its_calls() {
    at_every_call(Harm::DeathAfter);
}

#[test]
fn any_call_may_fail() {
    at_every_call(Harm::Error);
}

#[test]
fn any_call_may_have_its_effect_and_fail_all_the_same() {
    at_every_call(Harm::LostReply);
}

#[test]
fn any_call_may_be_throttled() {
    at_every_call(Harm::Throttled);
}

#[test]
fn any_call_may_be_slow() {
    at_every_call(Harm::Slow);
}

#[test]
fn any_read_that_may_be_stale_is() {
    at_every_call(Harm::Stale);
}

#[test]
fn any_message_or_callback_may_have_any_fate() {
    for scenario in Scenario::all() {
        let faults = single_faults(&scenario).into_iter();
        for fault in faults.filter(|fault| !matches!(fault, Fault::Call { .. })) {
            hits(&scenario, fault);
        }
    }
}

/// The `nth` start of a run by any dispatcher, as a place for a fault.
fn start(ending: &Ending, nth: usize, harm: Harm) -> Option<Fault> {
    let calls = ending.calls.iter();
    let mut starts = calls.filter(|call| call.name == "backend.start");
    starts.nth(nth).map(|call| Fault::Call {
        kind: call.kind,
        nth: call.nth,
        harm,
    })
}

#[test]
fn the_first_two_starts_of_a_run_may_both_go_wrong() {
    for scenario in Scenario::all() {
        let whole = kept(&scenario, &[], SINGLE_SEED);
        for first in Harm::ALL {
            let Some(first) = start(&whole, 0, first) else {
                continue;
            };
            let once = kept(&scenario, &[first], SINGLE_SEED);
            for second in Harm::ALL {
                let second = start(&once, 1, second);
                let both: Vec<Fault> = [first].into_iter().chain(second).collect();
                kept(&scenario, &both, SINGLE_SEED);
            }
        }
    }
}

/// The paths walked above are those of the design: nobody has taken a use case out of the scenarios.
#[test]
fn the_scenarios_walk_every_use_case_and_every_way_to_end() {
    let endings: Vec<Ending> = Scenario::all()
        .iter()
        .map(|scenario| kept(scenario, &[], SINGLE_SEED))
        .collect();
    let calls = || endings.iter().flat_map(|ending| &ending.calls);
    for (kind, names) in [
        (Kind::Submit, &["jobs.create", "queue.send"][..]),
        (
            Kind::Dispatch,
            &[
                "jobs.write claim",
                "backend.start",
                "backend.check",
                "jobs.write start",
                "jobs.write replace",
                "images.put",
                "images.glimpse",
                "queue.send",
                "jobs.read",
                "backend.cancel",
                "endpoints.add_arrivals",
                "endpoints.add_end",
            ],
        ),
        (
            Kind::CallBack,
            &[
                "jobs.write start",
                "jobs.read",
                "images.glimpse",
                "jobs.write replace",
                "endpoints.add_end",
            ],
        ),
        (
            Kind::Sweep,
            &[
                "jobs.due",
                "jobs.reschedule",
                "jobs.read",
                "backend.check",
                "backend.cancel",
                "queue.send",
                "images.glimpse",
                "jobs.write replace",
                "endpoints.add_end",
            ],
        ),
        (
            Kind::Cancel,
            &["jobs.read", "jobs.write replace", "queue.send"],
        ),
        (Kind::Show, &["jobs.read eventual", "jobs.list"]),
    ] {
        for name in names {
            let made = calls().any(|call| call.kind == kind && call.name == *name);
            assert!(made, "{} never calls {name}", kind.name());
        }
    }
    let states = || {
        endings
            .iter()
            .flat_map(|ending| &ending.jobs)
            .map(|known| &known.job.state)
    };
    assert!(states().any(|state| matches!(state, State::Succeeded { .. })));
    assert!(states().any(|state| matches!(state, State::Failed { .. })));
    assert!(states().any(|state| matches!(state, State::Canceled { .. })));
}
