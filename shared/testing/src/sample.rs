//! Sample jobs: valid rows in any state, made by the domain's own moves.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "only tests use samples, and a wrong sample shall stop them"
)]

use ryla_domain::failure::Code;
use ryla_domain::id::{JobKey, OutputToken, TraceId};
use ryla_domain::job::{
    Beat, Claim, Deadline, DeadlineBy, Due, Job, RequestHash, Start, StoredInput,
};
use ryla_domain::output::{Format, Output, Retention};
use ryla_domain::report::{Report, Timings};
use ryla_domain::state::{Accepted, CancelReason, Phase, State};
use ryla_domain::time::{Ms, UnixMs};
use serde_json::{Value, json};

/// When sample jobs are created: 2026-05-01T12:00:00.000Z.
pub const CREATED_AT: UnixMs = UnixMs(1_777_636_800_000);

/// A sample job under construction; starts out as a fresh flux-dev job of account `acme`.
#[derive(Clone, Debug)]
pub struct JobBuilder(Job);

/// A fresh flux-dev job of account `acme`, to be changed and built.
pub fn a_job() -> JobBuilder {
    JobBuilder(Job {
        key: key("acme", "aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        rev: 1,
        created_at: CREATED_AT,
        deadline: Deadline {
            at: CREATED_AT + Ms::seconds(900),
            by: DeadlineBy::System,
        },
        expires_at: CREATED_AT + Ms::seconds(30 * 86_400),
        model: "flux-dev".to_owned(),
        input: StoredInput::Inline(flux_dev_input(
            "a lighthouse at dusk",
            9_007_199_254_740_991,
        )),
        request_hash: RequestHash([0x5a; 32]),
        backend: "preview".parse().expect("a backend"),
        trace: TraceId::generated(&[0xab; 16]),
        token: OutputToken::generated(&[0x17; 20]),
        retention: Retention::Month,
        format: Format::Jpg,
        state: State::Accepted(Accepted {
            attempt: ryla_domain::id::Attempt::FIRST,
            hold: None,
        }),
        due: Some(Due {
            at: CREATED_AT + Ms::seconds(120),
            tries: 0,
        }),
        data_removed: false,
        retry_of: None,
    })
}

impl JobBuilder {
    /// Of this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.0.key = key(account, self.0.key.id.as_str());
        self
    }

    /// With this id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.0.key = key(self.0.key.account.as_str(), id);
        self
    }

    /// Created then; deadline, expiry (in whole seconds, as rows keep it) and due time keep their
    /// distance.
    #[must_use]
    pub fn created_at(mut self, at: UnixMs) -> Self {
        let moved = |time: UnixMs| UnixMs(time.0 - self.0.created_at.0 + at.0);
        self.0.deadline.at = moved(self.0.deadline.at);
        self.0.expires_at = UnixMs::from_seconds(moved(self.0.expires_at).seconds());
        if let Some(due) = &mut self.0.due {
            due.at = UnixMs(due.at.0 - self.0.created_at.0 + at.0);
        }
        self.0.created_at = at;
        self
    }

    /// Whose row may be removed then: a whole second, as rows keep it.
    #[must_use]
    pub const fn expires_at(mut self, at: UnixMs) -> Self {
        self.0.expires_at = at;
        self
    }

    /// With this deadline.
    #[must_use]
    pub const fn deadline(mut self, at: UnixMs, by: DeadlineBy) -> Self {
        self.0.deadline = Deadline { at, by };
        self
    }

    /// Due then.
    #[must_use]
    pub const fn due_at(mut self, at: UnixMs) -> Self {
        self.0.due = Some(Due { at, tries: 0 });
        self
    }

    /// With this prompt.
    #[must_use]
    pub fn prompt(self, prompt: &str) -> Self {
        self.input(StoredInput::Inline(flux_dev_input(prompt, 7)))
    }

    /// With this input.
    #[must_use]
    pub fn input(mut self, input: StoredInput) -> Self {
        self.0.input = input;
        self
    }

    /// With any other change.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Job)) -> Self {
        change(&mut self.0);
        self
    }

    /// The job, accepted.
    pub fn build(self) -> Job {
        self.0
    }

    /// The job, moved to that phase by a usual life: claimed after 1 s, begun after 3, ended after 20.
    pub fn in_phase(self, phase: Phase) -> Job {
        in_phase(self.0, phase)
    }
}

/// A key.
pub fn key(account: &str, id: &str) -> JobKey {
    JobKey {
        account: account.parse().expect("an account"),
        id: id.parse().expect("a job id"),
    }
}

/// A resolved input of flux-dev.
pub fn flux_dev_input(prompt: &str, seed: u64) -> Value {
    json!({
        "prompt": prompt, "negative_prompt": "", "width": 1024, "height": 1024,
        "steps": 20, "cfg": 3.5, "seed": seed, "output_format": "jpg",
    })
}

/// A claim at that time by the invocation `claim`, with a lease of 45 s.
pub fn a_claim(claim: &str, at: UnixMs) -> Claim {
    Claim {
        claim: claim.parse().expect("a claim"),
        at,
        lease_until: at + Ms::seconds(45),
    }
}

/// The word of the job's current worker that it has begun, as callback number 1.
pub fn a_start(job: &Job, at: UnixMs) -> Start {
    Start {
        origin: job.origin(),
        call: Some(job.run().to_string().parse().expect("a call")),
        seq: 1,
        at,
    }
}

/// A sign of life of the job's current worker.
pub fn a_beat(job: &Job, seq: u64, progress: Option<u8>, at: UnixMs) -> Beat {
    Beat {
        origin: job.origin(),
        seq,
        progress,
        at,
    }
}

/// A report of 17 s on an L40S.
pub fn a_report() -> Report {
    Report::new(
        Some(Timings {
            queue: 310,
            boot: 0,
            load: 812,
            run: 15_904,
            upload: 287,
        }),
        Some("L40S"),
    )
}

/// One picture of 1024 x 1024.
pub fn an_output() -> Output {
    Output {
        slot: 0,
        bytes: 187_342,
        width: 1024,
        height: 1024,
    }
}

/// A UUID, as Lambda names its invocations.
pub const INVOCATION: &str = "8f5ab5a1-5d25-4b51-9f8a-2a3c1e7f0d42";

/// The accepted job, moved to that phase by a usual life: claimed after 1 s, begun after 3, ended
/// after 20.
pub fn in_phase(job: Job, phase: Phase) -> Job {
    let created_at = job.created_at;
    let at = |s| created_at + Ms::seconds(s);
    let claimed = |job: Job| job.claim(a_claim(INVOCATION, at(1))).expect("a claim");
    let running = |job: Job| {
        let job = claimed(job);
        let start = a_start(&job, at(3));
        job.start(start).expect("a start")
    };
    let accepted = job;
    match phase {
        Phase::Accepted => accepted,
        Phase::Dispatching => claimed(accepted),
        Phase::Running => {
            let job = running(accepted);
            let beat = a_beat(&job, 2, Some(40), at(10));
            job.beat(&beat).expect("a beat")
        }
        Phase::Canceling => running(accepted).cancel(CancelReason::User, at(5), Ms::seconds(60)),
        Phase::Succeeded => {
            let job = running(accepted);
            let origin = job.origin();
            job.succeed(&origin, vec![an_output()], a_report(), at(20))
                .expect("an end")
        }
        Phase::Failed => running(accepted)
            .fail(Code::GpuOom, a_report(), at(20))
            .expect("an end"),
        Phase::Canceled => accepted.cancel(CancelReason::User, at(5), Ms::seconds(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_can_be_sampled_and_is_what_it_says() {
        for phase in Phase::ALL {
            let job = a_job().in_phase(phase);
            assert_eq!(job.state.phase(), phase);
            assert_eq!(job.due.is_none(), phase.is_terminal(), "{}", phase.name());
        }
    }

    #[test]
    fn a_job_created_later_lives_just_as_long() {
        let job = a_job().created_at(CREATED_AT + Ms::seconds(5)).build();
        assert_eq!(job.deadline.at, CREATED_AT + Ms::seconds(905));
        assert_eq!(job.due.unwrap().at, CREATED_AT + Ms::seconds(125));
    }
}
