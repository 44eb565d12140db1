//! What every [`Backend`] does whose workers put pictures into the bucket themselves; one that hands
//! them over is not covered. What a case cannot ask for through the port (GPUs that fail, boot for
//! long, or are all taken) it asks of [`Sites`].

mod ends;
mod order;
mod stops;

use async_trait::async_trait;
use order::Order;
use ryla_domain::failure::Code;
use ryla_domain::id::{CallId, JobKey, Run};
use ryla_domain::overdue::Answer;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::Event;
use ryla_engine::port::{
    Backend, CallbackTarget, Cancelled, Glimpse, ImageStore, RunRequest, StartOutcome,
};

/// How long whatever takes its time takes. Long enough to be seen by polling on a
/// busy machine, and for a sign of life.
pub const LONG: Ms = Ms::seconds(3);

/// Width and height of the pictures that are asked for: small, since the cases are many.
pub const SIZE: (u32, u32) = (64, 48);

/// What GPUs fail with where they fail.
pub const FAILURE: Code = Code::GpuError;

/// The GPUs of a backend, as a case needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gpus {
    /// At least two are free, and quick.
    Quick,
    /// At least two are free; a run takes [`LONG`].
    Slow,
    /// Free; every run fails with [`FAILURE`].
    Failing,
    /// Free, but each boots for [`LONG`] before it begins.
    Cold,
    /// Somebody else's run has all there are, for [`LONG`].
    Taken,
}

impl Gpus {
    /// On which a run waits.
    const WITH_A_WAIT: [Self; 2] = [Self::Cold, Self::Taken];
}

/// Opens the backend under test.
#[async_trait]
pub trait Sites: Send + Sync {
    /// The backend with such GPUs, and no run of ours on it.
    async fn open(&self, gpus: Gpus) -> Box<dyn Site>;
}

/// A backend under test and what lies around it.
#[async_trait]
pub trait Site: Send + Sync {
    /// The backend.
    fn backend(&self) -> &dyn Backend;
    /// The bucket into which its workers put pictures.
    fn images(&self) -> &dyn ImageStore;
    /// The backend's time.
    fn now(&self) -> UnixMs;
    /// Lets that length of time pass for the backend.
    async fn pass(&self, length: Ms);
    /// Where workers on that run call back. Each is told to go on.
    fn callback(&self, run: &Run) -> CallbackTarget;
    /// What workers have said of the run so far, in order.
    fn said(&self, run: &Run) -> Vec<Event>;
    /// How often a worker has begun on any run of the job: what it cost.
    fn begun(&self, job: &JobKey) -> u32;
}

/// The whole contract, as far as the backend's capabilities go.
pub async fn all(sites: &dyn Sites) {
    let can = sites.open(Gpus::Quick).await.backend().capabilities();
    assert!(can.upload, "the suite is for backends whose workers upload");
    ends::a_run_that_nobody_started_is_unknown(sites).await;
    ends::a_started_run_is_known_at_once_and_ends_done(sites).await;
    ends::a_failing_run_ends_failed_with_its_code(sites).await;
    ends::a_run_past_its_deadline_does_no_work(sites).await;
    ends::a_picture_that_lies_there_already_stays(sites).await;
    if can.idempotent_start {
        ends::the_same_run_started_again_and_again_is_one_run(sites).await;
    }
    if can.cancel {
        stops::a_running_run_is_cancelled_and_stays_so(sites).await;
        stops::a_waiting_run_is_cancelled_before_it_ran(sites).await;
        stops::a_cancel_of_what_has_ended_changes_nothing(sites).await;
        stops::two_runs_do_not_see_each_other(sites).await;
    }
    if can.cancel && can.idempotent_start {
        stops::a_run_cancelled_before_it_arrives_is_refused(sites).await;
        stops::a_cancelled_run_is_not_begun_by_another_start(sites).await;
    }
}

/// Long enough for something that should not be there to show itself, where GPUs are free.
const MOMENT: Ms = Ms(700);

/// The same, where it would show itself only after [`LONG`].
const AFTER_ALL: Ms = Ms(LONG.0 + MOMENT.0);

/// How long a run may take to come where a case waits for it.
const LIMIT: Ms = Ms::seconds(30);

/// Between two looks.
const STEP: Ms = Ms(20);

/// What the cases say and see.
impl dyn Site + '_ {
    async fn start(&self, order: &Order) -> StartOutcome {
        self.backend().start(&order.request).await
    }

    /// Starts the run, which must be taken; the backend's own name for it, where it has one.
    async fn started(&self, order: &Order) -> Option<CallId> {
        match self.start(order).await {
            StartOutcome::Started { call } => call,
            other => panic!("a start of {} is taken, not {other:?}", order.run()),
        }
    }

    async fn check(&self, order: &Order) -> Answer {
        let RunRequest { run, trace, .. } = &order.request;
        self.backend().check(run, trace).await
    }

    async fn cancel(&self, order: &Order) -> Cancelled {
        let RunRequest { run, trace, .. } = &order.request;
        self.backend().cancel(run, trace).await
    }

    /// Asks until the answer fits.
    async fn until(&self, order: &Order, what: &str, fits: impl Fn(&Answer) -> bool) -> Answer {
        let mut answer = self.check(order).await;
        for _ in 0..LIMIT.0 / STEP.0 {
            if fits(&answer) {
                return answer;
            }
            self.pass(STEP).await;
            answer = self.check(order).await;
        }
        panic!("{} is {what} in time, not {answer:?}", order.run());
    }

    async fn until_running(&self, order: &Order) {
        let running = |answer: &Answer| matches!(answer, Answer::Running { .. });
        self.until(order, "running", running).await;
    }

    async fn until_done(&self, order: &Order) -> Answer {
        let done = |answer: &Answer| matches!(answer, Answer::Done(_));
        self.until(order, "done", done).await
    }

    async fn until_canceled(&self, order: &Order) {
        let canceled = |answer: &Answer| *answer == Answer::Canceled;
        self.until(order, "canceled", canceled).await;
    }

    /// Everything that workers say of a run, once they have said the last of it: what happened, in
    /// these words and no others. Nothing, where the backend does not call back.
    async fn hears(&self, order: &Order, words: &[&str]) -> Vec<Event> {
        let calls_back = self.backend().capabilities().calls_back;
        let mut said = self.said(order.run());
        for _ in 0..LIMIT.0 / STEP.0 {
            if !calls_back || said.last().is_some_and(is_last) {
                break;
            }
            self.pass(STEP).await;
            said = self.said(order.run());
        }
        let heard: Vec<&str> = said.iter().filter_map(word).collect();
        let wanted = if calls_back { words } else { &[] };
        assert_eq!(heard, wanted, "said of {}: {said:?}", order.run());
        let seqs: Vec<u64> = said.iter().filter_map(seq).collect();
        let rising = seqs.is_sorted_by(|earlier, later| earlier < later);
        assert!(rising, "numbers of callbacks rise: {said:?}");
        said
    }

    /// The picture of each slot, which must be one as it was asked for.
    async fn pictures(&self, order: &Order) -> Vec<Glimpse> {
        let mut pictures = Vec::new();
        for key in &order.keys {
            let glimpse = self.images().glimpse(key).await.unwrap();
            let glimpse = glimpse.unwrap_or_else(|| panic!("a picture lies at {key}"));
            assert_eq!(glimpse.content_type, order::FORMAT.content_type(), "{key}");
            let kind = imagesize::image_type(&glimpse.head).unwrap();
            assert_eq!(kind, imagesize::ImageType::Jpeg, "{key} by its first bytes");
            let size = imagesize::blob_size(&glimpse.head).unwrap();
            let wanted = (SIZE.0 as usize, SIZE.1 as usize);
            assert_eq!((size.width, size.height), wanted, "size of {key}");
            pictures.push(glimpse);
        }
        pictures
    }

    /// No worker has put anything.
    async fn nothing_lies(&self, order: &Order) {
        for key in &order.keys {
            let lies = self.images().glimpse(key).await.unwrap();
            assert_eq!(lies, None, "a picture of {}", order.run());
        }
    }
}

/// The word for an event that changes where a run stands.
const fn word(event: &Event) -> Option<&'static str> {
    match event {
        Event::Started { .. } => Some("started"),
        Event::Progress { .. } => None,
        Event::Succeeded { .. } => Some("succeeded"),
        Event::Failed { .. } => Some("failed"),
        Event::Cancelled { .. } => Some("cancelled"),
        Event::Expired => Some("expired"),
    }
}

const fn is_last(event: &Event) -> bool {
    !matches!(event, Event::Started { .. } | Event::Progress { .. })
}

const fn seq(event: &Event) -> Option<u64> {
    match event {
        Event::Started { seq, .. } | Event::Progress { seq, .. } => Some(*seq),
        _ => None,
    }
}
