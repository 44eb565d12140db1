//! The whole system in this process, with two accounts that speak to it over HTTP. At its end nothing may
//! be left: no open job, no due entry, no message.

mod caller;
mod until;

pub(crate) use caller::{Caller, Reply, small};
pub(crate) use until::until;

use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Clock, Consistency};
use ryla_engine::system::SystemClock;
use ryla_local::{Options, Preview, Stack};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Mutex;
use std::time::Duration;

/// How long jobs may take to end, and queues to run empty, once a test is done.
const SETTLE: Duration = Duration::from_secs(40);

/// A running stack and everything that was asked of it.
pub(crate) struct TestApp {
    stack: Option<Stack>,
    http: reqwest::Client,
    accepted: Mutex<BTreeSet<JobKey>>,
}

/// A stack whose runs take no time and whose sweep comes every second.
pub(crate) fn options() -> Options {
    Options::default().with("SWEEP_PERIOD_S", "1")
}

/// The machine's time, for rows that a test writes itself.
pub(crate) fn now() -> UnixMs {
    SystemClock.now()
}

impl TestApp {
    /// Starts the stack and gives alice and bob their keys.
    pub(crate) async fn start(options: Options) -> Self {
        let stack = Stack::start(options).await.unwrap();
        for caller in [caller::ALICE, caller::BOB] {
            stack.add_key(caller.0, caller.1).await.unwrap();
        }
        let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
        Self {
            stack: Some(stack),
            http,
            accepted: Mutex::default(),
        }
    }

    /// The first account.
    pub(crate) fn alice(&self) -> Caller<'_> {
        Caller::new(self, caller::ALICE)
    }

    /// Somebody else.
    pub(crate) fn bob(&self) -> Caller<'_> {
        Caller::new(self, caller::BOB)
    }

    /// A request without any key.
    pub(crate) async fn anonymous(&self, url: &str) -> Reply {
        Reply::of(self.http.get(url).send().await.unwrap()).await
    }

    /// The HTTP client, for requests that carry no key or a wrong one.
    pub(crate) const fn request(&self) -> &reqwest::Client {
        &self.http
    }

    /// The GPU of the stack.
    pub(crate) fn gpu(&self) -> &Preview {
        self.preview().unwrap()
    }

    /// The row of a job, as it is now.
    pub(crate) async fn row(&self, key: &JobKey) -> Job {
        let read = self
            .ports()
            .jobs
            .read(key, now(), Consistency::Strong)
            .await;
        read.unwrap().unwrap_or_else(|| panic!("{key} has a row"))
    }

    /// Every job that was accepted.
    pub(crate) fn accepted(&self) -> BTreeSet<JobKey> {
        self.accepted.lock().unwrap().clone()
    }

    /// Ends the test: every accepted job must have ended, every queue and the due index be empty.
    pub(crate) async fn finish(mut self) {
        until("every accepted job ends", SETTLE, async || {
            for key in self.accepted() {
                let phase = self.row(&key).await.state.phase();
                if !phase.is_terminal() {
                    return Err(format!("{key} is {}", phase.name()));
                }
            }
            Ok(())
        })
        .await;
        until("nothing is left", SETTLE, async || {
            let due = self.due_entries().await.unwrap();
            let (queue, dead) = (
                self.queue_depth().await.unwrap(),
                self.dead_letters().await.unwrap(),
            );
            match (due, queue.total(), dead.total()) {
                (0, 0, 0) => Ok(()),
                _ => Err(format!("{due} due, queue {queue:?}, dead letters {dead:?}")),
            }
        })
        .await;
        if let Some(stack) = self.stack.take() {
            stack.shutdown().await;
        }
    }
}

impl Deref for TestApp {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack.as_ref().unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let checked = self.stack.is_none() || std::thread::panicking();
        assert!(
            checked,
            "a test ends with `TestApp::finish`, which looks for what is left"
        );
    }
}

#[tokio::test]
#[should_panic(expected = "TestApp::finish")]
async fn a_test_that_does_not_look_for_what_is_left_fails() {
    drop(TestApp::start(options()).await);
}
