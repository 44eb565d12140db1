//! Eight writers at a row at once, for every write: what they expect decides who wins. New rows race in
//! `create.rs`, due entries in `due.rs`.

use super::{Case, fresh_job, put, winners};
use crate::sample::{CREATED_AT, a_beat, a_claim, a_start};
use futures_util::future::join_all;
use ryla_domain::failure::Code;
use ryla_domain::job::{Beat, Claim, Job, Start};
use ryla_domain::report::Report;
use ryla_domain::state::{CancelReason, Phase};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{JobStore, Write};

pub(super) fn cases() -> Vec<Case> {
    cases![
        of_eight_claimers_one_wins,
        of_eight_starts_one_wins,
        of_eight_repeated_beats_one_wins,
        of_eight_beats_the_latest_stays,
        of_eight_replaces_one_wins,
        of_four_claimers_and_four_cancels_one_wins,
    ]
}

const WRITERS: u64 = 8;
const ROUNDS: u32 = 5;
const LATER: UnixMs = UnixMs(CREATED_AT.0 + 20_000);

async fn of_eight_claimers_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("claimers").build();
        put(store, &job).await;
        let claims: Vec<Claim> = (0..WRITERS)
            .map(|n| a_claim(&format!("claimer-{n}"), LATER))
            .collect();
        let writes = claims
            .iter()
            .map(|claim| store.write(Write::Claim(&job.key, claim)));
        let won = winners(store, &job, join_all(writes).await).await;
        let [(place, row)] = &won[..] else {
            panic!("one of 8 racing claims wins: {won:?}")
        };
        let claimed = job.claim(claims[*place].clone()).unwrap();
        assert_eq!(*row, claimed, "the winner's row");
    }
}

async fn of_eight_starts_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("starters").in_phase(Phase::Dispatching);
        put(store, &job).await;
        let starts: Vec<Start> = (0..WRITERS)
            .map(|n| Start {
                call: Some(format!("call-{n}").parse().unwrap()),
                seq: n,
                ..a_start(&job, LATER)
            })
            .collect();
        let writes = starts
            .iter()
            .map(|start| store.write(Write::Start(&job.key, start)));
        let won = winners(store, &job, join_all(writes).await).await;
        let [(place, row)] = &won[..] else {
            panic!("one of 8 racing starts wins: {won:?}")
        };
        let started = job.start(starts[*place].clone()).unwrap();
        assert_eq!(*row, started, "the winner's row");
    }
}

/// Writes them all at once; the places of those that won, in the order in which they did.
async fn raced(store: &dyn JobStore, job: &Job, beats: &[Beat]) -> Vec<usize> {
    put(store, job).await;
    let writes = beats
        .iter()
        .map(|beat| store.write(Write::Beat(&job.key, beat)));
    let won = winners(store, job, join_all(writes).await).await;
    let mut before = job.clone();
    for (place, row) in &won {
        let beaten = before.beat(&beats[*place]);
        assert_eq!(Ok(row), beaten.as_ref(), "the row after a beat that won");
        before = row.clone();
    }
    won.into_iter().map(|(place, _)| place).collect()
}

async fn of_eight_repeated_beats_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("echoes").in_phase(Phase::Running);
        let beats: Vec<Beat> = (0..8)
            .map(|n| a_beat(&job, 9, Some(n), LATER + Ms(n.into())))
            .collect();
        let won = raced(store, &job, &beats).await;
        assert_eq!(won.len(), 1, "winners of 8 beats of one number");
    }
}

async fn of_eight_beats_the_latest_stays(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("beats").in_phase(Phase::Running);
        // From 17 down to 11, and 9: as text, that would be the largest.
        let beats: Vec<Beat> = (0..7)
            .map(|n| a_beat(&job, u64::from(17 - n), Some(n), LATER))
            .chain([a_beat(&job, 9, None, LATER)])
            .collect();
        let won = raced(store, &job, &beats).await;
        assert_eq!(won.last(), Some(&0), "the place of the last winner");
    }
}

async fn of_eight_replaces_one_wins(store: &dyn JobStore) {
    let seen = fresh_job("replacers").in_phase(Phase::Running);
    put(store, &seen).await;
    let moves: [Job; 4] = [
        seen.clone()
            .fail(Code::GpuOom, Report::default(), LATER)
            .unwrap(),
        seen.clone()
            .cancel(CancelReason::User, LATER, Ms::seconds(60)),
        seen.clone().seen(LATER).unwrap(),
        seen.clone().expire(LATER).unwrap(),
    ];
    let nexts: Vec<&Job> = moves.iter().cycle().take(8).collect();
    let (seen, store) = (&seen, store);
    let writes = nexts
        .iter()
        .map(|next| store.write(Write::Replace { seen, next }));
    let won = winners(store, seen, join_all(writes).await).await;
    let [(place, row)] = &won[..] else {
        panic!("one of 8 racing replaces wins: {won:?}")
    };
    assert_eq!(row, nexts[*place], "the winner's row");
}

/// A blind write and one of what was read, of the same row: the cancelled job is not claimed, or the
/// claimed one not cancelled by somebody who has not seen the claim.
async fn of_four_claimers_and_four_cancels_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let seen = fresh_job("mixed").build();
        put(store, &seen).await;
        let cancelled = seen
            .clone()
            .cancel(CancelReason::User, LATER, Ms::seconds(60));
        let claims: Vec<Claim> = (0..4)
            .map(|n| a_claim(&format!("claimer-{n}"), LATER))
            .collect();
        let (seen, next) = (&seen, &cancelled);
        let writes = claims.iter().flat_map(|claim| {
            [
                store.write(Write::Claim(&seen.key, claim)),
                store.write(Write::Replace { seen, next }),
            ]
        });
        let won = winners(store, seen, join_all(writes).await).await;
        assert_eq!(won.len(), 1, "winners of 4 claims and 4 cancels: {won:?}");
    }
}
