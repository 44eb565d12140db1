//! A job to its attributes.

use super::{INPUT_IN_BUCKET, INPUT_REMOVED, Row, SK_JOB, due_part, gpk, gsk, pk, ttl_seconds};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::V;
use ryla_domain::job::{DeadlineBy, Job, StoredInput};
use ryla_domain::output::Output;
use ryla_domain::report::Timings;
use ryla_domain::state::{Ended, Hold, Running, State};
use ryla_engine::port::Shard;
use std::fmt::Display;

/// The attributes of a job, all of them; those of other states are absent.
pub fn encode(job: &Job) -> Row {
    let mut row = Attributes::default();
    row.text("pk", pk(&job.key));
    row.text("sk", SK_JOB);
    row.text("gpk", gpk(&job.key.account));
    row.text("gsk", gsk(job.created_at, &job.key.id));
    row.number("v", V);
    row.number("rev", job.rev);
    row.number("deadline_at", job.deadline.at);
    if job.deadline.by == DeadlineBy::Caller {
        row.text("deadline_by", "caller");
    }
    row.number("expires_at", ttl_seconds(job.expires_at));
    row.text("model", &job.model);
    match &job.input {
        StoredInput::Inline(input) => row.text("input", input.to_string()),
        StoredInput::InBucket => row.text("input", INPUT_IN_BUCKET),
        StoredInput::Removed => row.text("input", INPUT_REMOVED),
    }
    row.bytes("req", job.request_hash.0);
    row.text("backend", &job.backend);
    row.bytes("trace", hex(job.trace.as_str()));
    row.bytes("token", base32(job.token.as_str()));
    row.number("keep", job.retention.days());
    row.text("format", job.format.extension());
    if let Some(due) = job.due {
        row.text("due", due_part(Shard::of(&job.key)));
        row.number("due_at", due.at);
        row.number("due_tries", due.tries);
    }
    if job.data_removed {
        row.put("removed", AttributeValue::Bool(true));
    }
    row.optional_text("retry_of", job.retry_of.as_ref());
    row.state(&job.state);
    row.0
}

const fn hold_name(hold: Hold) -> &'static str {
    match hold {
        Hold::Account => "account",
        Hold::Backend { .. } => "backend",
    }
}

/// A number as `DynamoDB` takes it.
pub(crate) fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

#[derive(Default)]
struct Attributes(Row);

impl Attributes {
    fn put(&mut self, name: &str, value: AttributeValue) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: impl Display) {
        self.put(name, AttributeValue::S(text.to_string()));
    }

    fn number(&mut self, name: &str, value: impl Display) {
        self.put(name, number(value));
    }

    fn bytes(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.put(name, AttributeValue::B(Blob::new(bytes)));
    }

    fn optional_text(&mut self, name: &str, text: Option<impl Display>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn optional_number(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    fn state(&mut self, state: &State) {
        self.text("phase", state.phase().name());
        self.number("attempt", state.attempt());
        self.optional_number("dispatched_at", state.dispatched_at());
        self.optional_number("started_at", state.started_at());
        match state {
            State::Accepted(s) => {
                self.optional_text("hold", s.hold.map(hold_name));
                if let Some(Hold::Backend { again_at }) = s.hold {
                    self.optional_number("again_at", again_at);
                }
            }
            State::Dispatching(s) => {
                self.text("claim", &s.claim);
                self.number("claims", s.claims);
                self.number("lease_until", s.lease_until);
            }
            State::Running(s) => self.running(s),
            State::Canceling(s) => {
                self.number("since", s.since);
                self.text("reason", s.reason.name());
            }
            State::Succeeded { ended, outputs } => {
                self.ended(ended);
                self.put("outputs", list(outputs.iter().map(output)));
            }
            State::Failed { ended, code } => {
                self.ended(ended);
                self.text("code", code.name());
            }
            State::Canceled { ended, reason } => {
                self.ended(ended);
                self.text("reason", reason.name());
            }
        }
    }

    fn running(&mut self, s: &Running) {
        self.number("seen_at", s.seen_at);
        self.number("seq", s.seq);
        self.optional_text("call", s.call.as_ref());
        self.optional_number("progress", s.progress);
    }

    fn ended(&mut self, ended: &Ended) {
        self.number("ended_at", ended.completed_at);
        if let Some(part) = &ended.report.timings {
            let Timings {
                queue,
                boot,
                load,
                run,
                upload,
            } = part;
            self.put("timings", numbers(&[*queue, *boot, *load, *run, *upload]));
        }
        self.optional_text("gpu", ended.report.gpu.as_ref());
        self.optional_number("cost", ended.cost_usd_micros);
        if !ended.report.likeness.is_empty() {
            let pairs = ended.report.likeness.iter().map(|(slot, likeness)| {
                numbers(&[u64::from(*slot), u64::from(likeness.thousandths())])
            });
            self.put("likeness", list(pairs));
        }
    }
}

fn output(output: &Output) -> AttributeValue {
    let Output {
        slot,
        bytes,
        width,
        height,
    } = output;
    numbers(&[
        u64::from(*slot),
        *bytes,
        u64::from(*width),
        u64::from(*height),
    ])
}

fn numbers(values: &[u64]) -> AttributeValue {
    list(values.iter().map(number))
}

fn list(values: impl Iterator<Item = AttributeValue>) -> AttributeValue {
    AttributeValue::L(values.collect())
}

/// The bytes of a name that its type has already checked.
fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .unwrap_or_default()
}

fn base32(text: &str) -> Vec<u8> {
    data_encoding::BASE32_NOPAD
        .decode(text.to_ascii_uppercase().as_bytes())
        .unwrap_or_default()
}
