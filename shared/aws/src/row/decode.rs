//! Attributes to a job. Unknown attributes are ignored; a newer row is left to a newer build.

use super::fields::{Fields, corrupt, newer_value, numbers, parsed};
use super::{INPUT_IN_BUCKET, INPUT_REMOVED, Row, key_of};
use ryla_domain::V;
use ryla_domain::failure::Code;
use ryla_domain::id::{Attempt, OutputToken, TraceId};
use ryla_domain::job::{Deadline, DeadlineBy, Due, Job, RequestHash, StoredInput};
use ryla_domain::output::{Format, Output, Retention};
use ryla_domain::report::{Likeness, Report, Timings};
use ryla_domain::state::{
    Accepted, CancelReason, Canceling, Dispatching, Ended, Hold, Phase, Running, State,
};
use ryla_domain::time::UnixMs;
use ryla_engine::port::{DueEntry, StoreError};

/// The job of a row: [`StoreError::Newer`], [`StoreError::NewerValue`] or [`StoreError::Corrupt`] where
/// this build cannot read it.
pub fn decode(row: &Row) -> Result<Job, StoreError> {
    let fields = Fields(row);
    check_version(row)?;
    let trace: [u8; 16] = fields.bytes("trace")?;
    let token: [u8; 20] = fields.bytes("token")?;
    Ok(Job {
        key: key_of(fields.str("pk")?).ok_or_else(|| corrupt("pk"))?,
        rev: fields.number("rev")?,
        created_at: created_at(fields.str("gsk")?).ok_or_else(|| corrupt("gsk"))?,
        deadline: Deadline {
            at: fields.time("deadline_at")?,
            by: fields
                .optional_one_of("deadline_by", |name| {
                    (name == "caller").then_some(DeadlineBy::Caller)
                })?
                .unwrap_or(DeadlineBy::System),
        },
        expires_at: expires_at(&fields)?,
        model: fields.str("model")?.to_owned(),
        input: match fields.str("input")? {
            INPUT_IN_BUCKET => StoredInput::InBucket,
            INPUT_REMOVED => StoredInput::Removed,
            json => StoredInput::Inline(serde_json::from_str(json).map_err(|_| corrupt("input"))?),
        },
        request_hash: RequestHash(fields.bytes("req")?),
        backend: fields.name("backend")?,
        trace: TraceId::generated(&trace),
        token: OutputToken::generated(&token),
        retention: Retention::of_days(fields.number("keep")?).ok_or_else(|| newer_value("keep"))?,
        format: fields.one_of("format", Format::of_extension)?,
        state: state(&fields)?,
        due: match fields.optional_str("due")? {
            None => None,
            Some(_) => Some(Due {
                at: fields.time("due_at")?,
                tries: fields.optional_number("due_tries")?.unwrap_or(0),
            }),
        },
        data_removed: fields.flag("removed")?,
        retry_of: fields.optional_name("retry_of")?,
    })
}

/// Refuses a row that this build must not touch.
pub(crate) fn check_version(row: &Row) -> Result<(), StoreError> {
    match Fields(row).number::<u64>("v")? {
        0 => Err(corrupt("v")),
        version if version > u64::from(V) => Err(StoreError::Newer(version)),
        _ => Ok(()),
    }
}

/// Whether a row counts as absent at `now`, decodable or not.
pub(crate) fn expired(row: &Row, now: UnixMs) -> bool {
    let expires_at = row.get("expires_at").and_then(parsed);
    expires_at.is_some_and(|seconds| UnixMs::from_seconds(seconds) < now)
}

/// An entry of the due index; `None` where not even its time can be read, so that nothing can name it.
pub(crate) fn due_entry(row: &Row) -> Option<DueEntry> {
    let pk = row.get("pk")?.as_s().ok()?;
    Some(DueEntry {
        key: key_of(pk),
        raw_key: pk.clone(),
        due_at: UnixMs(parsed(row.get("due_at")?)?),
        deadline_at: row.get("deadline_at").and_then(parsed).map(UnixMs),
        tries: row.get("due_tries").and_then(parsed).unwrap_or(0),
    })
}

/// TTL counts in seconds; what lies beyond all milliseconds could not be written back as it was.
fn expires_at(fields: &Fields<'_>) -> Result<UnixMs, StoreError> {
    let seconds = fields.number("expires_at")?;
    let at = UnixMs::from_seconds(seconds);
    (at.seconds() == seconds)
        .then_some(at)
        .ok_or_else(|| corrupt("expires_at"))
}

fn created_at(gsk: &str) -> Option<UnixMs> {
    gsk.split_once('#')?.0.parse().ok().map(UnixMs)
}

fn state(fields: &Fields<'_>) -> Result<State, StoreError> {
    let named = |name: &str| Phase::ALL.into_iter().find(|phase| phase.name() == name);
    let phase = fields.one_of("phase", named)?;
    let attempt = attempt(fields)?;
    Ok(match phase {
        Phase::Accepted => State::Accepted(Accepted {
            attempt,
            hold: hold(fields)?,
        }),
        Phase::Dispatching => State::Dispatching(Dispatching {
            attempt,
            claim: fields.name("claim")?,
            claims: fields.number("claims")?,
            dispatched_at: fields.time("dispatched_at")?,
            lease_until: fields.time("lease_until")?,
        }),
        Phase::Running => State::Running(Running {
            attempt,
            dispatched_at: fields.time("dispatched_at")?,
            started_at: fields.time("started_at")?,
            seen_at: fields.time("seen_at")?,
            seq: fields.number("seq")?,
            call: fields.optional_name("call")?,
            progress: fields.optional_number("progress")?,
        }),
        Phase::Canceling => State::Canceling(Canceling {
            attempt,
            dispatched_at: fields.time("dispatched_at")?,
            started_at: fields.optional_time("started_at")?,
            since: fields.time("since")?,
            reason: reason(fields)?,
        }),
        Phase::Succeeded => State::Succeeded {
            ended: ended(fields)?,
            outputs: outputs(fields)?,
        },
        Phase::Failed => State::Failed {
            ended: ended(fields)?,
            code: fields.one_of("code", Code::from_name)?,
        },
        Phase::Canceled => State::Canceled {
            ended: ended(fields)?,
            reason: reason(fields)?,
        },
    })
}

fn attempt(fields: &Fields<'_>) -> Result<Attempt, StoreError> {
    Attempt::try_from(fields.number::<u64>("attempt")?).map_err(|_| corrupt("attempt"))
}

fn reason(fields: &Fields<'_>) -> Result<CancelReason, StoreError> {
    let all = [CancelReason::User, CancelReason::Deadline];
    fields.one_of("reason", |name| {
        all.into_iter().find(|reason| reason.name() == name)
    })
}

fn hold(fields: &Fields<'_>) -> Result<Option<Hold>, StoreError> {
    let hold = fields.optional_one_of("hold", |name| match name {
        "account" => Some(Hold::Account),
        "backend" => Some(Hold::Backend { again_at: None }),
        _ => None,
    })?;
    Ok(match hold {
        Some(Hold::Backend { .. }) => Some(Hold::Backend {
            again_at: fields.optional_time("again_at")?,
        }),
        other => other,
    })
}

fn ended(fields: &Fields<'_>) -> Result<Ended, StoreError> {
    let timings = match fields.list("timings")? {
        None => None,
        Some(list) => {
            let [queue, boot, load, run, upload] =
                numbers(list).ok_or_else(|| corrupt("timings"))?;
            Some(Timings {
                queue,
                boot,
                load,
                run,
                upload,
            })
        }
    };
    Ok(Ended {
        attempt: attempt(fields)?,
        dispatched_at: fields.optional_time("dispatched_at")?,
        started_at: fields.optional_time("started_at")?,
        completed_at: fields.time("ended_at")?,
        report: Report {
            timings,
            gpu: fields.optional_str("gpu")?.map(str::to_owned),
            likeness: likeness(fields)?,
        },
        cost_usd_micros: fields.optional_number("cost")?,
    })
}

fn likeness(fields: &Fields<'_>) -> Result<Vec<(u8, Likeness)>, StoreError> {
    let Some(list) = fields.list("likeness")? else {
        return Ok(Vec::new());
    };
    let pairs: Option<Vec<_>> = list
        .iter()
        .map(|pair| {
            let [slot, thousandths] = numbers(pair.as_l().ok()?)?;
            Some((
                u8::try_from(slot).ok()?,
                Likeness::of_thousandths(thousandths)?,
            ))
        })
        .collect();
    pairs.ok_or_else(|| corrupt("likeness"))
}

fn outputs(fields: &Fields<'_>) -> Result<Vec<Output>, StoreError> {
    let list = fields.list("outputs")?.ok_or_else(|| corrupt("outputs"))?;
    let outputs: Option<Vec<Output>> = list
        .iter()
        .map(|output| {
            let [slot, bytes, width, height] = numbers(output.as_l().ok()?)?;
            Some(Output {
                slot: slot.try_into().ok()?,
                bytes,
                width: width.try_into().ok()?,
                height: height.try_into().ok()?,
            })
        })
        .collect();
    outputs
        .filter(|outputs| !outputs.is_empty())
        .ok_or_else(|| corrupt("outputs"))
}
