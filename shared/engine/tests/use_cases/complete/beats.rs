//! Signs of life: cheap, in order, and only from the right worker.

use super::{complete, progress, says, started, tell};
use crate::stage::{Stage, at};
use ryla_domain::id::Attempt;
use ryla_domain::state::{Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::complete::Event;
use ryla_testing::sample::a_job;

#[tokio::test]
async fn a_heartbeat_that_changes_nothing_durable_costs_one_read() {
    let stage = Stage::new();
    // The sample was last seen after 10 s, by its event number 2.
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    let calls = stage.jobs.calls();
    for (now, seq) in [(at(11), 3), (at(20) - Ms(1), 4)] {
        stage.clock.set(now);
        let reply = tell(&stage, &job, progress(seq, 70)).await.unwrap();
        assert!(reply.go_on && !reply.ignored);
    }
    assert_eq!(stage.jobs.calls(), calls + 2);
    assert_eq!(stage.row(&job.key).await, job);
}

#[tokio::test]
async fn progress_is_stored_every_ten_seconds_at_most() {
    let mut stage = Stage::new();
    for interval in [10, 25] {
        stage.settings.timers.progress_interval = Ms::seconds(interval);
        let job = a_job()
            .id(&format!("interval-{interval}"))
            .in_phase(Phase::Running);
        let job = stage.store(job).await;
        let (mut writes, calls) = (0, stage.jobs.calls());
        for second in 11..=110 {
            stage.clock.set(at(second));
            tell(&stage, &job, progress(second, 70)).await.unwrap();
            writes += 1;
        }
        let written = stage.jobs.calls() - calls - writes;
        assert_eq!(written, 100 / interval, "every {interval} s");
    }
}

#[tokio::test]
async fn an_older_beat_than_the_last_one_is_not_stored() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.clock.set(at(40));
    let calls = stage.jobs.calls();
    let reply = tell(&stage, &job, progress(2, 10)).await.unwrap();
    assert!(reply.go_on, "the worker is the right one all the same");
    assert_eq!(stage.jobs.calls(), calls + 1, "and costs one read");
    assert_eq!(stage.row(&job.key).await, job);
}

#[tokio::test]
async fn a_beat_stands_in_for_a_start_that_was_lost() {
    let stage = Stage::new();
    let job = stage.store(a_job().in_phase(Phase::Dispatching)).await;
    stage.clock.set(at(9));
    let reply = tell(&stage, &job, progress(4, 20)).await.unwrap();
    assert!(reply.go_on);
    let State::Running(s) = stage.row(&job.key).await.state else {
        panic!("it runs")
    };
    assert_eq!((s.seq, s.started_at), (4, at(9)));
    let late = tell(&stage, &job, started()).await.unwrap();
    assert!(
        late.go_on && late.ignored,
        "the start itself comes too late"
    );
}

#[tokio::test]
async fn a_worker_whose_urls_ran_out_gets_new_ones_if_it_is_the_right_one() {
    let stage = Stage::new();
    let renew = |seq| Event::Progress {
        seq,
        progress: None,
        renew: true,
    };
    let job = stage.store(a_job().in_phase(Phase::Running)).await;
    stage.clock.set(at(11));
    let reply = tell(&stage, &job, renew(3)).await.unwrap();
    let [(0, put)] = &reply.put_urls[..] else {
        panic!("one picture, one URL: {reply:?}")
    };
    assert!(put.url.expose().contains(job.output_key(0).as_str()));
    let mut stranger = says(&job, renew(4));
    stranger.run.attempt = Attempt::FIRST.next();
    let refused = complete(&stage).run(&stranger).await.unwrap();
    assert!(refused.put_urls.is_empty());

    let cancelled = a_job().id("cancelled-job").in_phase(Phase::Canceling);
    let cancelled = stage.store(cancelled).await;
    let refused = tell(&stage, &cancelled, renew(5)).await.unwrap();
    assert!(refused.put_urls.is_empty() && !refused.go_on);
}
