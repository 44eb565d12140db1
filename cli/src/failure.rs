//! How a command ends that does not succeed: its exit status, its words, and the trace id as the
//! last line, by which the system's log knows what happened.

use crate::problem::{Problem, plain};
use crate::say;
use std::process::ExitCode;

/// Exit status of a job that failed or was canceled.
pub(crate) const JOB_FAILED: u8 = 1;
/// Exit status of wrong flags, and of a request that the system refuses.
pub(crate) const USAGE: u8 = 2;
/// Exit status where no system answers, or none that lets us in.
pub(crate) const UNREACHABLE: u8 = 3;
/// Exit status after ^C: 128 and the signal's number.
pub(crate) const INTERRUPTED: u8 = 130;

/// For the end of `--help`.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    the job failed or was canceled, or its picture could not be saved
  2    wrong use: flags, or an input that the system refuses
  3    the system cannot be reached, or does not let us in
  130  stopped by ^C";

/// Why a command does not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What clap has to say: wrong flags, or the help that was asked for.
    Flags(clap::Error),
    /// Wrong use that only shows later.
    Usage(String),
    /// The system answers, and refuses.
    Refused {
        /// Its words.
        problem: Box<Problem>,
        /// The same for people, fields called by their flags.
        text: String,
    },
    /// No answer, or none that makes sense.
    Unreachable {
        /// What was tried and what came of it.
        text: String,
        /// The request, where an answer named it.
        trace_id: Option<String>,
    },
    /// The job ended without a picture.
    Job {
        /// What happened.
        text: String,
        /// The job's trace.
        trace_id: Option<String>,
    },
    /// There is a picture, and it could not be brought here.
    Unsaved {
        /// What happened.
        text: String,
        /// The job's trace.
        trace_id: Option<String>,
    },
    /// ^C.
    Interrupted {
        /// What became of the job.
        text: String,
        /// The job's trace.
        trace_id: Option<String>,
    },
}

impl Failure {
    /// A system that cannot be reached, without any answer.
    pub(crate) fn unreachable(text: impl Into<String>) -> Self {
        Self::Unreachable {
            text: text.into(),
            trace_id: None,
        }
    }

    /// A refusal in the server's own words.
    pub(crate) fn refused(problem: Problem) -> Self {
        let text = problem.render(plain);
        Self::Refused {
            problem: Box::new(problem),
            text,
        }
    }

    /// The same failure, with the fields of an input called by the names that `name` gives them.
    pub(crate) fn naming(self, name: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Refused { problem, .. } => Self::Refused {
                text: problem.render(name),
                problem,
            },
            other => other,
        }
    }

    /// The exit status of the process.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Flags(error) => u8::try_from(error.exit_code()).unwrap_or(USAGE),
            Self::Usage(_) => USAGE,
            Self::Refused { problem, .. } if problem.is_about_the_request() => USAGE,
            Self::Refused { .. } | Self::Unreachable { .. } => UNREACHABLE,
            Self::Job { .. } | Self::Unsaved { .. } => JOB_FAILED,
            Self::Interrupted { .. } => INTERRUPTED,
        }
    }

    /// What happened, for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Flags(error) => error.to_string(),
            Self::Usage(text)
            | Self::Refused { text, .. }
            | Self::Unreachable { text, .. }
            | Self::Job { text, .. }
            | Self::Unsaved { text, .. }
            | Self::Interrupted { text, .. } => text.clone(),
        }
    }

    /// A word for scripts where there is no job whose own code says more.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Flags(_) | Self::Usage(_) => "usage",
            Self::Refused { problem, .. } => match &problem.code {
                Some(code) => code,
                None if problem.is_about_the_request() => "refused",
                None => "unavailable",
            },
            Self::Unreachable { .. } => "unreachable",
            Self::Job { .. } => "job_failed",
            Self::Unsaved { .. } => "unsaved",
            Self::Interrupted { .. } => "interrupted",
        }
    }

    /// The trace id, where there is one.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        match self {
            Self::Flags(_) | Self::Usage(_) => None,
            Self::Refused { problem, .. } => problem.trace_id.as_deref(),
            Self::Unreachable { trace_id, .. }
            | Self::Job { trace_id, .. }
            | Self::Unsaved { trace_id, .. }
            | Self::Interrupted { trace_id, .. } => trace_id.as_deref(),
        }
    }

    /// Says it and gives the exit status.
    pub(crate) fn tell(&self) -> ExitCode {
        if let Self::Flags(error) = self {
            // Help goes to standard output, errors to standard error; clap knows which it is.
            let _ = error.print();
        } else {
            say::note(format!("error: {}", self.text()));
        }
        if let Some(trace_id) = self.trace_id() {
            say::note(format!("trace id: {trace_id}"));
        }
        ExitCode::from(self.exit_status())
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Flags(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Failure {
        Failure::refused(Problem {
            status,
            ..Problem::default()
        })
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_status() {
        assert_eq!(Failure::Usage(String::new()).exit_status(), 2);
        assert_eq!(Failure::unreachable("").exit_status(), 3);
        let ended = |kind: fn(String, Option<String>) -> Failure| kind(String::new(), None);
        assert_eq!(
            ended(|text, trace_id| Failure::Job { text, trace_id }).exit_status(),
            1
        );
        let unsaved = ended(|text, trace_id| Failure::Unsaved { text, trace_id });
        assert_eq!(unsaved.exit_status(), 1);
        let interrupted = ended(|text, trace_id| Failure::Interrupted { text, trace_id });
        assert_eq!(interrupted.exit_status(), 130);
    }

    #[test]
    fn a_refused_input_is_wrong_use_and_a_closed_door_is_not_reaching_the_system() {
        for status in [400, 404, 413, 422] {
            assert_eq!(refused(status).exit_status(), 2, "{status}");
        }
        for status in [401, 403, 429, 500, 503] {
            assert_eq!(refused(status).exit_status(), 3, "{status}");
        }
    }

    #[test]
    fn wrong_flags_are_two_and_help_is_zero() {
        let parse = |flag: &str| {
            let parsed = clap::Command::new("x").try_get_matches_from(["x", flag]);
            Failure::from(parsed.unwrap_err()).exit_status()
        };
        assert_eq!((parse("--wrong"), parse("--help")), (2, 0));
    }
}
