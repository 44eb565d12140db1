//! What must hold of every step that a job makes: of the row before a write, and after it. Steps that
//! only show later, in how the job ends, are judged there.

use crate::backend::FakeBackend;
use ryla_domain::job::Job;
use ryla_domain::state::State;
use ryla_domain::time::Ms;
use ryla_engine::port::Backend;
use ryla_engine::settings::Settings;
use std::sync::Arc;

/// What is wrong with the step from `before` to `now`.
pub(super) fn wrong(
    before: &Job,
    now: &Job,
    sites: &[Arc<FakeBackend>],
    settings: &Settings,
) -> Option<String> {
    let wrong = claimed_in_time(before, now, settings.timers.lease())
        .and_then(|()| runs_by_its_own_word(before, now, sites))
        .and_then(|()| hears_in_order(before, now))
        .and_then(|()| hears_its_own_worker(before, now, sites))
        .and_then(|()| leased_by_one(before, now));
    wrong.err().map(|what| format!("{}: {what}", now.key))
}

/// Nobody begins what is to end already, by his own clock.
fn claimed_in_time(before: &Job, now: &Job, lease: Ms) -> Result<(), String> {
    let State::Dispatching(s) = &now.state else {
        return Ok(());
    };
    let held = matches!(&before.state, State::Dispatching(b) if b.claim == s.claim);
    if !held && s.lease_until >= before.deadline.at + lease {
        return Err("claimed when its deadline had passed".to_owned());
    }
    Ok(())
}

/// A job runs because a worker of its current attempt has begun, or because a backend that gives handles
/// has taken that attempt: not by the word of an earlier one.
fn runs_by_its_own_word(before: &Job, now: &Job, sites: &[Arc<FakeBackend>]) -> Result<(), String> {
    let ran = matches!(before.state, State::Running(_)) && before.origin() == now.origin();
    if ran || !matches!(now.state, State::Running(_)) {
        return Ok(());
    }
    let bears_out = |site: &Arc<FakeBackend>| {
        let by_name = site.capabilities().idempotent_start;
        let run = now.run();
        *site.id() == now.backend
            && site
                .runs()
                .iter()
                .any(|known| known.run == run && (known.began_at.is_some() || !by_name))
    };
    if sites.iter().any(bears_out) {
        return Ok(());
    }
    let attempt = now.state.attempt();
    Err(format!("runs, but no worker has begun attempt {attempt}"))
}

/// An older word never takes the place of a later one.
fn hears_in_order(before: &Job, now: &Job) -> Result<(), String> {
    match (&before.state, &now.state) {
        (State::Running(b), State::Running(n)) if b.attempt == n.attempt && n.seq < b.seq => {
            Err(format!("event {} was stored over event {}", n.seq, b.seq))
        }
        _ => Ok(()),
    }
}

/// A sign of life is one of the current attempt's worker.
fn hears_its_own_worker(before: &Job, now: &Job, sites: &[Arc<FakeBackend>]) -> Result<(), String> {
    let (State::Running(b), State::Running(n)) = (&before.state, &now.state) else {
        return Ok(());
    };
    if b.attempt != n.attempt || n.seq <= b.seq {
        return Ok(());
    }
    let run = now.run();
    let has_said = |site: &Arc<FakeBackend>| {
        let mut runs = site.runs().into_iter();
        *site.id() == now.backend && runs.any(|known| known.run == run && known.seq >= n.seq)
    };
    if sites.iter().any(has_said) {
        return Ok(());
    }
    Err(format!("event {} is not of attempt {}", n.seq, n.attempt))
}

/// A look of the sweep moves the entry on and counts, or takes its count back. Of two sweeps that come
/// to one entry, or of one with an old picture of it, one has it: the other would ask and send a second
/// time, and its look would not be among those after which a job is given up.
fn leased_by_one(before: &Job, now: &Job) -> Result<(), String> {
    let (Some(was), Some(is)) = (before.due, now.due) else {
        return Ok(());
    };
    let counted = is.at > was.at && is.tries == was.tries + 1;
    let uncounted = is.at == was.at && is.tries + 1 == was.tries;
    if before.rev != now.rev || was == is || counted || uncounted {
        return Ok(());
    }
    Err(format!(
        "a due entry was leased that was not as seen: {was:?} became {is:?}"
    ))
}
