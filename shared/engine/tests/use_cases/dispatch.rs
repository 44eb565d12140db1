//! Dispatch: one message, one claim, one run; what is not known is asked for before it is paid twice.

mod backends;
mod claim;
mod messages;

use crate::stage::{Stage, at, claim, start_of};
use ryla_domain::failure::Code;
use ryla_domain::job::Job;
use ryla_engine::dispatch::{Dispatch, Handled};
use ryla_engine::port::{Backends, StartOutcome};
use ryla_engine::wiring::Ports;
use ryla_testing::backend::Scripted;
use ryla_testing::sample::a_job;
use std::sync::Arc;

fn dispatch_on(stage: &Stage, ports: &Ports, backends: &Backends) -> Dispatch {
    let settings = Arc::new(stage.settings.clone());
    let mut dispatch = ports.dispatch(&settings, backends);
    dispatch.complete.route = backends.route();
    dispatch
}

pub(crate) async fn handle(stage: &Stage, backends: &Backends, body: &str) -> Handled {
    let dispatch = dispatch_on(stage, &stage.ports(), backends);
    dispatch.handle(body, &claim("this-one")).await
}

/// An accepted job of `preview`, its message handled by these backends one second after.
pub(crate) async fn started_on(stage: &Stage, backends: &Backends) -> Job {
    let job = stage.store(a_job().build()).await;
    stage.clock.set(at(1));
    assert_eq!(
        handle(stage, backends, &start_of(&job)).await,
        Handled::Done
    );
    stage.row(&job.key).await
}

/// The same job, accepted for `pod`.
async fn started_on_pod(stage: &Stage) -> Job {
    let job = a_job().with(|job| job.backend = "pod".parse().unwrap());
    let job = stage.store(job.build()).await;
    stage.clock.set(at(1));
    let handled = handle(stage, &stage.only_pod(), &start_of(&job)).await;
    assert_eq!(handled, Handled::Done);
    stage.row(&job.key).await
}

const fn unavailable() -> Scripted {
    Scripted::Answer(StartOutcome::Unavailable {
        code: Code::BackendUnreachable,
        retry_after: None,
    })
}
