//! Every limit of time and number that a job lives under. Each is a setting; the defaults are the
//! design's figures.

use crate::backoff::Backoff;
use crate::model::Media;
use crate::time::Ms;

/// The limits that a job lives under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From the claim to the worker's start: boot and queue. Over it, the attempt is cancelled there
    /// and the next one begins.
    pub start_limit: Ms,
    /// Without a sign of life from a running worker the backend is asked.
    pub silence: Ms,
    /// How long a picture may run.
    pub run_limit: Ms,
    /// How long a video may run.
    pub run_limit_video: Ms,
    /// How long a cancellation may wait for the backend's word before the job ends without it.
    pub cancel_limit: Ms,
    /// How long dispatch itself may take; the lease on a claim is this plus [`Timers::LEASE_GRACE`].
    pub dispatch_timeout: Ms,
    /// Attempts that may reach a GPU, over all backends.
    pub max_attempts: u8,
    /// From acceptance to the end of a picture, over everything.
    pub deadline: Ms,
    /// From acceptance to the end of a video, over everything.
    pub deadline_video: Ms,
    /// When the sweep first looks at a job that is still open.
    pub first_due: Ms,
    /// How often the sweep comes by: also the base of its back-off.
    pub sweep_period: Ms,
    /// Looks without progress after which a job fails as `internal`.
    pub max_due_tries: u32,
    /// The least time between two stored progress reports of a run.
    pub progress_interval: Ms,
    /// Lifetime of presigned upload and download URLs.
    pub presign: Ms,
}

impl Timers {
    /// What a claim's lease adds to the dispatch time-out: clocks differ and a last write is slow.
    pub const LEASE_GRACE: Ms = Ms::seconds(15);

    /// How long a claim holds.
    pub fn lease(&self) -> Ms {
        Ms(self.dispatch_timeout.0.saturating_add(Self::LEASE_GRACE.0))
    }

    /// The deadline over everything for this kind of output.
    pub fn deadline_of(&self, media: Media) -> Ms {
        match media {
            Media::Picture => self.deadline,
            Media::Video => self.deadline_video,
        }
    }

    /// The run limit for this kind of output.
    pub fn run_limit_of(&self, media: Media) -> Ms {
        match media {
            Media::Picture => self.run_limit,
            Media::Video => self.run_limit_video,
        }
    }

    /// How the sweep spaces its looks at one job: 1, 2, 4 ... 15 periods (minutes in AWS).
    pub fn sweep_backoff(&self) -> Backoff {
        Backoff {
            base: self.sweep_period,
            ceiling: Ms(self.sweep_period.0.saturating_mul(15)),
        }
    }

    /// How re-sent start messages are spaced while no backend takes the job: 2, 4, 8 ... 60 s.
    pub fn hold_backoff(&self) -> Backoff {
        Backoff {
            base: Ms::seconds(2),
            ceiling: Ms::seconds(60),
        }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            start_limit: Ms::seconds(240),
            silence: Ms::seconds(90),
            run_limit: Ms::seconds(200),
            run_limit_video: Ms::seconds(400),
            cancel_limit: Ms::seconds(60),
            dispatch_timeout: Ms::seconds(30),
            max_attempts: 3,
            deadline: Ms::seconds(15 * 60),
            deadline_video: Ms::seconds(30 * 60),
            first_due: Ms::seconds(120),
            sweep_period: Ms::seconds(60),
            max_due_tries: 10,
            progress_interval: Ms::seconds(10),
            presign: Ms::seconds(3600),
        }
    }
}
