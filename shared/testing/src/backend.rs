//! A GPU backend in memory. By default a small worker makes each run on the test's clock: it boots,
//! says that it has begun, beats, puts a real JPEG by its signed URL and reports. What a start answers
//! can be scripted; what the worker does is its [`Course`]. Unscripted it keeps
//! [`crate::contract::backend`].

mod picture;
#[cfg(test)]
mod tests;
mod worker;

pub use picture::{a_jpeg, text_of};

use crate::memory::{MemoryImageStore, lock};
use async_trait::async_trait;
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, GpuClass, Run, TraceId};
use ryla_domain::overdue::Answer;
use ryla_domain::report::Report;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::{Callback, Event, Reply};
use ryla_engine::port::{
    Backend, Cancelled, Capabilities, Clock, Lease, Leased, OutputSlot, RunRequest, StartOutcome,
    Warmth,
};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use worker::report_of;

/// What a worker does with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// From the start to its `started`.
    pub boot: Ms,
    /// From there to its end.
    pub run: Ms,
    /// Between two signs of life.
    pub beat: Ms,
    /// How it ends.
    pub end: End,
    /// It calls back. A mute one is only found out by asking.
    pub calls_back: bool,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a picture in the bucket.
    Picture,
    /// With a failure of that code.
    Fails(Code),
    /// Its container dies without a word, and the backend forgets it.
    Vanishes,
}

impl Course {
    /// Boots in 3 s, runs for 12, beats every 5, makes its picture.
    pub const USUAL: Self = Self {
        boot: Ms::seconds(3),
        run: Ms::seconds(12),
        beat: Ms::seconds(5),
        end: End::Picture,
        calls_back: true,
    };
}

/// What a start answers, where it is scripted.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// This, and nothing runs.
    Answer(StartOutcome),
    /// [`StartOutcome::Unknown`], but the run was accepted.
    UnknownButStarted,
    /// The picture itself, as a synchronous backend hands it over.
    Finished,
}

/// A run as the backend knows it.
#[derive(Clone, Debug)]
pub struct GpuRun {
    /// Its name.
    pub run: Run,
    /// Which start of that name made it, from 1.
    pub instance: usize,
    /// Where it stands.
    pub status: Status,
    /// When a worker began, if one has.
    pub began_at: Option<UnixMs>,
    /// When it ended, if it has.
    pub ended_at: Option<UnixMs>,
    outputs: Vec<OutputSlot>,
    deadline_at: UnixMs,
    course: Course,
    next_at: UnixMs,
    /// The number of the last event that its worker has told.
    pub seq: u64,
}

/// Where a run stands at its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for its container.
    Waiting,
    /// A worker is on it.
    Working,
    /// Its picture is in the bucket.
    Done,
    /// It failed; with [`Code::Timeout`] also where its deadline had passed before a worker began.
    Failed(Code),
    /// It was stopped.
    Canceled,
    /// It is gone without a word.
    Vanished,
}

#[derive(Debug, Default)]
struct Inner {
    runs: Vec<GpuRun>,
    /// Runs that were cancelled before they arrived.
    tombstones: HashSet<Run>,
    scripts: VecDeque<Scripted>,
    courses: VecDeque<Course>,
    calls: Vec<String>,
    requests: Vec<RunRequest>,
    said: Vec<Callback>,
    taken_until: Option<UnixMs>,
    unreachable: bool,
    leases: Vec<Lease>,
    lease_answers: VecDeque<Option<Leased>>,
    touched: Vec<GpuClass>,
    mute: bool,
}

/// A backend in memory.
pub struct FakeBackend {
    id: BackendId,
    capabilities: Capabilities,
    course: Course,
    clock: Arc<dyn Clock>,
    bucket: Arc<MemoryImageStore>,
    inner: Mutex<Inner>,
}

impl FakeBackend {
    /// What our own Modal app can do: the run is its own handle.
    pub const BY_NAME: Capabilities = Capabilities {
        calls_back: true,
        cancel: true,
        progress: true,
        upload: true,
        idempotent_start: true,
        warmth: Warmth::Lease,
    };

    /// A backend at which every start makes a run, however often it is repeated.
    pub const BY_HANDLE: Capabilities = Capabilities {
        idempotent_start: false,
        warmth: Warmth::Nothing,
        ..Self::BY_NAME
    };

    /// A backend whose workers put pictures into that bucket.
    pub fn new(
        id: BackendId,
        capabilities: Capabilities,
        course: Course,
        clock: Arc<dyn Clock>,
        bucket: Arc<MemoryImageStore>,
    ) -> Self {
        Self {
            id,
            capabilities,
            course,
            clock,
            bucket,
            inner: Mutex::default(),
        }
    }

    /// The next start answers this; several are used up in turn.
    pub fn script(&self, next: Scripted) {
        lock(&self.inner).scripts.push_back(next);
    }

    /// The next run takes this course; several are used up in turn.
    pub fn next_course(&self, course: Course) {
        lock(&self.inner).courses.push_back(course);
    }

    /// Until then no run is taken.
    pub fn unavailable_until(&self, until: UnixMs) {
        lock(&self.inner).taken_until = Some(until);
    }

    /// From now on nobody can ask or stop it, or everybody again. Its workers go on.
    pub fn set_unreachable(&self, unreachable: bool) {
        lock(&self.inner).unreachable = unreachable;
    }

    /// Everything that was asked of it, in order: `start acme.job.1`, `check ...`, `cancel ...`.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.inner).calls.clone()
    }

    /// Every start as it was asked for.
    pub fn requests(&self) -> Vec<RunRequest> {
        lock(&self.inner).requests.clone()
    }

    /// Every run that it ever accepted.
    pub fn runs(&self) -> Vec<GpuRun> {
        lock(&self.inner).runs.clone()
    }

    /// When something happens next by itself; `None` where nothing waits or works.
    pub fn next_at(&self) -> Option<UnixMs> {
        let inner = lock(&self.inner);
        if !inner.said.is_empty() {
            return Some(self.clock.now());
        }
        let open = inner.runs.iter().filter(|run| run.is_open());
        open.map(|run| run.next_at).min()
    }

    /// The worker hears what it was told: it stops unless it is to go on.
    pub fn heed(&self, run: &Run, reply: &Reply) {
        if reply.go_on {
            return;
        }
        let now = self.clock.now();
        self.stop(&mut lock(&self.inner), run, now);
    }

    /// Stops every open run of that name; workers say so. Whether one was at work.
    fn stop(&self, inner: &mut Inner, run: &Run, now: UnixMs) -> bool {
        let mut worked = false;
        for known in inner.runs.iter_mut().filter(|known| known.run == *run) {
            if known.status == Status::Working && known.course.calls_back {
                inner.said.push(Callback {
                    run: run.clone(),
                    backend: self.id.clone(),
                    event: Event::Cancelled {
                        report: report_of(known),
                    },
                });
            }
            if known.is_open() {
                worked |= known.status == Status::Working;
                known.end(Status::Canceled, now);
            }
        }
        worked
    }

    fn accept(&self, inner: &mut Inner, request: &RunRequest) {
        let course = inner.courses.pop_front().unwrap_or(self.course);
        let earlier = inner.runs.iter().filter(|run| run.run == request.run);
        let instance = earlier.count() + 1;
        inner.runs.push(GpuRun {
            run: request.run.clone(),
            instance,
            status: Status::Waiting,
            began_at: None,
            ended_at: None,
            outputs: request.outputs.clone(),
            deadline_at: request.deadline_at,
            course,
            next_at: self.clock.now() + course.boot,
            seq: 0,
        });
    }
}

impl GpuRun {
    fn is_open(&self) -> bool {
        matches!(self.status, Status::Waiting | Status::Working)
    }

    fn end(&mut self, status: Status, now: UnixMs) {
        self.status = status;
        self.ended_at = Some(now);
    }
}

impl FakeBackend {
    /// Leases asked for, in order; what became of them is not looked at.
    pub fn leases(&self) -> Vec<Lease> {
        lock(&self.inner).leases.clone()
    }

    /// Answers the next lease, after those set before; `None`: never.
    pub fn answer_lease(&self, answer: Option<Leased>) {
        lock(&self.inner).lease_answers.push_back(answer);
    }

    /// From now on nobody who asks for a sign of life hears anything.
    pub fn fall_silent(&self) {
        lock(&self.inner).mute = true;
    }

    /// Classes that were asked for a sign of life, in order.
    pub fn touched(&self) -> Vec<GpuClass> {
        lock(&self.inner).touched.clone()
    }
}

#[async_trait]
impl Backend for FakeBackend {
    fn id(&self) -> &BackendId {
        &self.id
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn start(&self, request: &RunRequest) -> StartOutcome {
        let now = self.clock.now();
        let mut inner = lock(&self.inner);
        inner.calls.push(format!("start {}", request.run));
        inner.requests.push(request.clone());
        if inner.taken_until.is_some_and(|until| now < until) {
            return StartOutcome::Unavailable {
                code: Code::BackendUnreachable,
                retry_after: None,
            };
        }
        if inner.tombstones.contains(&request.run) {
            return StartOutcome::Refused(Code::Internal);
        }
        match inner.scripts.pop_front() {
            Some(Scripted::Answer(outcome)) => return outcome,
            Some(Scripted::Finished) => {
                self.accept(&mut inner, request);
                if let Some(run) = inner.runs.last_mut() {
                    run.began_at = Some(now);
                    run.end(Status::Done, now);
                }
                return StartOutcome::Finished {
                    bytes: a_jpeg(&format!("{} {} 1", self.id, request.run)),
                    report: Report::default(),
                };
            }
            Some(Scripted::UnknownButStarted) => {
                self.accept(&mut inner, request);
                return StartOutcome::Unknown;
            }
            None => {}
        }
        let known = inner.runs.iter().any(|run| run.run == request.run);
        if !(known && self.capabilities.idempotent_start) {
            self.accept(&mut inner, request);
        }
        StartOutcome::Started { call: None }
    }

    async fn check(&self, run: &Run, _: &TraceId) -> Answer {
        let mut inner = lock(&self.inner);
        inner.calls.push(format!("check {run}"));
        if inner.unreachable {
            return Answer::Unreachable;
        }
        let known = inner.runs.iter().filter(|known| known.run == *run);
        // Where several starts made several runs, the one that came furthest speaks.
        let furthest = known.max_by_key(|known| match known.status {
            Status::Done => 3,
            Status::Working => 2,
            Status::Waiting => 1,
            _ => 0,
        });
        match furthest {
            None if inner.tombstones.contains(run) => Answer::Canceled,
            None => Answer::Unknown,
            Some(known) => match known.status {
                Status::Waiting => Answer::Pending,
                Status::Working => Answer::Running { call: None },
                Status::Done => Answer::Done(report_of(known)),
                Status::Failed(code) => Answer::Failed {
                    code,
                    report: report_of(known),
                },
                Status::Canceled => Answer::Canceled,
                Status::Vanished => Answer::Unknown,
            },
        }
    }

    async fn cancel(&self, run: &Run, _: &TraceId) -> Cancelled {
        let now = self.clock.now();
        let mut inner = lock(&self.inner);
        inner.calls.push(format!("cancel {run}"));
        if inner.unreachable {
            return Cancelled::Unreachable;
        }
        let known = inner.runs.iter().any(|known| known.run == *run);
        if !known && self.capabilities.idempotent_start {
            inner.tombstones.insert(run.clone());
        }
        let worked = self.stop(&mut inner, run, now);
        if worked {
            Cancelled::Requested
        } else {
            Cancelled::Confirmed
        }
    }

    async fn lease(&self, lease: &Lease, _: &TraceId) -> Leased {
        let answer = {
            let mut inner = lock(&self.inner);
            inner.leases.push(lease.clone());
            let usual = Some(Leased::Taken(BTreeMap::new()));
            inner.lease_answers.pop_front().unwrap_or(usual)
        };
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn touch(&self, class: &GpuClass, _: &TraceId) -> bool {
        let (unreachable, mute) = {
            let mut inner = lock(&self.inner);
            inner.touched.push(class.clone());
            (inner.unreachable, inner.mute)
        };
        if mute {
            std::future::pending::<()>().await;
        }
        !unreachable
    }
}
