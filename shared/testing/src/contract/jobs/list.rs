//! An account's jobs by time of creation.

use super::{Case, fresh_job, put};
use crate::contract::fresh;
use crate::sample::CREATED_AT;
use futures_util::future::join_all;
use ryla_domain::id::{AccountId, JobId};
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{JobStore, ListRange, Order};

pub(super) fn cases() -> Vec<Case> {
    cases![
        jobs_come_in_order_both_ways,
        a_range_holds_both_its_ends,
        a_cursor_leads_on_from_where_it_was,
        expired_jobs_are_left_out_and_the_page_is_full,
        an_account_sees_only_its_own,
        a_long_list_comes_whole,
    ]
}

const ALL: ListRange = ListRange {
    from: None,
    until: None,
    order: Order::Newest,
    after: None,
    limit: 100,
};

const fn at(n: i64) -> UnixMs {
    UnixMs(CREATED_AT.0 + n)
}

/// Jobs of one account, oldest first; every third shares its millisecond with the one before.
async fn some_jobs(store: &dyn JobStore, account: &str, count: i64) -> Vec<Job> {
    let jobs: Vec<Job> = (0..count)
        .map(|n| {
            let time = if n % 3 == 2 { n - 1 } else { n };
            let phase = Phase::ALL[usize::try_from(n).unwrap() % Phase::ALL.len()];
            let job = fresh_job("x")
                .account(account)
                .id(&format!("list-job-{n:05}"));
            job.created_at(at(time * 10)).in_phase(phase)
        })
        .collect();
    join_all(jobs.iter().map(|job| put(store, job))).await;
    jobs
}

async fn ids(store: &dyn JobStore, account: &str, range: &ListRange) -> Vec<String> {
    let account: AccountId = account.parse().unwrap();
    let page = store.list(&account, range, at(0)).await.unwrap();
    page.jobs.iter().map(|job| job.key.id.to_string()).collect()
}

fn ids_of<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Vec<String> {
    jobs.into_iter().map(|job| job.key.id.to_string()).collect()
}

async fn jobs_come_in_order_both_ways(store: &dyn JobStore) {
    let account = fresh("list");
    assert_eq!(
        ids(store, &account, &ALL).await,
        [""; 0],
        "list of an account without jobs"
    );
    let jobs = some_jobs(store, &account, 12).await;
    assert_eq!(
        ids(store, &account, &ALL).await,
        ids_of(jobs.iter().rev()),
        "newest first"
    );
    let oldest = ListRange {
        order: Order::Oldest,
        ..ALL
    };
    assert_eq!(
        ids(store, &account, &oldest).await,
        ids_of(&jobs),
        "oldest first"
    );
    let whole = store
        .list(&account.parse().unwrap(), &oldest, at(0))
        .await
        .unwrap();
    assert_eq!(whole.jobs, jobs, "the jobs come whole");
    assert!(!whole.more, "that is all of them");
    let few = ListRange { limit: 5, ..ALL };
    assert_eq!(
        ids(store, &account, &few).await,
        ids_of(jobs.iter().rev().take(5)),
        "at most 5"
    );
}

async fn a_range_holds_both_its_ends(store: &dyn JobStore) {
    let account = fresh("range");
    let jobs = some_jobs(store, &account, 12).await;
    for (from, until) in [
        (30, 60),
        (31, 60),
        (30, 59),
        (40, 40),
        (0, 0),
        (110, 999),
        (60, 30),
    ] {
        for order in [Order::Oldest, Order::Newest] {
            let range = ListRange {
                from: Some(at(from)),
                until: Some(at(until)),
                order,
                ..ALL
            };
            let inside = jobs
                .iter()
                .filter(|job| (at(from)..=at(until)).contains(&job.created_at));
            let mut expected = ids_of(inside);
            if order == Order::Newest {
                expected.reverse();
            }
            let found = ids(store, &account, &range).await;
            assert_eq!(found, expected, "from {from} until {until}, {order:?}");
        }
    }
    let open = ListRange {
        from: Some(at(80)),
        ..ALL
    };
    assert_eq!(
        ids(store, &account, &open).await.len(),
        3,
        "a range without end"
    );
}

async fn a_cursor_leads_on_from_where_it_was(store: &dyn JobStore) {
    let account = fresh("cursor");
    let jobs = some_jobs(store, &account, 13).await;
    for order in [Order::Oldest, Order::Newest] {
        for limit in [1, 4, 5] {
            let mut range = ListRange {
                order,
                limit,
                until: Some(at(100)),
                ..ALL
            };
            let mut found = Vec::new();
            loop {
                let page = store
                    .list(&account.parse().unwrap(), &range, at(0))
                    .await
                    .unwrap();
                assert!(page.jobs.len() <= limit as usize, "at most {limit}");
                let last = page.jobs.last().unwrap();
                range.after = Some((last.created_at, last.key.id.clone()));
                found.extend(ids_of(&page.jobs));
                if !page.more {
                    break;
                }
            }
            let mut expected = ids_of(jobs.iter().filter(|job| job.created_at <= at(100)));
            if order == Order::Newest {
                expected.reverse();
            }
            assert_eq!(found, expected, "pages of {limit}, {order:?}");
        }
    }
    // A cursor need not name a job that is there, nor lie within the range.
    let nobody: JobId = "list-job-00004x".parse().unwrap();
    for (time, order, expected) in [
        (40, Order::Oldest, 7),
        (40, Order::Newest, 4),
        (9_999, Order::Newest, 11),
        (9_999, Order::Oldest, 0),
        (-9_999, Order::Newest, 0),
        (-9_999, Order::Oldest, 11),
    ] {
        let after = Some((at(time), nobody.clone()));
        let (from, until) = (Some(at(10)), Some(at(100)));
        let range = ListRange {
            from,
            until,
            order,
            after,
            limit: 100,
        };
        let found = ids(store, &account, &range).await;
        let inside = jobs.iter().filter(|job| {
            let place = (job.created_at, &job.key.id);
            let behind = match order {
                Order::Oldest => place > (at(time), &nobody),
                Order::Newest => place < (at(time), &nobody),
            };
            behind && (at(10)..=at(100)).contains(&job.created_at)
        });
        assert_eq!(
            inside.count(),
            expected,
            "this case itself, {time} {order:?}"
        );
        assert_eq!(found.len(), expected, "after {time}, {order:?}");
    }
}

async fn expired_jobs_are_left_out_and_the_page_is_full(store: &dyn JobStore) {
    let account = fresh("expired");
    let now = at(0) + Ms::seconds(86_400);
    let mut kept = Vec::new();
    for n in 0..12 {
        let job = fresh_job("x")
            .account(&account)
            .id(&format!("list-job-{n:05}"));
        let mut job = job.created_at(at(n)).build();
        if (3..9).contains(&n) {
            job.expires_at = UnixMs::from_seconds(now.seconds() - 1);
        } else {
            kept.push(job.key.id.to_string());
        }
        put(store, &job).await;
    }
    for (limit, expected) in [(3, &kept[..3]), (4, &kept[..4]), (100, &kept[..])] {
        let range = ListRange {
            order: Order::Oldest,
            limit,
            ..ALL
        };
        let found = store
            .list(&account.parse().unwrap(), &range, now)
            .await
            .unwrap();
        assert_eq!(
            ids_of(&found.jobs),
            expected,
            "a page of {limit} is short only at the end"
        );
    }
}

async fn an_account_sees_only_its_own(store: &dyn JobStore) {
    let mine = fresh("own");
    let longer = format!("{mine}-x");
    let jobs = some_jobs(store, &mine, 3).await;
    some_jobs(store, &longer, 4).await;
    assert_eq!(
        ids(store, &mine, &ALL).await,
        ids_of(jobs.iter().rev()),
        "the shorter name"
    );
    assert_eq!(
        ids(store, &longer, &ALL).await.len(),
        4,
        "a name that begins with it"
    );
    assert_eq!(
        ids(store, &fresh("own"), &ALL).await,
        [""; 0],
        "a third one"
    );
}

async fn a_long_list_comes_whole(store: &dyn JobStore) {
    let account = fresh("long");
    let jobs = some_jobs(store, &account, 215).await;
    for limit in [0, 100, 101, 200, 300] {
        let range = ListRange {
            order: Order::Oldest,
            limit,
            ..ALL
        };
        let found = ids(store, &account, &range).await;
        let expected = ids_of(jobs.iter().take(limit as usize));
        assert_eq!(found, expected, "at most {limit} of 215");
    }
}
