//! The whole API over memory, with two accounts. When it goes, it asserts what holds in every test:
//! the bystander's row is as it was, and no line of the log holds a prompt, a key or a token.

use super::faults::{
    Faults, FaultyAccounts, FaultyEndpoints, FaultyImages, FaultyJobs, FaultyQueue,
};
use super::lines::Lines;
use crate::{Api, ApiParts, Function, Serve};
use futures_util::FutureExt as _;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_engine::complete::CallbackWire;
use ryla_engine::port::{Account, AccountStore as _, Clock, JobStore as _, KeyHash};
use ryla_engine::settings::Settings;
use ryla_engine::wait::Expected;
use ryla_engine::wiring::Ports;
use ryla_testing::sample::{CREATED_AT, a_job, in_phase, key};
use ryla_testing::{
    ManualClock, MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore,
    MemoryQueue, SeededEntropy,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An account's API key.
pub(crate) const ALICE: &str = "canary-key-of-alice";
/// Another account's.
pub(super) const BOB: &str = "canary-key-of-bob";
/// The prompt of every job here.
pub(super) const PROMPT: &str = "canary: a lighthouse at dusk";
/// Where the API says that it is.
pub(super) const API: &str = "https://api.example.com";
/// Where the API says that outputs are.
pub(super) const PICTURES: &str = "https://pictures.example.com";
/// Signs callbacks.
const MASTER_SECRET: &str = "k1:canary-master-secret-of-32-characters";

/// How an app differs from the usual one.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// Settings, in place of or beside the usual ones.
    pub(super) settings: &'static [(&'static str, &'static str)],
    /// How long jobs are expected to take.
    pub(super) expected: Expected,
    /// Which routes are served.
    pub(super) serve: Serve,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            settings: &[],
            expected: Expected::default(),
            serve: Serve::Everything,
        }
    }
}

/// The API and everything below it.
pub(crate) struct TestApp {
    pub(crate) api: Api,
    pub(super) jobs: Arc<MemoryJobStore>,
    pub(super) accounts: Arc<MemoryAccountStore>,
    pub(super) endpoints: Arc<MemoryEndpointStore>,
    pub(crate) images: Arc<MemoryImageStore>,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) settings: Arc<Settings>,
    pub(super) faults: Arc<Faults>,
    pub(super) lines: Lines,
    /// The function whose routes are served, if not all are.
    pub(super) only: Option<Function>,
    bystander: BTreeMap<String, String>,
    planting_calls: u64,
}

impl TestApp {
    /// The usual one.
    pub(crate) fn new() -> Self {
        Setup::default().start()
    }

    /// The jobs that the test itself made.
    pub(super) fn stored(&self) -> Vec<Job> {
        let mut jobs = self.jobs.jobs();
        jobs.retain(|job| job.key != bystander());
        jobs
    }

    /// The one job that the test made.
    pub(super) fn only_job(&self) -> Job {
        let mut jobs = self.stored();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }

    /// How often the table of jobs was asked since the test began.
    pub(super) fn store_calls(&self) -> u64 {
        self.jobs.calls() - self.planting_calls
    }

    /// Nothing of a refused request may be anywhere.
    #[track_caller]
    pub(super) fn assert_nothing_stored(&self) {
        assert_eq!(self.stored(), [], "a row");
        assert_eq!(self.queue.sent(), [], "a message");
        assert_eq!(self.images.keys(), Vec::<String>::new(), "an object");
    }

    /// Puts a row there.
    pub(super) fn plant(&self, job: &Job) {
        let created = self.jobs.create(job, CREATED_AT).now_or_never();
        assert!(created.unwrap().is_ok());
    }

    /// Alice's sample job in that phase, of that id.
    pub(crate) fn plant_alices(&self, id: &str, phase: Phase) -> Job {
        let job = a_job().account("alice").id(id).prompt(PROMPT).with(|job| {
            job.backend = "modal".parse().unwrap();
        });
        let job = job.in_phase(phase);
        self.plant(&job);
        job
    }

    /// Moves an accepted job on to that phase by a usual life.
    pub(super) fn live(&self, key: &JobKey, phase: Phase) -> Job {
        let found = self.jobs.jobs().into_iter().find(|job| job.key == *key);
        let job = in_phase(found.unwrap(), phase);
        self.jobs.upgrade(&job);
        job
    }

    /// The row as text, to compare.
    pub(super) fn row(&self, key: &JobKey) -> BTreeMap<String, String> {
        self.jobs.raw(key).unwrap()
    }
}

/// A job of bob's that no test may touch.
fn bystander() -> JobKey {
    key("bob", "bobs-own-finished-job")
}

impl Setup {
    pub(super) fn start(self) -> TestApp {
        let vars = [
            ("MASTER_SECRETS", MASTER_SECRET),
            ("PUBLIC_URL", API),
            ("OUTPUT_BASE_URL", PICTURES),
            ("MODAL_JOBS_URL", "https://gpu.example.com"),
        ];
        let vars = vars.iter().chain(self.settings);
        let vars = vars.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Arc::new(Settings::from_vars(vars).unwrap());
        let clock = Arc::new(ManualClock::at(CREATED_AT));
        let shared = || Arc::clone(&clock) as Arc<dyn Clock>;
        let (jobs, accounts, endpoints) = (Arc::default(), Arc::default(), Arc::default());
        let images = Arc::new(MemoryImageStore::new(shared()));
        let queue = Arc::new(MemoryQueue::new(shared()));
        let faults = Arc::new(Faults::default());
        let api = Api::new(ApiParts {
            serve: self.serve,
            ports: Ports {
                jobs: Arc::new(FaultyJobs(Arc::clone(&jobs), Arc::clone(&faults))),
                accounts: Arc::new(FaultyAccounts(Arc::clone(&accounts), Arc::clone(&faults))),
                endpoints: Arc::new(FaultyEndpoints(Arc::clone(&endpoints), Arc::clone(&faults))),
                images: Arc::new(FaultyImages(Arc::clone(&images), Arc::clone(&faults))),
                queue: Arc::new(FaultyQueue(Arc::clone(&queue), Arc::clone(&faults))),
                clock: shared(),
                entropy: Arc::new(SeededEntropy::new(7)),
            },
            settings: Arc::clone(&settings),
            expected: self.expected,
            callbacks: Some(Arc::new(super::callbacks::Wire) as Arc<dyn CallbackWire>),
            max_output_bytes: 1_000,
        });
        let mut app = TestApp {
            api,
            jobs,
            accounts,
            endpoints,
            images,
            queue,
            clock,
            settings,
            faults,
            lines: Lines::collect(),
            only: match self.serve {
                Serve::Everything => None,
                Serve::Only(function) => Some(function),
            },
            bystander: BTreeMap::new(),
            planting_calls: 0,
        };
        for (api_key, account) in [(ALICE, "alice"), (BOB, "bob")] {
            let account = Account {
                id: account.parse().unwrap(),
            };
            let hash = KeyHash::of(api_key);
            let added = app.accounts.add_key(&hash, &account).now_or_never();
            assert!(added.unwrap().is_ok());
        }
        let bobs = a_job().account("bob").id(bystander().id.as_str());
        app.plant(&bobs.prompt(PROMPT).in_phase(Phase::Succeeded));
        app.bystander = app.row(&bystander());
        app.planting_calls = app.jobs.calls();
        app
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert_eq!(self.row(&bystander()), self.bystander);
        let log = self.lines.text();
        assert!(!log.contains("canary"), "{log}");
        self.lines.assert_documented();
        for job in self.jobs.jobs() {
            assert!(!log.contains(job.token.as_str()), "{log}");
        }
    }
}
