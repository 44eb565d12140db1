//! Sweep: whatever was lost, every job that is due moves on or ends; what nobody can read holds up
//! nobody.

mod limits;
mod line;
mod lost;

use crate::stage::{Stage, at};
use ryla_domain::failure::Code;
use ryla_domain::job::Job;
use ryla_domain::state::{Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::sweep::Tally;
use ryla_testing::backend::Course;
use ryla_testing::sample::a_job;
use std::sync::Arc;

const NOTHING: Tally = Tally {
    leased: 0,
    resent: 0,
    moved: 0,
    dead: 0,
    failed: 0,
};

/// A job whose run `preview` has taken, one second after its acceptance.
async fn taken(stage: &Stage, course: Course) -> Job {
    let job = stage.store(a_job().build()).await;
    stage.preview.next_course(course);
    stage.clock.set(at(1));
    let settings = Arc::new(stage.settings.clone());
    let dispatch = stage.ports().dispatch(&settings, &stage.only_preview());
    let claim = crate::stage::claim("first");
    dispatch.handle(&crate::stage::start_of(&job), &claim).await;
    stage.row(&job.key).await
}

/// The same job after its worker's first word.
async fn running(stage: &Stage, course: Course) -> Job {
    let job = taken(stage, course).await;
    stage.clock.set(at(4));
    let complete = stage.ports().complete(&stage.settings);
    for callback in stage.preview.work().await {
        complete.run(&callback).await.unwrap();
    }
    let job = stage.row(&job.key).await;
    assert_eq!(job.state.phase(), Phase::Running);
    job
}

const NEVER_BOOTS: Course = Course {
    boot: Ms::seconds(100_000),
    ..Course::USUAL
};

const NEVER_ENDS: Course = Course {
    run: Ms::seconds(100_000),
    ..Course::USUAL
};

fn code_of(job: &Job) -> Option<Code> {
    match &job.state {
        State::Failed { code, .. } => Some(*code),
        _ => None,
    }
}
