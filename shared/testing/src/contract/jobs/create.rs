//! New rows: put where none lies or only an expired one.

use super::{Case, due_entry, fresh_job, put, stored};
use crate::contract::fresh;
use futures_util::future::join_all;
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Consistency, Created, JobStore};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_new_row_is_there_and_due,
        a_live_row_is_handed_back,
        an_expired_row_counts_as_absent,
        of_racing_creates_one_wins,
        a_foreign_accounts_job_does_not_exist,
    ]
}

async fn a_new_row_is_there_and_due(store: &dyn JobStore) {
    let job = fresh_job("create").build();
    assert_eq!(stored(store, &job.key).await, None, "read before create");
    put(store, &job).await;
    for consistency in [Consistency::Strong, Consistency::Eventual] {
        let read = store
            .read(&job.key, job.created_at, consistency)
            .await
            .unwrap();
        assert_eq!(
            read.as_ref(),
            Some(&job),
            "read after create, {consistency:?}"
        );
    }
    let due = job.due.unwrap();
    let entry = due_entry(store, &job.key, due.at).await;
    assert_eq!(
        entry.map(|entry| entry.due_at),
        Some(due.at),
        "due entry after create"
    );
}

async fn a_live_row_is_handed_back(store: &dyn JobStore) {
    let first = fresh_job("exists").in_phase(Phase::Running);
    put(store, &first).await;
    let second = fresh_job("x")
        .account(first.key.account.as_str())
        .prompt("another")
        .build();
    assert_eq!(second.key, first.key);
    // On the last millisecond of its life it is still alive.
    for now in [second.created_at, first.expires_at] {
        let created = store.create(&second, now).await.unwrap();
        assert_eq!(
            created,
            Created::Exists(Box::new(first.clone())),
            "create over a live row"
        );
    }
    assert_eq!(
        stored(store, &first.key).await,
        Some(first),
        "row after a create over it"
    );
}

async fn an_expired_row_counts_as_absent(store: &dyn JobStore) {
    let first = fresh_job("expired").in_phase(Phase::Succeeded);
    put(store, &first).await;
    let later = first.expires_at + Ms(1);
    let read = |now| store.read(&first.key, now, Consistency::Strong);
    assert_eq!(
        read(first.expires_at).await.unwrap().as_ref(),
        Some(&first),
        "read at expiry"
    );
    assert_eq!(read(later).await.unwrap(), None, "read after expiry");
    let second = fresh_job("x")
        .account(first.key.account.as_str())
        .created_at(UnixMs::from_seconds(later.seconds() + 1))
        .build();
    let created = store.create(&second, later).await.unwrap();
    assert_eq!(created, Created::New, "create over an expired row");
    assert_eq!(
        stored(store, &first.key).await,
        Some(second),
        "nothing of the old row is left"
    );
}

async fn of_racing_creates_one_wins(store: &dyn JobStore) {
    let account = fresh("race");
    let jobs: Vec<_> = (0..8)
        .map(|n| {
            fresh_job("x")
                .account(&account)
                .prompt(&format!("prompt {n}"))
                .build()
        })
        .collect();
    let created = join_all(jobs.iter().map(|job| store.create(job, job.created_at))).await;
    let winner = stored(store, &jobs[0].key).await.unwrap();
    let mut won = 0;
    for (job, created) in jobs.iter().zip(created) {
        match created.unwrap() {
            Created::New => {
                won += 1;
                assert_eq!(*job, winner, "the winner's row is the one that is there");
            }
            Created::Exists(there) => assert_eq!(*there, winner, "a loser is shown the winner"),
        }
    }
    assert_eq!(won, 1, "winners of 8 racing creates");
}

async fn a_foreign_accounts_job_does_not_exist(store: &dyn JobStore) {
    let job = fresh_job("mine").build();
    put(store, &job).await;
    let foreign = fresh_job("theirs").build();
    assert_eq!(foreign.key.id, job.key.id);
    assert_eq!(
        stored(store, &foreign.key).await,
        None,
        "read by another account"
    );
}
