//! The budget of a job: requests to the table and the units that it says they took, indexes included. What
//! is counted for `warm` stands apart: a job's own budget is the same whether that is on or off.

use crate::app::{Caller, TestApp, now, options, small, until};
use crate::rows::Table;
use ryla_aws::Operation;
use ryla_domain::state::Phase;
use ryla_domain::time::UnixMs;
use ryla_testing::sample::a_job;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the table did: requests and units by operation; the bucket, the queue and what `warm` itself does
/// each minute are left out.
type Used = BTreeMap<Operation, (u64, f64)>;

fn used(app: &TestApp) -> Used {
    let beside = [
        Operation::GetObject,
        Operation::PutObject,
        Operation::DeleteObjects,
        Operation::Send,
        Operation::ReadTicks,
        Operation::ReadStates,
        Operation::WriteState,
    ];
    let on_the_table = Operation::ALL
        .into_iter()
        .filter(|operation| !beside.contains(operation));
    on_the_table
        .map(|operation| {
            let usage = app.capacity().of(operation);
            (
                operation,
                (usage.requests, usage.read_units + usage.write_units),
            )
        })
        .filter(|(_, (requests, _))| *requests > 0)
        .collect()
}

/// Requests for the job itself.
fn requests(used: &Used) -> u64 {
    let own = used.iter().filter(|(of, _)| **of != Operation::AddTick);
    own.map(|(_, (requests, _))| requests).sum()
}

/// Write units for the job itself.
fn write_units(used: &Used) -> f64 {
    used.iter()
        .filter(|(operation, _)| operation.writes() && **operation != Operation::AddTick)
        .map(|(_, (_, units))| units)
        .sum()
}

/// A stack whose sweep has looked once, at the start, and does not come again.
async fn quiet() -> TestApp {
    quiet_with(true).await
}

/// The same, with `warm` on or off.
async fn quiet_with(warm: bool) -> TestApp {
    let budget = if warm { "5" } else { "0" };
    let options = options()
        .with("SWEEP_PERIOD_S", "3600")
        .with("WARM_IDLE_USD_PER_DAY", budget);
    let app = TestApp::start(options).await;
    until(
        "the sweep of the start is over",
        Duration::from_secs(10),
        async || match app.capacity().of(Operation::Due).requests {
            16 => Ok(()),
            shards => Err(format!("{shards} shards")),
        },
    )
    .await;
    // The look-up of a key is cached; alice's is made here.
    app.alice().get("/v1/account").await.expect(200);
    app
}

/// What one job uses from the request until its end, which nobody asks for meanwhile.
async fn life(app: &TestApp, prompt: &str) -> (Value, Used) {
    app.capacity().reset();
    let created = app.alice().create(&small(prompt)).await;
    let used = until("the end is written", Duration::from_secs(20), async || {
        let used = used(app);
        // A write is counted when it is sent, its units when it is done.
        let done = |of, units| used.get(&of).is_some_and(|(_, took)| *took >= units);
        let counted = app.settings().warm.is_none() || done(Operation::AddTick, 2.0);
        if done(Operation::Replace, 1.0) && counted {
            Ok(used)
        } else {
            Err(format!("{used:?}"))
        }
    })
    .await;
    let ended = app.alice().ended(created["id"].as_str().unwrap()).await;
    assert_eq!(ended["status"], "succeeded");
    (created, used)
}

/// Letters, so that each is one byte of the row.
fn prompt_of(characters: usize) -> String {
    "a lighthouse at dusk, "
        .chars()
        .cycle()
        .take(characters)
        .collect()
}

fn happy_path(create: f64, claim: f64, start: f64, read: f64, end: f64) -> Used {
    Used::from([
        (Operation::Create, (1, create)),
        (Operation::Claim, (1, claim)),
        (Operation::Start, (1, start)),
        (Operation::Read, (1, read)),
        (Operation::Replace, (1, end)),
        // For `warm`: the start of a batch, and the end.
        (Operation::AddTick, (2, 2.0)),
    ])
}

/// Ended jobs of alice's, made in the past, of which nothing is to be done.
fn ended_jobs(from: usize, to: usize) -> impl Iterator<Item = ryla_domain::job::Job> {
    let newest = now().0 - 60_000;
    (from..to).map(move |n| {
        let created_at = UnixMs(newest - i64::try_from(n).unwrap() * 1_000);
        let job = a_job()
            .account("alice")
            .id(&format!("ended-{n:06}"))
            .created_at(created_at);
        job.in_phase(Phase::Succeeded)
    })
}

#[tokio::test]
async fn a_job_of_two_hundred_characters_takes_five_requests_and_seven_write_units() {
    let app = quiet().await;
    let (_, used) = life(&app, &prompt_of(200)).await;
    assert_eq!(used, happy_path(3.0, 1.0, 1.0, 1.0, 2.0));
    assert_eq!((requests(&used), write_units(&used)), (5, 7.0));
    app.finish().await;
}

#[tokio::test]
async fn where_warm_is_off_nothing_is_written_for_it_and_a_job_costs_the_same() {
    let app = quiet_with(false).await;
    let (_, used) = life(&app, &prompt_of(200)).await;
    let mut expected = happy_path(3.0, 1.0, 1.0, 1.0, 2.0);
    expected.remove(&Operation::AddTick);
    assert_eq!(used, expected);
    assert_eq!((requests(&used), write_units(&used)), (5, 7.0));
    app.finish().await;
}

/// Each further KiB of the row costs one unit in each of its four writes.
#[tokio::test]
async fn longer_prompts_take_the_same_requests_and_four_units_more_for_each_kib() {
    let app = quiet().await;
    for (characters, kib, most) in [(2_000, 3, 15.0), (4_000, 5, 23.0)] {
        let (_, used) = life(&app, &prompt_of(characters)).await;
        let more = f64::from(kib - 1);
        let read = (more + 1.0) / 4.0;
        let expected = happy_path(3.0 + more, 1.0 + more, 1.0 + more, read.ceil(), 2.0 + more);
        assert_eq!(used, expected, "{characters} characters");
        assert_eq!(
            (requests(&used), write_units(&used)),
            (5, most),
            "{characters} characters"
        );
    }
    app.finish().await;
}

/// Everything that a client does with one job, in figures.
async fn figures(app: &TestApp) -> Vec<(&'static str, Used)> {
    let alice = app.alice();
    let mut figures = Vec::new();
    // Keys are remembered for a minute, and what went before may have taken longer.
    alice.get("/v1/account").await.expect(200);
    let (created, used_by_life) = life(app, &prompt_of(200)).await;
    figures.push(("a job", used_by_life));
    let id = created["id"].as_str().unwrap();
    for (what, path) in [
        ("a status", format!("/v1/predictions/{id}")),
        ("a page of ten", "/v1/predictions?page_size=10".to_owned()),
    ] {
        app.capacity().reset();
        let reply = alice.get(&path).await.expect(200);
        figures.push((what, used(app)));
        if what != "a status" {
            assert_eq!(reply["results"].as_array().unwrap().len(), 10, "{what}");
            assert_eq!(
                reply["results"][0]["id"],
                json!(id),
                "the newest comes first"
            );
        }
    }
    figures
}

#[tokio::test]
async fn ten_thousand_ended_jobs_change_none_of_the_figures() {
    let app = quiet().await;
    let table = Table::new(app.aws(), &app.settings().table);
    table.put_all(ended_jobs(0, 10)).await;
    let with_ten = figures(&app).await;
    assert_eq!(with_ten[0].1, happy_path(3.0, 1.0, 1.0, 1.0, 2.0));
    assert_eq!(
        with_ten[1].1,
        Used::from([(Operation::Read, (1, 0.5))]),
        "a status is one read"
    );
    let page = &with_ten[2].1;
    let operations: Vec<_> = page
        .iter()
        .map(|(operation, (requests, _))| (*operation, *requests))
        .collect();
    assert_eq!(
        operations,
        [(Operation::ListQuery, 1), (Operation::ListRead, 1)]
    );

    table.put_all(ended_jobs(10, 10_000)).await;
    assert_eq!(figures(&app).await, with_ten);
    // A long page is one query and one batch read as well.
    app.capacity().reset();
    let long = app
        .alice()
        .get("/v1/predictions?page_size=100")
        .await
        .expect(200);
    assert_eq!(long["results"].as_array().unwrap().len(), 100);
    let operations: Vec<_> = used(&app)
        .into_iter()
        .map(|(operation, (n, _))| (operation, n))
        .collect();
    assert_eq!(
        operations,
        [(Operation::ListQuery, 1), (Operation::ListRead, 1)]
    );
    // The sweep does not see them: its index holds open jobs only.
    assert_eq!(app.due_entries().await.unwrap(), 0);
    app.finish().await;
}

async fn keyed(alice: Caller<'_>, key: &str, prompt: &str) -> crate::app::Reply {
    alice
        .send(
            alice
                .creation(&small(prompt))
                .header("idempotency-key", key),
        )
        .await
}

#[tokio::test]
async fn a_replay_is_one_request_that_writes_nothing() {
    let app = quiet().await;
    let first = keyed(app.alice(), "one", "a windmill").await.expect(201);
    let id = first["id"].as_str().unwrap();
    app.alice().ended(id).await;
    app.capacity().reset();
    let again = keyed(app.alice(), "one", "a windmill").await;
    assert_eq!(again.expect(201)["id"], first["id"]);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(requests(&used(&app)), 1, "{:?}", used(&app));
    assert_eq!(app.capacity().of(Operation::Create).requests, 1);
    assert_eq!(
        app.capacity().of(Operation::Send).requests,
        0,
        "no second message"
    );
    assert_eq!(app.gpu().gpu_runs(), 1);
    // Another request under the same key is told so, and changes nothing.
    keyed(app.alice(), "one", "a castle").await.expect(422);
    // Another account's key of that name is another key.
    let others = keyed(app.bob(), "one", "a windmill").await.expect(201);
    assert_ne!(others["id"], first["id"]);
    app.finish().await;
}
