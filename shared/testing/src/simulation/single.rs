//! Every place at which one fault can be: they are counted in a run without faults, so that a new port
//! call is covered by being made. The tests walk them all, `tests/fences` where no seed misses a fence.

use super::weather::Weather;
use super::{Ending, Fate, Fault, Harm, Scenario, play};

/// The seed of all of them.
pub const SINGLE_SEED: u64 = 7;

/// Every single fault of that scenario.
pub fn single_faults(scenario: &Scenario) -> Vec<Fault> {
    let whole = play(scenario, &Weather::default(), SINGLE_SEED);
    let calls = Harm::ALL
        .into_iter()
        .flat_map(|harm| harmed_calls(&whole, harm));
    let messages = Fate::OF_MESSAGES.into_iter().flat_map(|fate| {
        let all = 0..whole.messages;
        all.map(move |nth| Fault::Message { nth, fate })
    });
    let callbacks = Fate::OF_CALLBACKS.into_iter().flat_map(|fate| {
        let all = 0..whole.callbacks;
        all.map(move |nth| Fault::Callback { nth, fate })
    });
    calls.chain(messages).chain(callbacks).collect()
}

/// Every call that did something, with that harm done to it.
pub(super) fn harmed_calls(ending: &Ending, harm: Harm) -> Vec<Fault> {
    let calls = ending.calls.iter();
    let calls = calls.filter(|call| !call.idle && harm.fits(call.name));
    calls
        .map(|call| Fault::Call {
            kind: call.kind,
            nth: call.nth,
            harm,
        })
        .collect()
}
