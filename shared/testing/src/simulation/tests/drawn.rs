//! Up to three faults of any kind together, drawn by seed.

use super::kept;
use crate::SeededEntropy;
use crate::simulation::{Fate, Fault, Harm, Kind, Scenario};

const SEEDS: u64 = 600;

/// What the seed plays, and the faults that it draws.
fn drawn(seed: u64) -> (Scenario, Vec<Fault>) {
    let all = Scenario::all();
    let scenario = all[usize::try_from(seed).unwrap() % all.len()].clone();
    let whole = kept(&scenario, &[], seed);
    let made = |kind| whole.calls.iter().filter(|call| call.kind == kind).count();
    let calls: Vec<(Kind, usize)> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, made(kind)))
        .collect();
    let entropy = SeededEntropy::new(seed);
    let faults = (0..=entropy.draw() % 3)
        .map(|_| Fault::drawn(&entropy, &calls, whole.messages))
        .collect();
    (scenario, faults)
}

#[test]
fn up_to_three_faults_together_break_no_promise() {
    let mut hit = Vec::new();
    for seed in 0..SEEDS {
        let (scenario, faults) = drawn(seed);
        hit.extend(kept(&scenario, &faults, seed).hit);
    }
    every_kind_of_fault_was_among(&hit);
}

fn every_kind_of_fault_was_among(hit: &[Fault]) {
    for fate in Fate::ALL {
        let message = |fault: &Fault| matches!(fault, Fault::Message { fate: f, .. } if *f == fate);
        let callback =
            |fault: &Fault| matches!(fault, Fault::Callback { fate: f, .. } if *f == fate);
        assert!(hit.iter().any(message), "no message was {fate:?}");
        assert!(hit.iter().any(callback), "no callback was {fate:?}");
    }
    for kind in Kind::ALL {
        for harm in Harm::ALL {
            let call = |fault: &Fault| matches!(fault, Fault::Call { kind: k, harm: h, .. } if *k == kind && *h == harm);
            assert!(hit.iter().any(call), "no {harm:?} hit a {}", kind.name());
        }
    }
}
