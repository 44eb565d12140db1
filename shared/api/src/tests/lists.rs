//! Lists: pages in both directions by the links that they hold.

use super::app::{ALICE, API, BOB, PROMPT, TestApp};
use super::ask::{Answer, long};
use super::faults::on;
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_testing::sample::{CREATED_AT, a_job, key};
use serde_json::{Value, json};

/// Alice's ended jobs `job-of-number-0` and so on, each created a second after the one before.
fn with_jobs(count: u64) -> TestApp {
    let app = TestApp::new();
    for n in 0..count {
        let job = a_job().account("alice").id(&id(n)).prompt(PROMPT);
        app.plant(
            &job.created_at(CREATED_AT + Ms::seconds(n))
                .in_phase(Phase::Failed),
        );
    }
    app
}

fn id(n: u64) -> String {
    format!("job-of-number-{n}")
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let results = json["results"].as_array().unwrap().iter();
    results
        .map(|job| job["id"].as_str().unwrap().to_owned())
        .collect()
}

fn numbers(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(id).collect()
}

/// The page behind a link, which must be an absolute URL of this API.
async fn follow(app: &TestApp, link: &Value) -> Answer {
    let path = link.as_str().unwrap().strip_prefix(API).unwrap();
    assert!(path.starts_with("/v1/predictions?"), "{path}");
    app.get(ALICE, path).await
}

#[tokio::test]
async fn a_list_is_read_forward_and_back_by_its_own_links() {
    let app = with_jobs(5);
    let first = app.get(ALICE, "/v1/predictions?page_size=2").await;
    assert_eq!(ids(&first), numbers([4, 3].into_iter()));
    assert_eq!(first.json()["previous"], Value::Null);
    let second = follow(&app, &first.json()["next"]).await;
    assert_eq!(ids(&second), numbers([2, 1].into_iter()));
    let third = follow(&app, &second.json()["next"]).await;
    assert_eq!(ids(&third), numbers([0].into_iter()));
    assert_eq!(third.json()["next"], Value::Null);
    let back = follow(&app, &third.json()["previous"]).await;
    assert_eq!(back.json()["results"], second.json()["results"]);
    let front = follow(&app, &back.json()["previous"]).await;
    assert_eq!(front.json()["results"], first.json()["results"]);
    assert_eq!(front.json()["previous"], Value::Null);
    assert_eq!(
        ids(&follow(&app, &front.json()["next"]).await),
        ids(&second)
    );
}

#[tokio::test]
async fn jobs_of_the_same_moment_are_neither_lost_nor_shown_twice() {
    let app = TestApp::new();
    for n in 0..5 {
        app.plant(&a_job().account("alice").id(&id(n)).in_phase(Phase::Failed));
    }
    let mut seen = Vec::new();
    let mut page = app.get(ALICE, "/v1/predictions?page_size=1").await;
    loop {
        seen.extend(ids(&page));
        if page.json()["next"].is_null() {
            break;
        }
        page = follow(&app, &page.json()["next"]).await;
    }
    assert_eq!(seen, numbers((0..5).rev()));
}

#[tokio::test]
async fn a_list_that_fits_on_a_page_has_no_links_and_a_page_has_100_jobs_unless_asked() {
    let app = with_jobs(101);
    let all = app.get(ALICE, "/v1/predictions").await;
    assert_eq!(ids(&all), numbers((1..101).rev()));
    assert!(all.json()["next"].is_string());
    let app = with_jobs(100);
    let all = app.get(ALICE, "/v1/predictions").await.json();
    assert_eq!(
        (&all["next"], &all["previous"]),
        (&Value::Null, &Value::Null)
    );
    let none = TestApp::new();
    assert_eq!(
        none.get(ALICE, "/v1/predictions").await.json(),
        json!({ "next": null, "previous": null, "results": [] })
    );
}

#[tokio::test]
async fn a_list_can_be_cut_by_time_and_its_links_keep_the_cut() {
    let app = with_jobs(6);
    let at = |n: u64| format!("2026-05-01T12:00:0{n}Z");
    let path = format!(
        "/v1/predictions?created_after={}&created_before={}&page_size=2",
        at(1),
        at(4)
    );
    let first = app.get(ALICE, path).await;
    assert_eq!(ids(&first), numbers([4, 3].into_iter()));
    let second = follow(&app, &first.json()["next"]).await;
    assert_eq!(ids(&second), numbers([2, 1].into_iter()));
    assert_eq!(second.json()["next"], Value::Null);
    let empty = app
        .get(
            ALICE,
            format!(
                "/v1/predictions?created_after={}&created_before={}",
                at(4),
                at(1)
            ),
        )
        .await;
    assert_eq!(ids(&empty), Vec::<String>::new());
    // An offset from Greenwich, its plus sign escaped and not.
    for plus in ["%2B", "+"] {
        let path = format!("/v1/predictions?created_after=2026-05-01T14:00:05{plus}02:00");
        assert_eq!(ids(&app.get(ALICE, path).await), [id(5)]);
    }
}

#[tokio::test]
async fn somebody_elses_cursor_shows_only_ones_own_jobs() {
    let app = with_jobs(3);
    let first = app.get(ALICE, "/v1/predictions?page_size=1").await.json();
    let path = first["next"].as_str().unwrap().strip_prefix(API).unwrap();
    let bobs = app.get(BOB, path).await;
    assert_eq!(ids(&bobs), ["bobs-own-finished-job"]);
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_left_out() {
    let app = with_jobs(2);
    app.jobs
        .plant_garbage(&key("alice", "garbage-in-a-row"), CREATED_AT);
    let newer: Job = a_job().account("alice").id("a-newer-builds").build();
    app.jobs.plant_newer(&newer);
    assert_eq!(
        ids(&app.get(ALICE, "/v1/predictions").await),
        numbers([1, 0].into_iter())
    );
}

#[tokio::test]
async fn a_list_shows_each_job_as_reading_it_does() {
    let app = TestApp::new();
    app.create(ALICE, &long()).send().await.expect(201);
    app.plant_alices("my-own-job-1", Phase::Running);
    let list = app.get(ALICE, "/v1/predictions").await.expect(200).json();
    for shown in list["results"].as_array().unwrap() {
        let path = format!("/v1/predictions/{}", shown["id"].as_str().unwrap());
        assert_eq!(app.get(ALICE, path).await.json(), *shown);
    }
    on(&app.faults.images);
    app.get(ALICE, "/v1/predictions").await.expect(503);
}

#[tokio::test]
async fn a_list_costs_one_call_of_the_table() {
    let app = with_jobs(3);
    let before = app.store_calls();
    app.get(ALICE, "/v1/predictions").await.expect(200);
    assert_eq!(app.store_calls(), before + 1);
}
