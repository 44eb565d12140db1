//! Requests that cannot be accepted: each is told everything that is wrong with it, and leaves
//! neither row nor message nor object.

use super::app::{ALICE, BOB, PROMPT, TestApp};
use super::ask::{Answer, fine};
use crate::MAX_BODY_BYTES;
use ryla_engine::cursor::Cursor;
use serde_json::{Value, json};

const MODEL: &str = "/v1/models/ryla/flux-dev/predictions";

/// The refusal of a body, by both accounts alike and without any trace of it.
async fn refused(body: impl Into<Vec<u8>>, status: u16) -> Answer {
    let app = TestApp::new();
    let body = body.into();
    let ask = |key| app.ask("POST", MODEL).by(key).body(body.clone());
    let alices = ask(ALICE).send().await.expect(status);
    ask(BOB).send().await.expect(status);
    app.assert_nothing_stored();
    assert_eq!(app.store_calls(), 0);
    assert_eq!(app.lines.of("rejected").len(), 2);
    assert!(!String::from_utf8_lossy(&alices.body).contains("canary"));
    alices
}

async fn refused_input(input: Value) -> Answer {
    refused(json!({ "input": input }).to_string(), 422).await
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_and_told_where_it_breaks() {
    for (body, place) in [
        (b"".as_slice(), "line 1, column 0"),
        (b"canary", "line 1, column 1"),
        (
            b"{\"input\":\n{\"prompt\": \"canary\",}}",
            "line 2, column 21",
        ),
        (b"{\"input\": NaN}", "line 1, column 11"),
        (b"{} {}", "line 1, column 4"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b"{\"input\": {\"prompt\": \"\xff\"}}", "line 1"),
    ] {
        let detail = refused(body, 400).await.json()["detail"].clone();
        assert!(detail.as_str().unwrap().contains(place), "{detail}");
    }
}

#[tokio::test]
async fn json_nested_beyond_reason_is_refused() {
    let deep = format!(
        "{{\"input\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    refused(deep, 400).await;
}

#[tokio::test]
async fn a_lone_surrogate_is_not_json_and_nul_is_not_text() {
    let refusal = refused(r#"{"input":{"prompt":"canary \ud800"}}"#, 400).await;
    assert!(
        refusal.json()["detail"]
            .as_str()
            .unwrap()
            .contains("surrogate")
    );
    let refusal = refused(
        r#"{"input":{"prompt":"canary \u0000","negative_prompt":"\u0000"}}"#,
        422,
    )
    .await;
    assert_eq!(
        refusal.invalid_fields(),
        ["input.prompt", "input.negative_prompt"]
    );
}

#[tokio::test]
async fn a_body_of_seven_megabytes_is_refused_by_its_length() {
    let long = json!({ "input": { "prompt": "canary".repeat(7 * 1024 * 1024 / 6) } }).to_string();
    let refusal = refused(long, 413).await;
    assert!(
        refusal.json()["detail"]
            .as_str()
            .unwrap()
            .contains("6291456")
    );
    // One byte over the limit is too long, however little of it means anything.
    let mut padded = json!({ "input": fine() }).to_string().into_bytes();
    padded.resize(MAX_BODY_BYTES + 1, b' ');
    refused(padded, 413).await;
}

#[tokio::test]
async fn a_body_as_long_as_it_may_be_is_accepted() {
    let app = TestApp::new();
    let mut padded = json!({ "input": fine() }).to_string().into_bytes();
    padded.resize(MAX_BODY_BYTES, b' ');
    app.ask("POST", MODEL)
        .by(ALICE)
        .body(padded)
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn an_input_that_is_missing_or_no_object_is_refused() {
    for body in [
        json!({}),
        json!({ "input": null }),
        json!({ "input": "canary" }),
        json!({ "input": [] }),
    ] {
        let refusal = refused(body.to_string(), 422).await;
        assert_eq!(refusal.invalid_fields(), ["input"], "{body}");
    }
}

#[tokio::test]
async fn a_prompt_must_be_there_and_say_something() {
    for (prompt, message) in [
        (json!({}), "is required"),
        (json!({ "prompt": null }), "is required"),
        (json!({ "prompt": "" }), "must not be blank"),
        (json!({ "prompt": " \n\t" }), "must not be blank"),
        (
            json!({ "prompt": "c".repeat(4_001) }),
            "must be at most 4000 characters long, not 4001",
        ),
    ] {
        let refusal = refused_input(prompt).await;
        assert_eq!(
            (refusal.invalid_fields(), refusal.message()),
            (vec!["input.prompt".to_owned()], message.to_owned())
        );
    }
}

#[tokio::test]
async fn wrong_types_are_all_named_at_once() {
    let refusal = refused_input(json!({
        "prompt": 7, "negative_prompt": ["canary"], "width": "1024", "height": {}, "steps": true,
        "cfg": "3.5", "seed": "canary", "output_format": 1, "job": "canary",
    }))
    .await;
    let fields = [
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "steps",
        "cfg",
        "seed",
        "output_format",
        "job",
    ];
    assert_eq!(
        refusal.invalid_fields(),
        fields.map(|field| format!("input.{field}"))
    );
}

#[tokio::test]
async fn numbers_out_of_range_are_all_named_at_once_with_what_is_allowed() {
    let refusal = refused_input(json!({
        "prompt": PROMPT, "width": 255, "height": 2049, "steps": 0, "cfg": 0.99, "seed": -1,
        "job": { "retention_days": 8 },
    }))
    .await;
    let fields = [
        "width",
        "height",
        "steps",
        "cfg",
        "seed",
        "job.retention_days",
    ];
    assert_eq!(
        refusal.invalid_fields(),
        fields.map(|field| format!("input.{field}"))
    );
    let messages: Vec<Value> = refusal.json()["invalid_fields"].as_array().unwrap().clone();
    assert_eq!(
        messages[0]["message"],
        "must be a whole number from 256 to 2048 in steps of 16, not 255"
    );
    assert_eq!(messages[5]["message"], "must be 1, 7, 30 or 365, not 8");
}

#[tokio::test]
async fn numbers_that_cannot_be_meant_are_refused() {
    for (field, value) in [
        ("width", "1025"),
        ("width", "1024.5"),
        ("height", "1e9"),
        ("steps", "51"),
        ("steps", "-0.5"),
        ("cfg", "20.01"),
        ("seed", "18446744073709551616"),
        ("seed", "1e19"),
        ("seed", "0.5"),
    ] {
        let refusal = refused(
            format!(r#"{{"input":{{"prompt":"canary","{field}":{value}}}}}"#),
            422,
        )
        .await;
        assert_eq!(
            refusal.invalid_fields(),
            [format!("input.{field}")],
            "{value}"
        );
    }
}

#[tokio::test]
async fn an_unknown_field_inside_the_input_is_refused_and_the_nearest_named() {
    for (name, nearest) in [
        ("promt", "prompt"),
        ("num_inference_steps", "steps"),
        ("negativePrompt", "negative_prompt"),
    ] {
        let mut input = fine();
        input[name] = json!("canary");
        let refusal = refused_input(input).await;
        assert_eq!(refusal.invalid_fields(), [format!("input.{name}")]);
        assert_eq!(
            refusal.message(),
            format!("unknown field; did you mean \"{nearest}\"?")
        );
    }
}

#[tokio::test]
async fn models_and_versions_that_do_not_exist_are_refused() {
    let app = TestApp::new();
    let body = |version: &str| json!({ "version": version, "input": fine() });
    for path in [
        "/v1/models/ryla/flux-dav/predictions",
        "/v1/models/acme/flux-dev/predictions",
        "/v1/deployments/ryla/none/predictions",
    ] {
        let refusal = app
            .ask("POST", path)
            .by(ALICE)
            .json(&body("ryla/flux-dev"))
            .send()
            .await;
        assert_eq!(
            refusal.expect(404).json()["detail"],
            "There is no such model; GET /v1/models lists them."
        );
    }
    for (method, path) in [
        ("POST", "/v1/predictions"),
        ("PUT", "/v1/predictions/my-own-id"),
        ("POST", MODEL),
    ] {
        for version in [
            "none",
            "ryla/none",
            "acme/flux-dev",
            "ryla/flux-dev:none",
            "",
            ":",
            "/",
            "flux-dev",
        ] {
            let refusal = app
                .ask(method, path)
                .by(BOB)
                .json(&body(version))
                .send()
                .await;
            assert_eq!(
                refusal.expect(422).invalid_fields(),
                ["version"],
                "{version}"
            );
        }
    }
    for body in [
        json!({ "input": fine() }),
        json!({ "version": 7, "input": fine() }),
    ] {
        let refusal = app
            .ask("POST", "/v1/predictions")
            .by(ALICE)
            .json(&body)
            .send()
            .await;
        assert_eq!(refusal.expect(422).invalid_fields(), ["version"]);
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn a_webhook_that_would_never_be_called_is_refused() {
    for (field, value) in [
        ("webhook", json!("https://example.com/canary")),
        ("webhook_completed", json!("https://example.com/canary")),
        ("webhook_events_filter", json!(["completed"])),
    ] {
        let refusal = refused(json!({ "input": fine(), field: value }).to_string(), 422).await;
        assert_eq!(refusal.invalid_fields(), [field]);
    }
}

#[tokio::test]
async fn headers_that_cannot_be_meant_are_refused_before_anything_is_stored() {
    let app = TestApp::new();
    let long = "k".repeat(256);
    for (name, field, value) in [
        ("prefer", "Prefer", "wait=-1"),
        ("prefer", "Prefer", "wait=soon"),
        ("prefer", "Prefer", "respond-async, wait = "),
        ("prefer", "Prefer", "wait=NaN"),
        ("prefer", "Prefer", "wait=-inf"),
        ("cancel-after", "Cancel-After", "0"),
        ("cancel-after", "Cancel-After", "-5s"),
        ("cancel-after", "Cancel-After", "25h"),
        ("cancel-after", "Cancel-After", "tomorrow"),
        ("idempotency-key", "Idempotency-Key", ""),
        ("idempotency-key", "Idempotency-Key", "two words"),
        ("idempotency-key", "Idempotency-Key", "schl\u{fc}ssel"),
        ("idempotency-key", "Idempotency-Key", &long),
    ] {
        for key in [ALICE, BOB] {
            let refusal = app.create(key, &fine()).header(name, value).send().await;
            assert_eq!(refusal.expect(422).invalid_fields(), [field], "{value}");
        }
    }
    app.assert_nothing_stored();
    assert_eq!(app.store_calls(), 0);
}

#[tokio::test]
async fn ids_of_another_form_cannot_be_chosen() {
    let app = TestApp::new();
    let body = json!({ "version": "ryla/flux-dev", "input": fine() });
    let long = "a".repeat(65);
    for id in [
        "short",
        "My-Own-Id",
        "my_own_id",
        "-my-own-id",
        "my%2Fown%2Fid",
        "my.own.id",
        &long,
    ] {
        let put = app
            .ask("PUT", format!("/v1/predictions/{id}"))
            .by(ALICE)
            .json(&body);
        assert_eq!(
            put.send().await.expect(422).invalid_fields(),
            ["id"],
            "{id}"
        );
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn waits_and_parts_of_lists_that_cannot_be_meant_are_refused() {
    let app = TestApp::new();
    let newer = Cursor {
        created_at: ryla_testing::sample::CREATED_AT,
        id: "my-own-id".parse().unwrap(),
        order: ryla_engine::port::Order::Newest,
    };
    let mut forged = newer.encode();
    forged.insert(4, 'x');
    for (path, field) in [
        ("predictions/my-own-id?wait=-1", "wait"),
        ("predictions/my-own-id?wait=soon", "wait"),
        ("predictions/my-own-id?wait=", "wait"),
        ("predictions?cursor=forged", "cursor"),
        ("predictions?cursor=", "cursor"),
        (&format!("predictions?cursor={forged}"), "cursor"),
        ("predictions?page_size=0", "page_size"),
        ("predictions?page_size=101", "page_size"),
        ("predictions?page_size=-1", "page_size"),
        ("predictions?page_size=ten", "page_size"),
        ("predictions?created_after=yesterday", "created_after"),
        (
            "predictions?created_before=1969-12-31T23:59:59Z",
            "created_before",
        ),
    ] {
        for key in [ALICE, BOB] {
            let refusal = app.get(key, format!("/v1/{path}")).await;
            assert_eq!(refusal.expect(422).invalid_fields(), [field], "{path}");
        }
    }
    assert_eq!(app.store_calls(), 0);
}
