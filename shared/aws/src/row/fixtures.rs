//! One row of every kind as version 1 writes it, kept in `tests/fixtures/v1/rows` and read by every
//! later build. The jobs are spelt out here: a fixture must not follow a change of the samples.

use super::{Row, decode, encode};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use ryla_domain::failure::Code;
use ryla_domain::id::{Attempt, JobKey};
use ryla_domain::job::{Deadline, DeadlineBy, Due, Job, RequestHash, StoredInput};
use ryla_domain::output::{Format, Output, Retention};
use ryla_domain::report::{Likeness, Report, Timings};
use ryla_domain::state::{
    Accepted, CancelReason, Canceling, Dispatching, Ended, Hold, Running, State,
};
use ryla_domain::time::UnixMs;
use ryla_engine::port::StoreError;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

const T0: i64 = 1_777_636_800_123;

fn job(id: &str, state: State) -> Job {
    let open = !state.phase().is_terminal();
    Job {
        key: JobKey {
            account: "acme".parse().unwrap(),
            id: id.parse().unwrap(),
        },
        rev: 4,
        created_at: UnixMs(T0),
        deadline: Deadline {
            at: UnixMs(T0 + 900_000),
            by: DeadlineBy::System,
        },
        expires_at: UnixMs(1_780_228_801_000),
        model: "flux-dev".to_owned(),
        input: StoredInput::Inline(json!({
            "prompt": "Ein Leuchtturm in der Dämmerung 🗼", "negative_prompt": "", "width": 1024,
            "height": 768, "steps": 20, "cfg": 3.5, "seed": u64::MAX, "output_format": "jpg",
        })),
        request_hash: RequestHash([0xc3; 32]),
        backend: "modal".parse().unwrap(),
        trace: "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap(),
        token: "mfrggzdfmztwq2lknnwg23tpobyxe43u".parse().unwrap(),
        retention: Retention::Month,
        format: Format::Jpg,
        state,
        due: open.then_some(Due {
            at: UnixMs(T0 + 120_000),
            tries: 2,
        }),
        data_removed: false,
        retry_of: None,
    }
}

fn ended(report: Report, cost_usd_micros: Option<u64>) -> Ended {
    Ended {
        attempt: Attempt::FIRST.next(),
        dispatched_at: Some(UnixMs(T0 + 50)),
        started_at: Some(UnixMs(T0 + 3_000)),
        completed_at: UnixMs(T0 + 20_000),
        report,
        cost_usd_micros,
    }
}

fn report() -> Report {
    let timings = Timings {
        queue: 310,
        boot: 0,
        load: 812,
        run: 15_904,
        upload: 287,
    };
    Report::new(Some(timings), Some("L40S"))
}

fn succeeded() -> State {
    State::Succeeded {
        ended: ended(report(), Some(9_215)),
        outputs: vec![Output {
            slot: 0,
            bytes: 187_342,
            width: 1024,
            height: 768,
        }],
    }
}

/// Three pictures, of which the worker compared two with the reference.
fn alike() -> Job {
    let mut alike = job("fixture-likeness", succeeded());
    alike.model = "sdxl-instantid".to_owned();
    if let State::Succeeded { ended, outputs } = &mut alike.state {
        let first = outputs[0].clone();
        outputs.extend((1..3).map(|slot| Output {
            slot,
            ..first.clone()
        }));
        let measured = [(0, 0.87), (2, 0.0)];
        ended.report.likeness = measured
            .map(|(slot, share)| (slot, Likeness::of_share(share).unwrap()))
            .to_vec();
    }
    alike
}

/// Every kind of row, by the name of its file.
fn kinds() -> Vec<(&'static str, Job)> {
    let attempt = Attempt::FIRST;
    let accepted = |hold| State::Accepted(Accepted { attempt, hold });
    let dispatching = Dispatching {
        attempt,
        claim: "8f5ab5a1-5d25-4b51-9f8a-2a3c1e7f0d42".parse().unwrap(),
        claims: 2,
        dispatched_at: UnixMs(T0 + 50),
        lease_until: UnixMs(T0 + 92_000),
    };
    let running = Running {
        attempt,
        dispatched_at: UnixMs(T0 + 50),
        started_at: UnixMs(T0 + 3_000),
        seen_at: UnixMs(T0 + 13_000),
        seq: 2,
        call: Some("fc-01JTB8Q4ZC6M5X9E7N2K3V0WHD".parse().unwrap()),
        progress: Some(40),
    };
    let canceling = Canceling {
        attempt,
        dispatched_at: UnixMs(T0 + 50),
        started_at: None,
        since: UnixMs(T0 + 5_000),
        reason: CancelReason::User,
    };
    let failed = State::Failed {
        ended: ended(Report::default(), None),
        code: Code::GpuOom,
    };
    let canceled = State::Canceled {
        ended: Ended {
            attempt,
            dispatched_at: None,
            started_at: None,
            ..ended(Report::default(), None)
        },
        reason: CancelReason::Deadline,
    };
    let again_at = Some(UnixMs(T0 + 60_000));
    let waiting = accepted(Some(Hold::Backend { again_at }));
    let mut by_caller = job("fixture-by-caller", accepted(Some(Hold::Account)));
    by_caller.deadline.by = DeadlineBy::Caller;
    by_caller.retry_of = Some("fixture-failed".parse().unwrap());
    let mut spilled = job("fixture-input-in-bucket", accepted(None));
    spilled.input = StoredInput::InBucket;
    let mut removed = job("fixture-data-removed", succeeded());
    removed.input = StoredInput::Removed;
    removed.data_removed = true;
    let mut face = job("fixture-face", accepted(None));
    face.model = "live-portrait".to_owned();
    face.format = Format::Mp4;
    let hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    face.input = StoredInput::Inline(json!({
        "reference_image": format!("sha256:{hash}"), "motion": "smile", "duration_seconds": 10.0,
    }));
    // Its index lies behind the bytes that were looked at.
    let mut video = job("fixture-video", succeeded());
    video.model.clone_from(&face.model);
    video.format = face.format;
    if let State::Succeeded { outputs, .. } = &mut video.state {
        outputs[0].width = 0;
        outputs[0].height = 0;
    }
    vec![
        ("file-in-input", face),
        ("likeness", alike()),
        ("video", video),
        ("accepted", job("fixture-accepted", accepted(None))),
        (
            "accepted-held",
            job(
                "fixture-accepted-held",
                accepted(Some(Hold::Backend { again_at: None })),
            ),
        ),
        (
            "accepted-held-until",
            job("fixture-accepted-held-until", waiting),
        ),
        ("accepted-by-caller", by_caller),
        (
            "dispatching",
            job("fixture-dispatching", State::Dispatching(dispatching)),
        ),
        ("running", job("fixture-running", State::Running(running))),
        (
            "canceling",
            job("fixture-canceling", State::Canceling(canceling)),
        ),
        ("succeeded", job("fixture-succeeded", succeeded())),
        ("failed", job("fixture-failed", failed)),
        ("canceled", job("fixture-canceled", canceled)),
        ("input-in-bucket", spilled),
        ("data-removed", removed),
    ]
}

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/v1/rows");
    PathBuf::from(folder).join(format!("{name}.json"))
}

fn fixture(name: &str) -> Row {
    let path = path(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let json: Map<String, Value> = serde_json::from_str(&text).unwrap();
    json.into_iter()
        .map(|(name, value)| (name, from_json(&value)))
        .collect()
}

/// DynamoDB JSON, as the console, the command line and exports show items.
pub(crate) fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": BASE64.encode(blob.as_ref()) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(to_json).collect::<Vec<_>>() }),
        other => panic!("rows hold no {other:?}"),
    }
}

pub(crate) fn from_json(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().and_then(|one| one.iter().next()).unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(BASE64.decode(text().as_bytes()).unwrap())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(from_json).collect()),
        other => panic!("rows hold no {other}"),
    }
}

/// Writes the fixtures anew: only together with a new version's folder.
#[test]
#[ignore = "writes the files that the other tests read"]
fn write_fixtures() {
    for (name, job) in kinds() {
        let row: Map<String, Value> = encode(&job)
            .iter()
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect();
        let text = serde_json::to_string_pretty(&row).unwrap();
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), text + "\n").unwrap();
    }
}

#[test]
fn every_fixture_is_read_as_the_job_that_it_was() {
    for (name, job) in kinds() {
        let read = decode(&fixture(name)).unwrap();
        assert_eq!(read, job, "{name}");
        assert!(read == job, "{name}: its input as well");
    }
}

#[test]
fn this_build_writes_the_fixtures_as_they_are() {
    for (name, job) in kinds() {
        let (mut written, mut kept) = (encode(&job), fixture(name));
        // The order of fields within the input's JSON is no promise.
        let inputs = [&mut written, &mut kept].map(|row| match row.remove("input") {
            Some(AttributeValue::S(input)) => serde_json::from_str(&input).unwrap_or(json!(input)),
            other => panic!("{name}: an input is a text, not {other:?}"),
        });
        assert_eq!(inputs[0], inputs[1], "{name}");
        assert_eq!(written, kept, "{name}");
    }
}

#[test]
fn every_fixture_file_is_tested() {
    let folder = path("x").parent().unwrap().to_owned();
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<String> = kinds()
        .iter()
        .map(|(name, _)| format!("{name}.json"))
        .collect();
    files.sort();
    names.sort();
    assert_eq!(files, names);
}

#[test]
fn unknown_attributes_and_longer_lists_are_ignored() {
    for (name, job) in kinds() {
        let mut row = fixture(name);
        row.insert("from_v2".to_owned(), AttributeValue::Null(true));
        for list in ["timings", "outputs", "likeness"] {
            if let Some(AttributeValue::L(list)) = row.get_mut(list) {
                let innermost = match list.first_mut() {
                    Some(AttributeValue::L(output)) => output,
                    _ => list,
                };
                innermost.push(AttributeValue::S("of a later version".to_owned()));
            }
        }
        assert_eq!(decode(&row).unwrap(), job, "{name}");
    }
}

#[test]
fn a_newer_row_is_left_to_a_newer_build_whatever_else_is_in_it() {
    let mut row = fixture("running");
    row.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
    row.insert("phase".to_owned(), AttributeValue::S("dreaming".to_owned()));
    assert!(matches!(decode(&row), Err(StoreError::Newer(2))));
}

/// The names of closed sets: a newer build may know more of them.
const CLOSED: [&str; 6] = ["deadline_by", "format", "phase", "hold", "reason", "code"];

#[test]
fn a_name_or_class_that_this_build_does_not_know_is_a_newer_builds() {
    let mut seen = std::collections::BTreeSet::new();
    for (kind, _) in kinds() {
        for name in fixture(kind).keys() {
            let beyond = match name.as_str() {
                "keep" => AttributeValue::N("90".to_owned()),
                name if CLOSED.contains(&name) => AttributeValue::S("jpeg_xl-2".to_owned()),
                _ => continue,
            };
            let mut row = fixture(kind);
            row.insert(name.clone(), beyond);
            let error = decode(&row).unwrap_err();
            assert!(
                matches!(&error, StoreError::NewerValue(what) if what == name),
                "{kind} {name}: {error}"
            );
            assert!(!error.to_string().contains("xl"), "{error} quotes it");
            seen.insert(name.clone());
        }
    }
    assert_eq!(
        seen.len(),
        CLOSED.len() + 1,
        "no fixture has the others: {seen:?}"
    );
}

#[test]
fn what_has_not_the_form_of_a_name_is_corrupt() {
    let long = "x".repeat(33);
    for text in ["", "Jpg", "2jpg", "_jpg", "j pg", "jp\u{fc}g", &long] {
        let mut row = fixture("running");
        row.insert("format".to_owned(), AttributeValue::S(text.to_owned()));
        let error = decode(&row).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{text:?}: {error}");
    }
}

/// Attributes that a row may lack; every other one is needed.
const OPTIONAL: [&str; 18] = [
    "sk",
    "gpk",
    "deadline_by",
    "due",
    "due_tries",
    "removed",
    "retry_of",
    "hold",
    "again_at",
    "call",
    "progress",
    "timings",
    "gpu",
    "cost",
    "likeness",
    "dispatched_at",
    "started_at",
    "due_at",
];

#[test]
fn a_row_that_lacks_something_is_corrupt_and_says_what() {
    for (kind, _) in kinds() {
        for name in fixture(kind)
            .keys()
            .filter(|name| !OPTIONAL.contains(&name.as_str()))
        {
            let mut row = fixture(kind);
            row.remove(name);
            let error = decode(&row).unwrap_err();
            assert!(
                matches!(&error, StoreError::Corrupt(what) if what == name),
                "{kind} {name}: {error}"
            );
        }
    }
}

#[test]
fn a_row_with_nonsense_in_it_is_corrupt_and_never_quotes_it() {
    let nonsense = |value: &AttributeValue| match value {
        AttributeValue::S(_) => vec![
            AttributeValue::S("a secret prompt".to_owned()),
            AttributeValue::N("4711".to_owned()),
        ],
        AttributeValue::N(_) => vec![
            AttributeValue::N("4711.5".to_owned()),
            AttributeValue::S("a secret prompt".to_owned()),
        ],
        _ => vec![AttributeValue::S("a secret prompt".to_owned())],
    };
    // Free text, and attributes that only the indexes read.
    let free = |name: &str, value: &AttributeValue| {
        matches!(name, "sk" | "gpk") || (value.is_s() && matches!(name, "model" | "gpu" | "due"))
    };
    for (kind, _) in kinds() {
        for (name, value) in fixture(kind) {
            for wrong in nonsense(&value) {
                if free(&name, &wrong) {
                    continue;
                }
                let mut row = fixture(kind);
                row.insert(name.clone(), wrong.clone());
                let error = decode(&row).map(|_| ()).unwrap_err();
                let text = format!("{error} {error:?}");
                assert!(
                    matches!(&error, StoreError::Corrupt(what) if *what == name),
                    "{kind} {name} {wrong:?}: {text}"
                );
                assert!(!text.contains("secret") && !text.contains("4711"), "{text}");
            }
        }
    }
}
