//! The due index: in order, by pages, and each entry leased once.

use super::{Case, due_entries, due_entry, fresh_job, put, stored};
use crate::contract::fresh;
use crate::sample::CREATED_AT;
use futures_util::future::join_all;
use ryla_domain::job::{Due, Job};
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{DueEntry, DueMove, JobStore, Shard};

pub(super) fn cases() -> Vec<Case> {
    cases![
        an_entry_says_enough_to_lease_the_row,
        only_what_is_due_comes,
        many_entries_come_in_order_over_pages,
        a_lease_is_won_once,
        a_dead_entry_is_out_of_the_line,
    ]
}

const FAR: UnixMs = UnixMs(CREATED_AT.0 + 86_400_000);

async fn an_entry_says_enough_to_lease_the_row(store: &dyn JobStore) {
    for phase in [
        Phase::Accepted,
        Phase::Dispatching,
        Phase::Running,
        Phase::Canceling,
    ] {
        let job = fresh_job("entry").in_phase(phase);
        put(store, &job).await;
        let entry = due_entry(store, &job.key, FAR).await;
        let due = job.due.unwrap();
        let expected = DueEntry {
            raw_key: format!("JOB#{}#{}", job.key.account, job.key.id),
            key: Some(job.key),
            due_at: due.at,
            deadline_at: Some(job.deadline.at),
            tries: due.tries,
        };
        assert_eq!(
            entry,
            Some(expected),
            "entry of a job that is {}",
            phase.name()
        );
    }
}

async fn only_what_is_due_comes(store: &dyn JobStore) {
    let at = CREATED_AT + Ms::seconds(120);
    let job = fresh_job("when").due_at(at).build();
    put(store, &job).await;
    assert_eq!(
        due_entry(store, &job.key, UnixMs(at.0 - 1)).await,
        None,
        "a moment before"
    );
    assert!(
        due_entry(store, &job.key, at).await.is_some(),
        "at its time"
    );
    for shard in Shard::all().filter(|shard| *shard != Shard::of(&job.key)) {
        let strange = due_entries(store, shard, at).await;
        let mut keys = strange.iter().filter_map(|entry| entry.key.as_ref());
        assert!(
            !keys.any(|key| *key == job.key),
            "in shard {}",
            shard.number()
        );
    }
}

async fn many_entries_come_in_order_over_pages(store: &dyn JobStore) {
    const COUNT: usize = 230;
    let account = fresh("pages");
    let shard = Shard::of(&fresh_job("x").account(&account).build().key);
    let mut jobs: Vec<Job> = (0..)
        .map(|n| {
            fresh_job("x")
                .account(&account)
                .id(&format!("page-job-{n}"))
                .build()
        })
        .filter(|job| Shard::of(&job.key) == shard)
        .take(COUNT)
        .collect();
    for (n, job) in jobs.iter_mut().enumerate() {
        // Not in the order of their keys, and some at the same time.
        let at = CREATED_AT + Ms((n as u64 * 7_919) % 100);
        job.due = Some(Due { at, tries: 0 });
    }
    join_all(jobs.iter().map(|job| put(store, job))).await;
    let entries = due_entries(store, shard, FAR).await;
    let mut found: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| entry.key.filter(|key| key.account.as_str() == account))
        .collect();
    assert_eq!(found.len(), COUNT, "entries over all pages, each once");
    found.sort();
    found.dedup();
    assert_eq!(found.len(), COUNT, "none came twice");
    let first = store.due(shard, FAR, None).await.unwrap();
    assert!(
        first.next.is_some(),
        "so many entries do not come on one page"
    );
    let again = store.due(shard, FAR, None).await.unwrap();
    assert_eq!(first, again, "looking changes nothing");
}

async fn a_lease_is_won_once(store: &dyn JobStore) {
    let job = fresh_job("lease").in_phase(Phase::Dispatching);
    put(store, &job).await;
    let entry = due_entry(store, &job.key, FAR).await.unwrap();
    let to = |n: u64| DueMove::Later {
        at: entry.due_at + Ms::seconds(60 + n),
        tries: entry.tries + 1,
    };
    let moved = join_all((0..8).map(|n| store.reschedule(&entry, to(n)))).await;
    let won = moved
        .into_iter()
        .filter(|moved| *moved.as_ref().unwrap())
        .count();
    assert_eq!(won, 1, "winners of 8 racing sweeps");
    let leased = due_entry(store, &job.key, FAR).await.unwrap();
    assert!(
        leased.due_at >= entry.due_at + Ms::seconds(60),
        "it is due later now"
    );
    assert_eq!(leased.tries, 1, "looks without progress");
    let row = stored(store, &job.key).await.unwrap();
    let due = Some(Due {
        at: leased.due_at,
        tries: 1,
    });
    assert_eq!(
        row,
        Job { due, ..job },
        "a lease changes nothing but the due time"
    );
    for off in [-1, 1] {
        let stale = DueEntry {
            due_at: UnixMs(leased.due_at.0 + off),
            ..leased.clone()
        };
        let moved = store.reschedule(&stale, to(0)).await.unwrap();
        assert!(!moved, "move of an entry that was seen elsewhere");
    }
    assert_eq!(
        due_entry(store, &row.key, FAR).await,
        Some(leased),
        "it stays"
    );
}

async fn a_dead_entry_is_out_of_the_line(store: &dyn JobStore) {
    let job = fresh_job("dead").build();
    put(store, &job).await;
    let entry = due_entry(store, &job.key, FAR).await.unwrap();
    let moved = join_all((0..8).map(|_| store.reschedule(&entry, DueMove::Dead))).await;
    let won = moved
        .into_iter()
        .filter(|moved| *moved.as_ref().unwrap())
        .count();
    assert_eq!(won, 1, "one of 8 racing sweeps raises the alarm");
    for shard in Shard::all() {
        let entries = due_entries(store, shard, FAR).await;
        assert!(
            !entries.iter().any(|e| e.raw_key == entry.raw_key),
            "shard {}",
            shard.number()
        );
    }
    let later = DueMove::Later { at: FAR, tries: 1 };
    assert!(
        !store.reschedule(&entry, later).await.unwrap(),
        "it does not come back by a stale entry"
    );
    let row = stored(store, &job.key).await;
    assert_eq!(row, Some(job), "the row itself is as it was");
}
