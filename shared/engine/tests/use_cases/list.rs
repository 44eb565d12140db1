//! List: pages both ways, filters, and cursors that show nobody else's jobs.

use crate::stage::{Stage, account, at};
use ryla_domain::id::AccountId;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::cursor::Cursor;
use ryla_engine::list::{Page, Wanted};
use ryla_engine::port::Order;
use ryla_testing::sample::a_job;

fn all(page_size: u32) -> Wanted {
    Wanted {
        cursor: None,
        created_after: None,
        created_before: None,
        page_size,
    }
}

/// 250 jobs, three to each millisecond, so that every page begins and ends among ties; newest first.
async fn many(stage: &Stage) -> Vec<Job> {
    let mut jobs = Vec::new();
    for n in 0..250 {
        let created_at = at(0) + Ms(n / 3);
        let job = a_job().id(&format!("job-{n:05}")).created_at(created_at);
        jobs.push(stage.store(job.build()).await);
    }
    jobs.reverse();
    jobs
}

async fn page(stage: &Stage, wanted: &Wanted) -> Page {
    stage.ports().list().page(&account(), wanted).await.unwrap()
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.key.id.as_str()).collect()
}

#[tokio::test]
async fn pages_lead_to_the_oldest_job_and_back_without_a_gap_or_a_repetition() {
    let stage = Stage::new();
    let jobs = many(&stage).await;
    for page_size in [1, 7, 100] {
        let mut pages = vec![page(&stage, &all(page_size)).await];
        while let Some(cursor) = pages.last().unwrap().next.clone() {
            let cursor = Some(Cursor::decode(&cursor.encode()).unwrap());
            pages.push(
                page(
                    &stage,
                    &Wanted {
                        cursor,
                        ..all(page_size)
                    },
                )
                .await,
            );
        }
        let forth: Vec<Job> = pages.iter().flat_map(|page| page.jobs.clone()).collect();
        assert_eq!(ids(&forth), ids(&jobs), "pages of {page_size}");
        assert_eq!(pages[0].previous, None, "there is nothing newer");

        let mut back = pages.pop().unwrap();
        while let Some(cursor) = back.previous.clone() {
            assert_eq!(cursor.order, Order::Oldest);
            let cursor = Some(cursor);
            back = page(
                &stage,
                &Wanted {
                    cursor,
                    ..all(page_size)
                },
            )
            .await;
            let there = pages.pop().unwrap();
            assert_eq!(
                ids(&back.jobs),
                ids(&there.jobs),
                "the same page from below"
            );
            assert_eq!(back.next, there.next);
        }
        assert!(pages.is_empty(), "back at the newest page");
    }
}

#[tokio::test]
async fn a_page_is_no_longer_than_asked_for_and_the_last_one_leads_nowhere() {
    let stage = Stage::new();
    many(&stage).await;
    let first = page(&stage, &all(100)).await;
    assert_eq!(first.jobs.len(), 100);
    let whole = page(&stage, &all(250)).await;
    assert_eq!(
        (whole.jobs.len(), whole.next, whole.previous),
        (250, None, None)
    );
}

#[tokio::test]
async fn filters_hold_at_both_of_their_ends_and_through_cursors() {
    let stage = Stage::new();
    let jobs = many(&stage).await;
    let (from, until) = (at(0) + Ms(10), at(0) + Ms(20));
    let within: Vec<&str> = jobs
        .iter()
        .filter(|job| (from..=until).contains(&job.created_at))
        .map(|job| job.key.id.as_str())
        .collect();
    assert_eq!(within.len(), 33);
    let wanted = |cursor| Wanted {
        cursor,
        created_after: Some(from),
        created_before: Some(until),
        page_size: 20,
    };
    let first = page(&stage, &wanted(None)).await;
    let second = page(&stage, &wanted(first.next.clone())).await;
    assert_eq!([ids(&first.jobs), ids(&second.jobs)].concat(), within);
    assert_eq!(second.next, None, "what is older is filtered");
    let back = page(&stage, &wanted(second.previous.clone())).await;
    assert_eq!(ids(&back.jobs), ids(&first.jobs));
    assert_eq!(back.previous, None, "what is newer is filtered");
}

#[tokio::test]
async fn a_forged_cursor_shows_nobody_elses_jobs() {
    let stage = Stage::new();
    many(&stage).await;
    let evil: AccountId = "evil".parse().unwrap();
    let theirs = a_job().account("evil").id("their-own-job").build();
    stage.store(theirs.clone()).await;
    for order in [Order::Newest, Order::Oldest] {
        for created_at in [UnixMs(0), at(0) + Ms(40), at(9_999)] {
            let cursor = Some(Cursor {
                created_at,
                id: "job-00120".parse().unwrap(),
                order,
            });
            let list = stage.ports().list();
            let shown = list.page(&evil, &Wanted { cursor, ..all(100) }).await;
            let shown = shown.unwrap().jobs;
            assert!(
                shown.iter().all(|job| *job == theirs),
                "{order:?} of {created_at}"
            );
        }
    }
}

#[tokio::test]
async fn a_list_without_jobs_has_no_cursors() {
    let stage = Stage::new();
    let empty = page(&stage, &all(10)).await;
    assert_eq!(
        (empty.jobs, empty.next, empty.previous),
        (Vec::new(), None, None)
    );
}

#[tokio::test]
async fn an_expired_job_is_not_listed() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.clock.set(job.expires_at + Ms(1));
    assert_eq!(page(&stage, &all(10)).await.jobs, []);
}
