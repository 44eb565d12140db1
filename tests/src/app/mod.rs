//! The whole system in this process, with two accounts that speak to it over HTTP. At its end nothing may
//! be left: no open job, no due entry, no message; every job's life stands in the log, and no secret does.

mod caller;
mod log;
mod until;

pub(crate) use caller::{Caller, Reply, small};
pub(crate) use log::Log;
pub(crate) use until::until;

use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Clock, Consistency};
use ryla_engine::system::SystemClock;
use ryla_local::{Options, Preview, Stack};
use secrecy::ExposeSecret as _;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Mutex;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};

/// How long jobs may take to end, and queues to run empty, once a test is done.
const SETTLE: Duration = Duration::from_mins(2);

/// A running stack and everything that was asked of it.
pub(crate) struct TestApp {
    stack: Option<Stack>,
    http: reqwest::Client,
    accepted: Mutex<BTreeSet<JobKey>>,
    log: Log,
}

/// Derives every key of the stacks here.
const MASTER_SECRET: &str = "canary-master-secret-0123456789abcdef0123456789";

/// A stack whose runs take no time and whose sweep comes every second.
pub(crate) fn options() -> Options {
    Options::default()
        .with("SWEEP_PERIOD_S", "1")
        .with("MASTER_SECRETS", format!("k1:{MASTER_SECRET}"))
}

/// The machine's time, for rows that a test writes itself.
pub(crate) fn now() -> UnixMs {
    SystemClock.now()
}

impl TestApp {
    /// Starts the stack and gives alice and bob their keys.
    pub(crate) async fn start(options: Options) -> Self {
        Self::start_logging("debug", options).await
    }

    /// The same, with a log of that level.
    pub(crate) async fn start_logging(level: &str, options: Options) -> Self {
        let log = Log::collect(level);
        log.never(MASTER_SECRET);
        let stack = Stack::start(options).await.unwrap();
        for caller in [caller::ALICE, caller::BOB] {
            stack.add_key(caller.0, caller.1).await.unwrap();
            log.never(caller.1);
        }
        log.never(stack.api_key());
        let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
        Self {
            stack: Some(stack),
            http,
            accepted: Mutex::default(),
            log,
        }
    }

    /// What was logged so far.
    pub(crate) const fn log(&self) -> &Log {
        &self.log
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
        self.judge_the_log().await;
        if let Some(stack) = self.stack.take() {
            stack.shutdown().await;
        }
        self.log.assert_clean();
    }
}

impl TestApp {
    /// Every accepted job is told of, and nothing by which its picture or its callbacks could be had.
    async fn judge_the_log(&self) {
        // Other threads write elsewhere.
        let all_here = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        let mut jobs = Vec::new();
        for key in self.accepted() {
            let job = self.row(&key).await;
            // Who has the URL has the picture.
            self.log.never_word(job.token.as_str());
            for attempt in 1..=self.settings().timers.max_attempts {
                let run = format!("{key}.{attempt}").parse().unwrap();
                let (_, callback_key) = self.settings().secrets.run_key(&run);
                self.log.never_word(callback_key.expose_secret());
            }
            jobs.push(job);
        }
        if all_here {
            self.log.assert_tells_of(&jobs);
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
