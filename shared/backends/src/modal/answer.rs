//! What an app's answer means: from status, body prefix or JSON code to the port's outcome. The edge
//! of Modal answers in our app's place with texts that begin with `modal-http:`, under several status
//! codes; so the text decides first. docs/BACKENDS.md holds the table, tests/modal plays it.

use super::exchange::{Exchange, Reply};
use super::wire::{
    CancelReply, CancelStatus, Failure, Refusal, RunState, RunStatus, SubmitReply, WarmReply,
    WireError, WorkerError, decode,
};
use http::StatusCode;
use ryla_domain::failure::Code;
use ryla_domain::id::{GpuClass, Run};
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_engine::port::{Cancelled, Lease, Leased, StartOutcome};

/// What an exchange says, whatever was asked.
#[derive(Debug)]
pub(super) struct Finding {
    /// What it comes to.
    pub(super) fate: Fate,
    /// One word for the log; never anything that the other side wrote.
    pub(super) reason: &'static str,
    /// A person must do something: settings, deployment, money, or our own bug.
    pub(super) alarm: bool,
    /// Often gone after a moment: worth asking again at once.
    pub(super) again: bool,
}

/// What an exchange comes to.
#[derive(Debug)]
pub(super) enum Fate {
    /// Our app answers with a message of the protocol.
    Message,
    /// The request was certainly not acted upon; somebody else may be asked.
    NotRun {
        /// How long to wait before asking here again, where the answer says.
        retry_after: Option<Ms>,
    },
    /// The request was certainly not acted upon, and never will be.
    Final(Code),
    /// It may have been acted upon.
    MayRun,
}

impl Finding {
    const fn new(fate: Fate, reason: &'static str) -> Self {
        Self {
            fate,
            reason,
            alarm: false,
            again: false,
        }
    }

    const fn not_run(reason: &'static str) -> Self {
        Self::new(Fate::NotRun { retry_after: None }, reason)
    }

    const fn alarming(mut self) -> Self {
        self.alarm = true;
        self
    }

    /// Judges an exchange.
    pub(super) fn of(exchange: &Exchange) -> Self {
        match exchange {
            Exchange::NotSent(reason) => Self::not_run(reason),
            Exchange::Lost(reason) => Self::new(Fate::MayRun, reason),
            Exchange::Answered(reply) => {
                let refusal = decode::<Refusal>(&reply.body).ok().filter(|_| reply.json);
                let text = if refusal.is_some() {
                    None
                } else {
                    Self::by_text(reply)
                };
                text.unwrap_or_else(|| Self::by_status(reply, refusal.as_ref()))
            }
        }
    }

    /// Modal's own texts. The phrases are searched near the beginning, since some are prefixed with
    /// the name of what failed.
    fn by_text(reply: &Reply) -> Option<Self> {
        if reply.status.is_success() {
            return None;
        }
        let head = &reply.body[..reply.body.len().min(512)];
        let text = String::from_utf8_lossy(head);
        let says = |phrase: &str| text.contains(phrase);
        let modal = text.starts_with("modal-http:");
        Some(if says("spend limit reached") {
            Self::not_run("spend_limit").alarming()
        } else if modal && (says("invalid function call") || says("is stopped")) {
            Self {
                again: true,
                ..Self::not_run("not_deployed").alarming()
            }
        } else if modal && says("missing credentials") {
            Self::not_run("unauthorized").alarming()
        } else if modal && says("bad redirect method") {
            Self::new(Fate::Final(Code::Internal), "posted_to_a_result").alarming()
        } else if says("function execution timed out") {
            Self::new(Fate::MayRun, "function_timed_out")
        } else if says("terminated by signal") {
            Self::new(Fate::MayRun, "function_killed")
        } else if says("lost track of input") {
            Self::new(Fate::MayRun, "input_lost")
        } else if says("Missing request, possibly due to expiry") {
            Self::new(Fate::MayRun, "input_expired")
        } else {
            return None;
        })
    }

    fn by_status(reply: &Reply, refusal: Option<&Refusal>) -> Self {
        let code = refusal.map(|refusal| refusal.code.as_str());
        let retry_after = reply.retry_after;
        match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Self::not_run("unauthorized").alarming()
            }
            StatusCode::REQUEST_TIMEOUT => Self::new(Fate::MayRun, "request_timed_out"),
            StatusCode::TOO_MANY_REQUESTS => {
                Self::new(Fate::NotRun { retry_after }, "rate_limited")
            }
            // Going down on purpose: it says so, or it says when to come back (RFC 9110, 15.6.4).
            StatusCode::SERVICE_UNAVAILABLE
                if code == Some(Refusal::DRAINING) || retry_after.is_some() =>
            {
                Self::new(Fate::NotRun { retry_after }, "draining")
            }
            StatusCode::CONFLICT => {
                let cancelled = code == Some(Refusal::CANCELLED);
                let reason = if cancelled {
                    "cancelled"
                } else {
                    "older_attempt"
                };
                Self::new(Fate::Final(Code::Internal), reason)
            }
            status if status.is_client_error() => Self::by_code(status, code, reply.json),
            status if status.is_server_error() => Self::new(Fate::MayRun, "server_error"),
            // Redirects are off. Modal answers 303 for a request that it holds and may act upon; any
            // other redirect means that the base URL is wrong.
            StatusCode::SEE_OTHER => Self::new(Fate::MayRun, "see_other"),
            status if status.is_redirection() => Self::not_run("redirected").alarming(),
            status if status.is_success() && !reply.json => Self::new(Fate::MayRun, "not_json"),
            status if status.is_success() => Self::new(Fate::Message, "answered"),
            _ => Self::new(Fate::MayRun, "odd_status"),
        }
    }

    /// A refusal by our app, if it is one.
    fn by_code(status: StatusCode, code: Option<&str>, json: bool) -> Self {
        if code == Some(Refusal::UNSUPPORTED_VERSION) {
            return Self::not_run("unsupported_version").alarming();
        }
        if let Some(known) = code.and_then(Code::from_name) {
            return Self::new(Fate::Final(known), "refused");
        }
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if json => {
                Self::new(Fate::Final(Code::InvalidInput), "refused")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(Fate::Final(Code::Internal), "too_large").alarming()
            }
            // Not our app, or a route that it does not have.
            _ => Self::not_run("not_our_app").alarming(),
        }
    }
}

/// A message that was expected and did not come.
fn unreadable(error: WireError) -> &'static str {
    match error {
        WireError::Newer(_) => "newer_version",
        WireError::Malformed { .. } => "wrong_json",
    }
}

/// What a request to start came to, and the word for the log.
pub(super) fn start(finding: &Finding, body: &[u8], run: &Run) -> (StartOutcome, &'static str) {
    match finding.fate {
        Fate::NotRun { retry_after } => {
            let code = Code::BackendUnreachable;
            (
                StartOutcome::Unavailable { code, retry_after },
                finding.reason,
            )
        }
        Fate::Final(code) => (StartOutcome::Refused(code), finding.reason),
        Fate::MayRun => (StartOutcome::Unknown, finding.reason),
        Fate::Message => match decode::<SubmitReply>(body) {
            Ok(reply) if reply.run == *run => {
                let call = reply.call_id;
                (StartOutcome::Started { call }, finding.reason)
            }
            Ok(_) => (StartOutcome::Unknown, "another_run"),
            Err(error) => (StartOutcome::Unknown, unreadable(error)),
        },
    }
}

/// What a question about a run came to.
pub(super) struct Told {
    /// The port's answer.
    pub(super) answer: Answer,
    /// The word for the log.
    pub(super) reason: &'static str,
    /// The worker failed for a reason that the closed table does not know.
    pub(super) unmapped: bool,
    /// The worker's code, where it has the form of one and may be logged.
    pub(super) worker_code: Option<String>,
}

impl Told {
    const fn of(answer: Answer, reason: &'static str) -> Self {
        Self {
            answer,
            reason,
            unmapped: false,
            worker_code: None,
        }
    }
}

/// What a question about a run came to.
pub(super) fn check(finding: &Finding, body: &[u8], run: &Run) -> Told {
    if !matches!(finding.fate, Fate::Message) {
        return Told::of(Answer::Unreachable, finding.reason);
    }
    let status = match decode::<RunStatus>(body) {
        Ok(status) if status.run == *run => status,
        Ok(_) => return Told::of(Answer::Unreachable, "another_run"),
        Err(error) => return Told::of(Answer::Unreachable, unreadable(error)),
    };
    let result = status.result.unwrap_or_default();
    let report = result.report();
    let answer = match status.status {
        RunState::Unknown => Answer::Unknown,
        RunState::Pending => Answer::Pending,
        RunState::Running => Answer::Running {
            call: status.call_id,
        },
        RunState::Done => Answer::Done(report),
        RunState::Cancelled => Answer::Canceled,
        RunState::Expired => Answer::Failed {
            code: Code::Timeout,
            report,
        },
        RunState::Failed => {
            let Failure { code, unmapped } = WorkerError::failure(result.error.as_ref());
            return Told {
                answer: Answer::Failed { code, report },
                reason: finding.reason,
                unmapped,
                worker_code: result
                    .error
                    .as_ref()
                    .and_then(WorkerError::plain_code)
                    .map(str::to_owned),
            };
        }
    };
    Told::of(answer, finding.reason)
}

/// What a request to stop came to, and the word for the log.
pub(super) fn cancel(finding: &Finding, body: &[u8], run: &Run) -> (Cancelled, &'static str) {
    if !matches!(finding.fate, Fate::Message) {
        return (Cancelled::Unreachable, finding.reason);
    }
    match decode::<CancelReply>(body) {
        Ok(reply) if reply.run == *run => match reply.status {
            CancelStatus::Cancelled | CancelStatus::Ended => (Cancelled::Confirmed, finding.reason),
            CancelStatus::Cancelling => (Cancelled::Requested, finding.reason),
        },
        Ok(_) => (Cancelled::Unreachable, "another_run"),
        Err(error) => (Cancelled::Unreachable, unreadable(error)),
    }
}

/// What a lease came to, and the word for the log.
pub(super) fn lease(finding: &Finding, body: &[u8], lease: &Lease) -> (Leased, &'static str) {
    match finding.fate {
        Fate::Message => match decode::<WarmReply>(body) {
            Ok(reply) => {
                let mosts = reply.classes.into_iter().filter_map(|(class, floor)| {
                    let class: GpuClass = class.parse().ok()?;
                    Some((class, floor.max?))
                });
                (Leased::Taken(mosts.collect()), finding.reason)
            }
            Err(error) => (Leased::Unreachable, unreadable(error)),
        },
        Fate::Final(_) => (refused_lease(body, lease), finding.reason),
        Fate::NotRun { .. } | Fate::MayRun => (Leased::Unreachable, finding.reason),
    }
}

/// Whose levers an app refuses: the class whose maximum it names, or the one that its sentence begins
/// with (`classes.{name}...`).
fn refused_lease(body: &[u8], lease: &Lease) -> Leased {
    let refusal = decode::<Refusal>(body).ok();
    let mosts = refusal.as_ref().and_then(|refusal| refusal.max.as_ref());
    let above = mosts.into_iter().flatten().find_map(|(class, most)| {
        let class: GpuClass = class.parse().ok()?;
        let asked = lease.classes.get(&class)?;
        (asked.floor > *most).then_some((class, *most))
    });
    if let Some((class, most)) = above {
        return Leased::Refused {
            class: Some(class),
            most: Some(most),
        };
    }
    let message = refusal.and_then(|refusal| refusal.message);
    let class = message.and_then(|message| {
        let rest = message.expose().strip_prefix("classes.")?;
        rest.split(['.', ':']).next()?.parse().ok()
    });
    Leased::Refused { class, most: None }
}
