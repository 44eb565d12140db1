//! Rows and messages that this build cannot read, in the way of jobs that it can.

use crate::app::{TestApp, now, options, until};
use crate::rows::Table;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::dispatch::Handled;
use ryla_engine::message::{Do, Message};
use ryla_engine::port::Shard;
use ryla_local::Options;
use ryla_testing::sample::{a_job, key};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_mins(1);

/// A key of that account in each shard.
fn one_in_each_shard(account: &str) -> Vec<JobKey> {
    let found: Vec<JobKey> = Shard::all()
        .map(|shard| {
            let mut keys = (0..10_000).map(|n| key(account, &format!("job-{n:06}")));
            keys.find(|key| Shard::of(key) == shard).unwrap()
        })
        .collect();
    assert_eq!(found.len(), 16);
    found
}

/// A job of bob's that a newer build accepted just now and that is long due.
fn of_a_newer_build(key: &JobKey) -> Job {
    let made = now();
    a_job()
        .account(key.account.as_str())
        .id(key.id.as_str())
        .created_at(made)
        .due_at(UnixMs(made.0 - 1_000))
        .build()
}

/// The row without the two attributes that a lease of its due entry moves.
fn without_the_lease(row: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut row = row.unwrap();
    row.retain(|name, _| !matches!(name.as_str(), "due_at" | "due_tries"));
    row
}

#[tokio::test]
async fn unreadable_rows_in_every_shard_hold_nobody_up_and_newer_ones_wait_for_their_build() {
    let app = TestApp::start(options()).await;
    let table = Table::new(app.aws(), &app.settings().table);
    let garbage = one_in_each_shard("carol");
    let newer = one_in_each_shard("bob");
    for key in &garbage {
        table.put_garbage(key, UnixMs(now().0 - 2_000)).await;
    }
    let mut before = Vec::new();
    for key in &newer {
        table.put_newer(&of_a_newer_build(key)).await;
        before.push(without_the_lease(table.raw(key).await));
    }

    // Jobs that only the sweep can begin, since their messages were never sent; one in each shard too.
    let begun = Instant::now();
    let lost = one_in_each_shard("alice");
    for key in &lost {
        let job = of_a_newer_build(key);
        app.ports().jobs.create(&job, now()).await.unwrap();
    }
    for key in &lost {
        let ended = app.alice().ended(key.id.as_str()).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    until("garbage is out of the line", SOON, async || {
        for key in &garbage {
            let due = table.raw(key).await.unwrap().remove("due").unwrap();
            if !due.contains("DUE#dead") {
                return Err(format!("{key}: {due}"));
            }
        }
        Ok(())
    })
    .await;
    // Every newer row has been looked at, and nothing of it was touched but its lease.
    for (key, before) in newer.iter().zip(&before) {
        let row = table.raw(key).await.unwrap();
        assert!(
            !row["due_tries"].contains("\"0\""),
            "{key} was looked at: {}",
            row["due_tries"]
        );
        assert_eq!(without_the_lease(Some(row)), *before, "{key}");
    }
    assert_eq!(app.due_entries().await.unwrap(), newer.len());
    assert_eq!(
        app.bob()
            .get(&format!("/v1/predictions/{}", newer[0].id))
            .await
            .status,
        503
    );

    // What a newer build would make of them: they end. Here the rows become this build's own.
    for key in &newer {
        table.set_number(key, "v", i64::from(ryla_domain::V)).await;
        table.set_number(key, "due_at", now().0).await;
    }
    for key in &newer {
        assert_eq!(
            app.bob().ended(key.id.as_str()).await["status"],
            "succeeded"
        );
    }
    for key in &garbage {
        table.remove(key).await;
    }
    app.finish().await;
}

/// The bodies in the queue of messages that nobody could carry out; they are gone from it afterwards.
async fn dead_bodies(app: &TestApp) -> Vec<String> {
    let sqs = app.aws().sqs();
    let url = sqs
        .get_queue_url()
        .queue_name("ryla-dispatch-dead")
        .send()
        .await
        .unwrap();
    let url = url.queue_url().unwrap();
    let receive = sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10);
    let mut bodies = Vec::new();
    for message in receive.send().await.unwrap().messages() {
        bodies.push(message.body().unwrap().to_owned());
        let delete = sqs.delete_message().queue_url(url);
        delete
            .receipt_handle(message.receipt_handle().unwrap())
            .send()
            .await
            .unwrap();
    }
    bodies.sort();
    bodies
}

#[tokio::test]
async fn messages_that_nobody_can_read_become_dead_letters_while_others_pass() {
    let app = TestApp::start(Options {
        redelivery: Ms::seconds(1),
        ..options()
    })
    .await;
    let garbage = ["not json", r#"{"v":1,"do":"dance"}"#];
    for body in garbage {
        app.ports().queue.send(body, Ms(0)).await.unwrap();
    }
    for n in 0..5 {
        let id = app.alice().small(&format!("a bird, number {n}")).await;
        assert_eq!(app.alice().ended(&id).await["status"], "succeeded");
    }
    until(
        "both are dead letters",
        Duration::from_mins(1),
        async || match app.dead_letters().await.unwrap().total() {
            2 => Ok(()),
            dead => Err(format!(
                "{dead} dead, queue {:?}",
                app.queue_depth().await.unwrap()
            )),
        },
    )
    .await;
    assert_eq!(
        dead_bodies(&app).await,
        garbage,
        "as they were sent, for a person to look at"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_message_of_a_newer_build_goes_back_into_the_queue_and_never_to_the_dead_letters() {
    let app = TestApp::start(Options {
        redelivery: Ms::seconds(1),
        ..options()
    })
    .await;
    // A job that nothing but this message may begin: the sweep looks at it in an hour.
    let job = a_job()
        .account("alice")
        .id("of-a-newer-build")
        .created_at(now())
        .due_at(UnixMs(now().0 + 3_600_000))
        .build();
    app.ports().jobs.create(&job, now()).await.unwrap();
    let mut message = Message::new(Do::Start, job.run(), job.trace.clone());
    message.v += 1;
    let body = message.body();
    app.ports().queue.send(&body, Ms(0)).await.unwrap();
    // Seen once and sent again with a delay: one message, nothing received, nothing dead.
    until("it waits for a newer build", SOON, async || {
        let depth = app.queue_depth().await.unwrap();
        match (depth.delayed, depth.total()) {
            (1, 1) => Ok(()),
            _ => Err(format!("{depth:?}")),
        }
    })
    .await;
    let next = app.alice().small("an island").await;
    assert_eq!(app.alice().ended(&next).await["status"], "succeeded");
    assert_eq!(app.dead_letters().await.unwrap().total(), 0);
    assert_eq!(app.queue_depth().await.unwrap().delayed, 1);
    assert_eq!(app.row(&job.key).await, job, "left alone");

    // The newer build comes and takes what waits. The queue hands it over only after a minute, so that
    // the copy there is thrown away.
    let url = &app.settings().queue_url;
    let purge = app.aws().sqs().purge_queue().queue_url(url);
    purge.send().await.unwrap();
    let mut newer = app.ports().dispatch(app.settings(), app.backends());
    newer.newest += 1;
    let claim = "of.a.newer.build".parse().unwrap();
    assert_eq!(newer.handle(&body, &claim).await, Handled::Done);
    let ended = app.alice().ended(job.key.id.as_str()).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    app.finish().await;
}
