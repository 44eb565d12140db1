//! Callbacks of workers that know their run's key, as lines `job attempt body`, one after another. A worker
//! may end its own run; it can never change an outcome, make a job, or stop the function.

use crate::world::{World, done};
use bytes::Bytes;
use http::Request;
use ryla_backends::modal::wire;
use ryla_domain::id::{JobKey, Run};
use ryla_domain::job::Job;
use ryla_engine::port::{Clock as _, Consistency, JobStore as _};
use ryla_engine::signature::sign;
use ryla_testing::sample::CREATED_AT;
use serde_json::Value;

/// The most callbacks that one input plays.
const MOST: usize = 8;

pub(crate) fn run(data: &[u8]) {
    let world = World::new();
    let jobs = world.jobs.jobs().len();
    for line in data.split(|byte| *byte == b'\n').take(MOST) {
        let Some((run, body)) = read(line) else {
            return;
        };
        let before = row(&world, &run.key);
        call(&world, &run, body);
        let after = row(&world, &run.key);
        if let Some(before) = before.filter(|job| job.state.phase().is_terminal()) {
            assert!(after.as_ref() == Some(&before), "an outcome stands");
        }
    }
    assert_eq!(world.jobs.jobs().len(), jobs, "a callback makes no job");
    world.assert_bobs_job_is_as_it_was();
}

fn read(line: &[u8]) -> Option<(Run, &[u8])> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let job = std::str::from_utf8(parts.next()?).ok()?;
    let attempt = std::str::from_utf8(parts.next()?).ok()?;
    let run = format!("alice.{job}.{attempt}").parse().ok()?;
    Some((run, parts.next()?))
}

fn row(world: &World, key: &JobKey) -> Option<Job> {
    done(world.jobs.read(key, CREATED_AT, Consistency::Strong)).ok()?
}

fn call(world: &World, run: &Run, body: &[u8]) {
    let (_, key) = world.settings.secrets.run_key(run);
    let path = format!("/v1/callbacks/modal/alice/{}/{}", run.key.id, run.attempt);
    let request = Request::post(path)
        .header("x-ryla-signature", sign(&key, body, world.clock.now()))
        .body(Bytes::copy_from_slice(body));
    let Ok(request) = request else {
        unreachable!("a run's name stands in a path as it is")
    };
    let answer = world.send(request);
    let reply: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        200 => assert!(reply["continue"].is_boolean(), "{reply}"),
        // Not a callback; a picture that is not there yet; too long.
        400 | 409 | 413 => assert_eq!(reply["status"], answer.status),
        // A newer worker's, for a newer build.
        503 => assert!(newer(body), "only what is newer is left to others: {reply}"),
        status => unreachable!("{status}: {reply}"),
    }
}

fn newer(body: &[u8]) -> bool {
    wire::version(body).is_ok_and(|version| version > 1)
}
