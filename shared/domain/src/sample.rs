//! Sample jobs of this crate's own tests; other crates take theirs from ryla-testing.

use crate::failure::Code;
use crate::id::{Attempt, BackendId, JobKey, OutputToken, TraceId};
use crate::job::{
    AttemptEnd, Beat, Claim, Deadline, DeadlineBy, Due, Job, RequestHash, Start, StoredInput,
};
use crate::output::{Format, Output, Retention};
use crate::report::{Report, Timings};
use crate::state::{Accepted, CancelReason, Phase, State};
use crate::time::{Ms, UnixMs};

/// When sample jobs are accepted.
pub(crate) const T0: UnixMs = UnixMs(1_777_636_800_000);
pub(crate) const LEASE: Ms = Ms::seconds(45);
pub(crate) const MAX_ATTEMPTS: u8 = 3;

/// That many seconds after acceptance.
pub(crate) fn at(seconds: u64) -> UnixMs {
    T0 + Ms::seconds(seconds)
}

pub(crate) fn backend(name: &str) -> BackendId {
    name.parse().unwrap()
}

/// Accepted at [`T0`] for backend `modal`, with 15 minutes to live.
pub(crate) fn accepted() -> Job {
    Job {
        key: JobKey {
            account: "acme".parse().unwrap(),
            id: "my-own-id".parse().unwrap(),
        },
        rev: 1,
        created_at: T0,
        deadline: Deadline {
            at: at(900),
            by: DeadlineBy::System,
        },
        expires_at: at(86_400),
        model: "flux-dev".to_owned(),
        input: StoredInput::InBucket,
        request_hash: RequestHash([7; 32]),
        backend: backend("modal"),
        trace: TraceId::generated(&[1; 16]),
        token: OutputToken::generated(&[2; 20]),
        retention: Retention::Month,
        format: Format::Jpg,
        state: State::Accepted(Accepted {
            attempt: Attempt::FIRST,
            hold: None,
        }),
        due: Some(Due {
            at: at(120),
            tries: 0,
        }),
        data_removed: false,
        retry_of: None,
    }
}

pub(crate) fn claim_at(now: UnixMs) -> Claim {
    Claim {
        claim: "invocation".parse().unwrap(),
        at: now,
        lease_until: now + LEASE,
    }
}

/// The current worker's word at that time, as callback number 1.
pub(crate) fn start_at(job: &Job, now: UnixMs) -> Start {
    Start {
        origin: job.origin(),
        call: None,
        seq: 1,
        at: now,
    }
}

pub(crate) fn beat_at(job: &Job, seq: u64, now: UnixMs) -> Beat {
    Beat {
        origin: job.origin(),
        seq,
        progress: Some(40),
        at: now,
    }
}

/// A GPU error after which the next attempt may run on `pod`.
pub(crate) fn gpu_error(now: UnixMs) -> AttemptEnd {
    AttemptEnd {
        code: Code::GpuError,
        report: report(),
        next: Some(backend("pod")),
        max_attempts: MAX_ATTEMPTS,
        at: now,
    }
}

pub(crate) fn picture() -> Output {
    Output {
        slot: 0,
        bytes: 9,
        width: 64,
        height: 64,
    }
}

/// Ten seconds on an L40S.
pub(crate) fn report() -> Report {
    let run = Timings {
        run: 10_000,
        ..Timings::default()
    };
    Report::new(Some(run), Some("L40S"))
}

/// Claimed after 1 s, begun after 3 s, cancelled after 5 s or ended after 20 s.
pub(crate) fn in_phase(phase: Phase) -> Job {
    let dispatching = || accepted().claim(claim_at(at(1))).unwrap();
    let running = || {
        let job = dispatching();
        let start = start_at(&job, at(3));
        job.start(start).unwrap()
    };
    match phase {
        Phase::Accepted => accepted(),
        Phase::Dispatching => dispatching(),
        Phase::Running => running(),
        Phase::Canceling => running().cancel(CancelReason::User, at(5), Ms::seconds(60)),
        Phase::Succeeded => {
            let job = running();
            let origin = job.origin();
            job.succeed(&origin, vec![picture()], report(), at(20))
                .unwrap()
        }
        Phase::Failed => running().fail(Code::GpuOom, report(), at(20)).unwrap(),
        Phase::Canceled => accepted().cancel(CancelReason::User, at(5), Ms::seconds(60)),
    }
}
