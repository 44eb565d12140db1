//! The fixtures of tests/fixtures/v1/modal: each is decoded by this build and written again as the
//! same JSON. Later builds, and the Python side, read the same files.

use crate::bench::{RUN, request_for};
use ryla_backends::modal::wire::{
    Callback, CallbackRefusal, CallbackReply, CancelReply, Health, Refusal, RunStatus, Submit,
    SubmitReply, WarmInvalid, WarmReply, WarmRequest, WireError, decode,
};
use ryla_domain::output::Format;
use ryla_domain::time::UnixMs;
use ryla_engine::port::{InputFile, SignedUrl};
use ryla_engine::signature;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Not messages of a version: a worked example, and a problem document of the API.
const OTHERS: [&str; 2] = ["signature", "callback-refusal"];

/// Every fixture by name.
pub(crate) fn fixtures() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/v1/modal");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn again<T: DeserializeOwned + Serialize>(text: &str) -> Result<Value, WireError> {
    Ok(serde_json::to_value(decode::<T>(text.as_bytes())?).unwrap())
}

/// Decodes a fixture as the message that its name says and encodes it again.
fn read_and_written(name: &str, text: &str) -> Result<Value, WireError> {
    match name {
        name if name.starts_with("callback-reply") => again::<CallbackReply>(text),
        name if name.starts_with("callback-") => again::<Callback>(text),
        name if name.starts_with("submit-reply") => again::<SubmitReply>(text),
        name if name.starts_with("submit") => again::<Submit>(text),
        name if name.starts_with("run-status-") => again::<RunStatus>(text),
        "cancel-reply" => again::<CancelReply>(text),
        name if name.starts_with("refusal") => again::<Refusal>(text),
        "warm" => again::<WarmRequest>(text),
        "warm-reply" => again::<WarmReply>(text),
        "health" => again::<Health>(text),
        other => panic!("{other}: not a message of the protocol"),
    }
}

#[test]
fn every_message_is_written_again_as_it_was_read() {
    let mut seen = 0;
    for (name, text) in fixtures() {
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read_and_written(&name, &text), Ok(value), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 29);
}

#[test]
fn a_field_of_a_later_release_is_ignored_and_a_later_version_is_left_alone() {
    for (name, text) in fixtures() {
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let before = value.clone();
        value["colour"] = json!({"hue": [1, 2]});
        assert_eq!(
            read_and_written(&name, &value.to_string()),
            Ok(before),
            "{name}"
        );
        let later = r#"{"v":2,"everything":"else is different"}"#;
        assert_eq!(
            read_and_written(&name, later),
            Err(WireError::Newer(2)),
            "{name}"
        );
    }
}

#[test]
fn a_run_is_submitted_as_the_fixture_says() {
    let fixture: Value = serde_json::from_str(&fixtures()["submit"]).unwrap();
    let mut submit =
        serde_json::to_value(Submit::of(&request_for(fixture["params"].clone()))).unwrap();
    assert_eq!(submit["run"], RUN);
    // Signed URLs and keys are the test's own.
    submit["outputs"][0]["put_url"] = fixture["outputs"][0]["put_url"].clone();
    submit["callback"]["key"] = fixture["callback"]["key"].clone();
    assert_eq!(submit, fixture);
}

#[test]
fn files_are_handed_over_as_the_fixture_says() {
    let fixture: Value = serde_json::from_str(&fixtures()["submit-files"]).unwrap();
    let face = &fixture["inputs"][0];
    let mut request = request_for(fixture["params"].clone());
    request.workflow = "face-swap".to_owned();
    request.inputs = vec![InputFile {
        field: face["name"].as_str().unwrap().to_owned(),
        get: SignedUrl::new(face["get_url"].as_str().unwrap().to_owned()),
        sha256: face["sha256"].as_str().unwrap().to_owned(),
    }];
    let mut submit = serde_json::to_value(Submit::of(&request)).unwrap();
    submit["outputs"][0]["put_url"] = fixture["outputs"][0]["put_url"].clone();
    submit["callback"]["key"] = fixture["callback"]["key"].clone();
    assert_eq!(submit, fixture);
    let printed = format!("{:?}{:?}", request, Submit::of(&request));
    assert!(!printed.contains("X-Amz") && !printed.contains("pictures.example"));
}

#[test]
fn a_video_is_asked_for_under_its_own_media_type() {
    let mut request = request_for(serde_json::json!({}));
    request.outputs[0].format = Format::Mp4;
    let submit = serde_json::to_value(Submit::of(&request)).unwrap();
    assert_eq!(submit["outputs"][0]["content_type"], "video/mp4");
}

#[test]
fn a_worker_finds_the_servers_clock_in_a_refusal() {
    let refusal = &fixtures()["callback-refusal"];
    assert_eq!(
        CallbackRefusal::stale_by(refusal.as_bytes()),
        Some(1_763_718_310)
    );
    for other in ["", "[]", r#"{"title":"Bad signature","server_time":7}"#] {
        assert_eq!(CallbackRefusal::stale_by(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn the_worked_example_of_a_signature_is_right() {
    let example: Value = serde_json::from_str(&fixtures()["signature"]).unwrap();
    let key = SecretString::from(example["key"].as_str().unwrap());
    let body = example["body"].as_str().unwrap();
    let now = UnixMs::from_seconds(example["t"].as_i64().unwrap());
    assert_eq!(
        signature::sign(&key, body.as_bytes(), now),
        example["header"]
    );
    assert!(decode::<Callback>(body.as_bytes()).is_ok());
}

#[test]
fn a_lease_is_refused_for_the_field_that_both_languages_name() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/v1/warm/refused.json"
    );
    let table: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let good: Value = serde_json::from_str(&fixtures()["warm"]).unwrap();
    let now = UnixMs(table["now"].as_i64().unwrap());
    let max_of = |name: &str| u32::try_from(table["max"].get(name)?.as_u64()?).ok();
    let read = |message: &Value| WarmRequest::read(message.to_string().as_bytes(), now, max_of);
    assert_eq!(serde_json::to_value(read(&good).unwrap()).unwrap(), good);

    for row in table["refused"].as_array().unwrap() {
        let mut message = good.clone();
        for (name, value) in row["change"].as_object().unwrap() {
            message[name] = value.clone();
        }
        let Err(WarmInvalid::Field { field, max, .. }) = read(&message) else {
            panic!("{row}");
        };
        assert_eq!(field, row["field"].as_str().unwrap(), "{row}");
        let max = max.map_or(Value::Null, |(class, max)| json!({class: max}));
        assert_eq!(max, row["max"], "{row}");
    }
    for row in table["windows"].as_array().unwrap() {
        let mut message = good.clone();
        message["classes"]["flux"]["window_s"] = row[0].clone();
        let read = read(&message).unwrap().classes["flux"].window_s;
        assert_eq!(json!(read), row[1], "{row}");
    }
}

#[test]
fn a_lease_of_another_version_or_of_no_shape_is_no_lease() {
    let read = |body: &[u8]| WarmRequest::read(body, UnixMs(0), |_| Some(1)).unwrap_err();
    assert_eq!(read(br#"{"v":2}"#), WireError::Newer(2).into());
    for bad in [b"" as &[u8], b"{", b"[]", br#"{"v":0}"#, br#"{"v":true}"#] {
        assert!(matches!(
            read(bad),
            WarmInvalid::Message(WireError::Malformed { .. })
        ));
    }
}
