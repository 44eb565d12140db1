//! The line of due jobs: long, slow, or full of what nobody can read.

use super::{NOTHING, code_of};
use crate::stage::{Stage, at};
use async_trait::async_trait;
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, JobKey, Run, TraceId};
use ryla_domain::job::{DeadlineBy, Due, Job};
use ryla_domain::overdue::Answer;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_engine::port::{
    Backend, Backends, Cancelled, Capabilities, Clock, JobStore, RunRequest, Shard, StartOutcome,
};
use ryla_engine::sweep::{Scope, Tally};
use ryla_testing::ManualClock;
use ryla_testing::backend::FakeBackend;
use ryla_testing::contract::jobs::Plant;
use ryla_testing::sample::{a_job, key};
use std::collections::HashSet;
use std::sync::Arc;

/// A key in each shard.
fn a_key_in_each_shard(word: &str) -> Vec<JobKey> {
    let keys = || (0..).map(|n| key("acme", &format!("{word}-{n:04}")));
    Shard::all()
        .map(|shard| keys().find(|key| Shard::of(key) == shard).unwrap())
        .collect()
}

#[tokio::test]
async fn rows_that_nobody_can_read_hold_up_nobody() {
    let stage = Stage::new();
    let (mut waiting, mut newer) = (Vec::new(), Vec::new());
    for garbage in a_key_in_each_shard("garbage") {
        stage.jobs.plant_garbage(&garbage, at(0));
    }
    for key in a_key_in_each_shard("newer") {
        let job = a_job().with(|job| job.key = key).due_at(at(1)).build();
        stage.jobs.plant_newer(&job);
        newer.push(job);
    }
    for shard in Shard::all() {
        let raw_key = format!("WHAT#{}", shard.number());
        stage.jobs.nameless(shard, &raw_key, at(2)).await;
    }
    for key in a_key_in_each_shard("waiting") {
        let job = a_job().with(|job| job.key = key).build();
        waiting.push(stage.store(job).await);
    }
    let raw = |job: &Job| stage.jobs.raw(&job.key);
    let tally = stage.sweep_at(&stage.only_preview(), 120).await;
    assert_eq!((tally.dead, tally.resent, tally.failed), (32, 16, 0));
    assert_eq!(
        stage.jobs.dead().len(),
        32,
        "out of the line, into the alarm"
    );

    for minute in 3..=15 {
        stage.sweep_at(&stage.only_preview(), minute * 60).await;
    }
    for job in &waiting {
        let row = stage.row(&job.key).await;
        assert_eq!(code_of(&row), Some(Code::Timeout), "the others end in time");
    }
    let untouched = newer.iter().all(|job| {
        let raw = raw(job).unwrap();
        raw["row"].contains("Newer")
    });
    assert!(untouched, "a newer build's rows are left to it");

    // A newer build takes over, and ends them.
    for job in &newer {
        let now = stage.clock.now();
        let due = Some(Due { at: now, tries: 9 });
        stage.jobs.upgrade(&Job { due, ..job.clone() });
    }
    stage.sweep_at(&stage.only_preview(), 16 * 60).await;
    for job in &newer {
        assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
    }
}

#[tokio::test]
async fn a_row_with_a_value_of_a_newer_build_is_neither_buried_nor_failed() {
    let stage = Stage::new();
    let job = stage.store(a_job().build()).await;
    stage.jobs.plant_newer_value(&job, "hold");
    for minute in 2..=60 {
        let tally = stage.sweep_at(&stage.only_preview(), minute * 60).await;
        assert_eq!((tally.dead, tally.failed, tally.moved), (0, 0, 0));
    }
    assert_eq!(stage.jobs.dead(), [""; 0]);
    let due = Some(Due {
        at: stage.clock.now(),
        tries: 0,
    });
    stage.jobs.upgrade(&Job { due, ..job.clone() });
    stage.sweep_at(&stage.only_preview(), 61 * 60).await;
    assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
}

#[tokio::test]
async fn looks_at_a_newer_row_are_spaced_but_do_not_count_against_the_job() {
    let stage = Stage::new();
    let job = a_job().deadline(at(80_000), DeadlineBy::System).build();
    stage.jobs.plant_newer(&job);
    let mut looks = 0;
    for minute in 2..300 {
        looks += stage
            .sweep_at(&stage.only_preview(), minute * 60)
            .await
            .leased;
    }
    assert!((15..30).contains(&looks), "{looks} looks in five hours");
    let page = stage
        .jobs
        .due(Shard::of(&job.key), at(80_000), None)
        .await
        .unwrap();
    assert!(page.entries[0].tries <= 10, "{:?}", page.entries);
    let tries = page.entries[0].tries;
    let due = Some(Due {
        at: at(18_000),
        tries,
    });
    stage.jobs.upgrade(&Job { due, ..job.clone() });
    let tally = stage.sweep_at(&stage.only_preview(), 18_000).await;
    assert_eq!(tally.resent, 1, "the newer build goes on with it");
}

#[tokio::test]
async fn a_newer_row_past_its_deadline_is_looked_at_every_fifteen_minutes_by_one_of_two_sweeps() {
    let value = |stage: &Stage, job: &Job| stage.jobs.plant_newer_value(job, "hold");
    let row = |stage: &Stage, job: &Job| stage.jobs.plant_newer(job);
    for plant in [&row as &dyn Fn(&Stage, &Job), &value] {
        let stage = Stage::new();
        let job = a_job().build();
        if stage.jobs.create(&job, at(0)).await.is_ok() {
            plant(&stage, &job);
        }
        let mut looks = Vec::new();
        // The deadline is after 15 minutes.
        for minute in 20..=80 {
            let first = stage.sweep_at(&stage.only_preview(), minute * 60).await;
            let second = stage.sweep_at(&stage.only_preview(), minute * 60 + 1).await;
            if first.leased + second.leased > 0 {
                looks.push((minute, first.leased + second.leased));
            }
        }
        assert_eq!(looks, [(20, 1), (35, 1), (50, 1), (65, 1), (80, 1)]);
        let due = Some(Due {
            at: stage.clock.now(),
            tries: 0,
        });
        stage.jobs.upgrade(&Job { due, ..job.clone() });
        stage.sweep_at(&stage.only_preview(), 81 * 60).await;
        assert_eq!(code_of(&stage.row(&job.key).await), Some(Code::Timeout));
    }
}

#[tokio::test]
async fn a_sweep_sends_a_thousand_messages_and_no_more() {
    let stage = Stage::new();
    for n in 0..1_050 {
        stage
            .store(a_job().id(&format!("job-{n:05}")).build())
            .await;
    }
    let tally = stage.sweep_at(&stage.only_preview(), 120).await;
    assert_eq!((tally.leased, tally.resent), (1_050, 1_000));
    let has_one = |stage: &Stage| {
        let sent = stage.queue.sent().into_iter().map(|message| message.body);
        sent.collect::<HashSet<String>>().len()
    };
    assert_eq!(has_one(&stage), 1_000);
    for minute in 3..=4 {
        stage.sweep_at(&stage.only_preview(), minute * 60).await;
    }
    assert_eq!(
        has_one(&stage),
        1_050,
        "the rest has its turn while the others wait longer"
    );
}

/// A backend that takes six seconds to say that it cannot tell.
struct Slow {
    id: BackendId,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Backend for Slow {
    fn id(&self) -> &BackendId {
        &self.id
    }

    fn capabilities(&self) -> Capabilities {
        FakeBackend::BY_NAME
    }

    async fn start(&self, _: &RunRequest) -> StartOutcome {
        StartOutcome::Unknown
    }

    async fn check(&self, _: &Run, _: &TraceId) -> Answer {
        self.clock.advance(Ms::seconds(6));
        Answer::Unreachable
    }

    async fn cancel(&self, _: &Run, _: &TraceId) -> Cancelled {
        Cancelled::Unreachable
    }
}

#[tokio::test]
async fn a_sweep_leaves_the_rest_to_the_next_one_when_its_time_is_over() {
    let stage = Stage::new();
    for key in many_keys_of_one_shard(20) {
        let job = a_job().with(|job| job.key = key);
        stage.store(job.in_phase(Phase::Dispatching)).await;
    }
    let slow = Slow {
        id: "preview".parse().unwrap(),
        clock: Arc::clone(&stage.clock),
    };
    let backends = Backends::new(vec![Arc::new(slow) as Arc<dyn Backend>]);
    let looked_at = || {
        let jobs = stage.jobs.jobs();
        jobs.iter().filter(|job| job.due.unwrap().tries > 0).count()
    };
    // Eight are looked at side by side; with six seconds each, 40 s are over after them.
    for (second, wanted) in [(120, 8), (170, 16)] {
        stage.sweep_at(&backends, second).await;
        assert_eq!(looked_at(), wanted, "whoever waits longest comes first");
    }
}

/// That many keys that stand in the same line.
fn many_keys_of_one_shard(many: usize) -> Vec<JobKey> {
    let shard = Shard::all().next().unwrap();
    let keys = (0..).map(|n| key("acme", &format!("job-{n:06}")));
    keys.filter(|key| Shard::of(key) == shard)
        .take(many)
        .collect()
}

#[tokio::test]
async fn at_the_start_every_open_job_is_looked_at_once_however_many_there_are() {
    let stage = Stage::new();
    // More than a page in one shard.
    let keys = many_keys_of_one_shard(250);
    for key in &keys {
        let job = a_job().with(|job| job.key = key.clone());
        stage.store(job.build()).await;
    }
    // All are overdue: what is leased stands behind what has not been looked at yet.
    stage.clock.set(at(500));
    let sweep = stage.sweeper(&stage.only_preview());
    let tally = sweep.run(Scope::Everything).await;
    let wanted = Tally {
        leased: 250,
        resent: 250,
        ..NOTHING
    };
    assert_eq!(tally, wanted);
    assert!(
        stage
            .jobs
            .jobs()
            .iter()
            .all(|job| job.due.unwrap().tries == 1)
    );
    assert_eq!(
        sweep.run(Scope::Due).await,
        NOTHING,
        "what is due is another matter"
    );
}
