//! What the trace of a run calls the things that happened: read by whoever looks at a broken promise.

use super::process::Outcome;
use ryla_engine::complete::Event;

pub(super) const fn name_of(event: &Event) -> &'static str {
    match event {
        Event::Started { .. } => "started",
        Event::Progress { .. } => "progress",
        Event::Succeeded { .. } => "succeeded",
        Event::Failed { .. } => "failed",
        Event::Cancelled { .. } => "cancelled",
        Event::Expired => "expired",
    }
}

pub(super) fn text_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Submitted(Ok(submitted)) => format!("told of {}", submitted.job.key),
        Outcome::Submitted(Err(error)) => format!("failed: {error}"),
        Outcome::Dispatched(handled) => format!("{handled:?}"),
        Outcome::CalledBack(Ok(reply)) if reply.ignored => "ignored".to_owned(),
        Outcome::CalledBack(Ok(_)) => "taken".to_owned(),
        Outcome::CalledBack(Err(error)) => format!("failed: {error}"),
        Outcome::Rejected(why) => format!("rejected: {why}"),
        Outcome::Shown(Ok((job, _))) => {
            let phase = job.as_ref().map(|job| job.state.phase().name());
            format!("shown {}", phase.unwrap_or("nothing"))
        }
        Outcome::Swept => "swept".to_owned(),
        Outcome::Cancelled(Ok(_)) => "done".to_owned(),
        Outcome::Shown(Err(error)) | Outcome::Cancelled(Err(error)) => format!("failed: {error}"),
        Outcome::Died => "died".to_owned(),
    }
}
