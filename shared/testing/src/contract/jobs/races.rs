//! Eight writers at a row at once, for every write: what they expect decides who wins. New rows race in
//! `create.rs`, due entries in `due.rs`.

use super::{Case, fresh_job, put, stored};
use crate::sample::{CREATED_AT, a_beat, a_claim, a_start};
use futures_util::future::join_all;
use ryla_domain::failure::Code;
use ryla_domain::job::{Beat, Claim, Job, Start};
use ryla_domain::report::Report;
use ryla_domain::state::{CancelReason, Phase};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::expect::Expect;
use ryla_engine::port::{JobStore, Write, Written};

pub(super) fn cases() -> Vec<Case> {
    cases![
        of_eight_claimers_one_wins,
        of_eight_starts_one_wins,
        of_eight_starts_no_stale_one_wins,
        of_eight_repeated_beats_one_wins,
        of_eight_beats_the_latest_stays,
        of_eight_replaces_one_wins,
        of_four_claimers_and_four_cancels_one_wins,
    ]
}

const WRITERS: u64 = 8;
const ROUNDS: u32 = 5;
const LATER: UnixMs = UnixMs(CREATED_AT.0 + 20_000);

/// Makes all the writes of one row at once. The rows of those that won, each with its place among the
/// writers, in the order in which they did. Checks that every loser was shown a row that refuses it, and
/// that the last winner's row is the one that is there.
async fn race(store: &dyn JobStore, before: &Job, writes: Vec<Write<'_>>) -> Vec<(usize, Job)> {
    put(store, before).await;
    let expected: Vec<Expect> = writes.iter().map(Write::expect).collect();
    let written = join_all(writes.into_iter().map(|write| store.write(write))).await;
    let mut won: Vec<(usize, Job)> = Vec::new();
    let mut shown: Vec<(usize, Job)> = Vec::new();
    for (place, written) in written.into_iter().enumerate() {
        match written.unwrap() {
            Written::Done(row) => won.push((place, *row)),
            Written::Refused(row) => shown.push((place, *row.unwrap())),
        }
    }
    won.sort_by_key(|(_, row)| row.rev);
    let revs: Vec<u64> = won.iter().map(|(_, row)| row.rev).collect();
    let one_by_one: Vec<u64> = (before.rev + 1..).take(won.len()).collect();
    assert_eq!(revs, one_by_one, "each winner writes over the one before");
    for (place, row) in shown {
        let mut rows = won.iter().map(|(_, won)| won).chain([before]);
        let known = rows.any(|won| *won == row);
        let refuses = !expected[place].holds(Some(&row));
        assert!(known && refuses, "loser {place} was shown {row:?}");
    }
    let last = won.last().map_or(before, |(_, row)| row);
    let there = stored(store, &before.key).await;
    assert_eq!(there.as_ref(), Some(last), "the last winner's row stays");
    won
}

async fn of_eight_claimers_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("claimers").build();
        let claims: Vec<Claim> = (0..WRITERS)
            .map(|n| a_claim(&format!("claimer-{n}"), LATER))
            .collect();
        let writes = claims.iter().map(|claim| Write::Claim(&job.key, claim));
        let won = race(store, &job, writes.collect()).await;
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
        let starts: Vec<Start> = (0..WRITERS)
            .map(|n| Start {
                call: Some(format!("call-{n}").parse().unwrap()),
                seq: n,
                ..a_start(&job, LATER)
            })
            .collect();
        let writes = starts.iter().map(|start| Write::Start(&job.key, start));
        let won = race(store, &job, writes.collect()).await;
        let [(place, row)] = &won[..] else {
            panic!("one of 8 racing starts wins: {won:?}")
        };
        let started = job.start(starts[*place].clone()).unwrap();
        assert_eq!(*row, started, "the winner's row");
    }
}

/// Every other one is of an attempt that is not the current one, and they come first.
async fn of_eight_starts_no_stale_one_wins(store: &dyn JobStore) {
    for _ in 0..ROUNDS {
        let job = fresh_job("latecomers").in_phase(Phase::Dispatching);
        let (current, mut stale) = (a_start(&job, LATER), a_start(&job, LATER));
        stale.origin.attempt = stale.origin.attempt.next();
        let starts = [&stale, &current].into_iter().cycle().take(8);
        let writes = starts.map(|start| Write::Start(&job.key, start));
        let won = race(store, &job, writes.collect()).await;
        let places: Vec<usize> = won.iter().map(|(place, _)| place % 2).collect();
        assert_eq!(places, [1], "the current attempt's starts have odd places");
    }
}

/// Writes them all at once; the places of those that won, in the order in which they did.
async fn raced(store: &dyn JobStore, job: &Job, beats: &[Beat]) -> Vec<usize> {
    let writes = beats.iter().map(|beat| Write::Beat(&job.key, beat));
    let won = race(store, job, writes.collect()).await;
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
    let seen = &seen;
    let writes = nexts.iter().map(|next| Write::Replace { seen, next });
    let won = race(store, seen, writes.collect()).await;
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
        let cancelled = seen
            .clone()
            .cancel(CancelReason::User, LATER, Ms::seconds(60));
        let claims: Vec<Claim> = (0..4)
            .map(|n| a_claim(&format!("claimer-{n}"), LATER))
            .collect();
        let (seen, next) = (&seen, &cancelled);
        let writes = claims.iter().flat_map(|claim| {
            [
                Write::Claim(&seen.key, claim),
                Write::Replace { seen, next },
            ]
        });
        let won = race(store, seen, writes.collect()).await;
        assert_eq!(won.len(), 1, "winners of 4 claims and 4 cancels: {won:?}");
    }
}
