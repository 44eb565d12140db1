//! The API over memory with alice's jobs, one in each phase, and one of bob's: what the requests and
//! callbacks of a fuzzer meet. Made anew for each input, so that no input depends on the one before.

use bytes::Bytes;
use http::{Request, Response};
use ryla_api::{Api, ApiParts, Serve};
use ryla_backends::modal::callbacks::ModalCallbacks;
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_engine::port::{Account, AccountStore as _, Clock, JobStore as _, KeyHash};
use ryla_engine::settings::Settings;
use ryla_engine::wait::Expected;
use ryla_engine::wiring::Ports;
use ryla_testing::backend::a_jpeg;
use ryla_testing::sample::{CREATED_AT, a_job, key};
use ryla_testing::{
    ManualClock, MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore,
    MemoryQueue, SeededEntropy,
};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

/// Alice's API key, which requests carry unless they name one. Bob has none.
pub(crate) const KEY: &str = "alice-key";

/// Far more yields than a held request has: it reads at most 14 times.
const MOST_POLLS: u32 = 1_000;

static SETTINGS: LazyLock<Arc<Settings>> = LazyLock::new(|| {
    let vars = [
        (
            "MASTER_SECRETS",
            "k1:a-master-secret-of-32-characters-and-more",
        ),
        ("PUBLIC_URL", "https://api.example.com"),
        ("MODAL_JOBS_URL", "https://gpu.example.com"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match Settings::from_vars(vars) {
        Ok(settings) => Arc::new(settings),
        Err(bad) => unreachable!("these settings are fine: {bad}"),
    }
});

/// Everything that a request can meet.
pub(crate) struct World {
    pub(crate) jobs: Arc<MemoryJobStore>,
    pub(crate) images: Arc<MemoryImageStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ports: Ports,
    pub(crate) settings: Arc<Settings>,
    api: Api,
    bobs: BTreeMap<String, String>,
}

/// The answer to a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        for phase in Phase::ALL {
            let job = a_job()
                .account("alice")
                .id(&format!("job-{}", phase.name()));
            let job = job.with(|job| job.backend = modal()).in_phase(phase);
            world.plant(&job);
            let picture = a_jpeg(phase.name());
            world
                .images
                .place(&job.output_key(0), "image/jpeg", picture);
        }
        world
    }

    /// Without any job of alice's.
    pub(crate) fn empty() -> Self {
        let clock = Arc::new(ManualClock::at(CREATED_AT));
        let shared = || Arc::clone(&clock) as Arc<dyn Clock>;
        let jobs = Arc::new(MemoryJobStore::default());
        let images = Arc::new(MemoryImageStore::new(shared()));
        let accounts = MemoryAccountStore::default();
        let alice = Account {
            id: key("alice", "job-of-alice").account,
        };
        done(accounts.add_key(&KeyHash::of(KEY), &alice)).ok();
        let ports = Ports {
            jobs: Arc::clone(&jobs) as Arc<_>,
            accounts: Arc::new(accounts),
            endpoints: Arc::new(MemoryEndpointStore::default()),
            images: Arc::clone(&images) as Arc<_>,
            queue: Arc::new(MemoryQueue::new(shared())),
            clock: shared(),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let api = Api::new(ApiParts {
            serve: Serve::Everything,
            ports: ports.clone(),
            settings: Arc::clone(&SETTINGS),
            // Short, so that requests which ask for it are held.
            expected: Expected {
                run: Some(ryla_domain::time::Ms(10)),
                cold_start: Some(ryla_domain::time::Ms(0)),
            },
            callbacks: Some(Arc::new(ModalCallbacks)),
            max_output_bytes: 4_500_000,
        });
        let mut world = Self {
            jobs,
            images,
            clock,
            ports,
            settings: Arc::clone(&SETTINGS),
            api,
            bobs: BTreeMap::new(),
        };
        let of_bob = a_job().account("bob").id(bobs().id.as_str());
        world.plant(
            &of_bob
                .with(|job| job.backend = modal())
                .in_phase(Phase::Running),
        );
        world.bobs = world.jobs.raw(&bobs()).unwrap_or_default();
        world
    }

    pub(crate) fn plant(&self, job: &Job) {
        let created = done(self.jobs.create(job, CREATED_AT));
        assert!(created.is_ok(), "{:?} is planted", job.key);
    }

    pub(crate) fn send(&self, request: Request<Bytes>) -> Answer {
        let response: Response<_> = done(self.api.handle(request));
        let (head, body) = response.into_parts();
        Answer {
            status: head.status.as_u16(),
            head,
            body: body.into_bytes(),
        }
    }

    /// Nobody without bob's key may change what is his.
    pub(crate) fn assert_bobs_job_is_as_it_was(&self) {
        let now = self.jobs.raw(&bobs()).unwrap_or_default();
        assert!(now == self.bobs, "bob's job was changed");
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

/// What a future over memory is ready with: a sleeper there moves the clock and yields, and nothing waits.
pub(crate) fn done<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    unreachable!("this waits for something that does not come")
}

fn bobs() -> JobKey {
    key("bob", "job-running")
}

pub(crate) fn modal() -> ryla_domain::id::BackendId {
    SETTINGS.modal.as_ref().map_or_else(
        || unreachable!("modal is configured"),
        |modal| modal.id.clone(),
    )
}
