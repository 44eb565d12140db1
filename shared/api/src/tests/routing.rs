//! Paths, methods and trace ids.

use super::app::{ALICE, BOB, Setup, TestApp};
use super::ask::{TRACE, TRACEPARENT, fine};
use crate::Serve;
use crate::document;
use crate::routes::{Function, ROUTES};
use ryla_domain::state::Phase;

#[tokio::test]
async fn a_doubled_a_missing_and_a_closed_v1_all_lead_to_the_same_route() {
    let app = TestApp::new();
    let usual = app.get(ALICE, "/v1/account").await.expect(200);
    for path in [
        "/v1/v1/account",
        "/account",
        "/v1/account/",
        "/v1/v1/v1/account/",
    ] {
        assert_eq!(
            app.get(ALICE, path).await.expect(200).body,
            usual.body,
            "{path}"
        );
        app.ask("GET", path).send().await.expect(401);
    }
    let created = app.ask("POST", "/models/ryla/flux-dev/predictions").by(BOB);
    created
        .json(&serde_json::json!({ "input": fine() }))
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn what_is_no_route_is_not_found_with_and_without_a_key() {
    let app = TestApp::new();
    for path in [
        "/",
        "/v1",
        "/v2/predictions",
        "/v1/trainings",
        "/v1/predictions/a/b/c",
        "/v1x/account",
        "//v1//account",
        "/%76%31/account%00",
    ] {
        for ask in [
            app.ask("GET", path),
            app.ask("POST", path).by(ALICE),
            app.ask("DELETE", path).by(BOB),
        ] {
            ask.send().await.expect(404);
        }
    }
    assert_eq!(app.store_calls(), 0);
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_the_path_takes() {
    for serve in [
        Serve::Everything,
        Serve::Only(Function::Status),
        Serve::Only(Function::Submit),
    ] {
        let app = Setup {
            serve,
            ..Setup::default()
        }
        .start();
        for (method, path, allow) in [
            ("PATCH", "/v1/predictions/my-own-job", "PUT, DELETE, GET"),
            ("DELETE", "/v1/predictions", "POST, GET"),
            ("GET", "/v1/predictions/my-own-job/cancel", "POST"),
            ("POST", "/v1/health", "GET"),
            ("HEAD", "/v1/account", "GET"),
            ("GET", "/v1/callbacks/modal/alice/my-own-job/1", "POST"),
        ] {
            let refusal = app.ask(method, path).by(ALICE).send().await.expect(405);
            assert_eq!(refusal.header("allow"), allow, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_function_serves_its_own_part_and_no_other() {
    let app = Setup {
        serve: Serve::Only(Function::Status),
        ..Setup::default()
    }
    .start();
    app.get(ALICE, "/v1/predictions").await.expect(200);
    app.create(ALICE, &fine()).send().await.expect(404);
    app.assert_nothing_stored();
    let app = Setup {
        serve: Serve::Only(Function::Submit),
        ..Setup::default()
    }
    .start();
    app.create(BOB, &fine()).send().await.expect(201);
    app.get(BOB, "/v1/predictions").await.expect(404);
}

#[tokio::test]
async fn a_trace_that_the_caller_brings_is_the_jobs_and_comes_back() {
    let amazon = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    for (header, value, trace) in [
        ("traceparent", TRACEPARENT, TRACE),
        (
            "x-amzn-trace-id",
            amazon,
            "67891233abcdef012345678912345678",
        ),
    ] {
        let app = TestApp::new();
        let created = app
            .create(ALICE, &fine())
            .header(header, value)
            .send()
            .await
            .expect(201);
        assert_eq!(created.header("x-request-id"), trace);
        assert_eq!(app.only_job().trace.as_str(), trace);
        let refusal = app
            .create(BOB, &serde_json::json!({}))
            .header(header, value)
            .send()
            .await;
        assert_eq!(refusal.expect(422).json()["trace_id"], trace);
        assert_eq!(app.lines.of("rejected")[0]["trace_id"], trace);
    }
}

#[tokio::test]
async fn traceparent_goes_before_amazons_header_and_a_broken_one_counts_as_none() {
    let app = TestApp::new();
    let amazon = "Root=1-67891233-abcdef012345678912345678";
    let ask = || {
        app.ask("GET", "/v1/health")
            .header("x-amzn-trace-id", amazon)
    };
    let both = ask().header("traceparent", TRACEPARENT).send().await;
    assert_eq!(both.header("x-request-id"), TRACE);
    for broken in [
        "",
        "00",
        "00-xyz-1-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        let answer = ask().header("traceparent", broken).send().await;
        assert_eq!(
            answer.header("x-request-id"),
            "67891233abcdef012345678912345678"
        );
    }
}

#[tokio::test]
async fn without_a_trace_of_the_callers_each_request_gets_one_and_a_prediction_shows_its_own() {
    let app = TestApp::new();
    let health = async || {
        app.ask("GET", "/v1/health")
            .send()
            .await
            .header("x-request-id")
            .to_owned()
    };
    assert_ne!(health().await, health().await);
    let job = app.plant_alices("my-own-job", Phase::Running);
    let read = app.ask("GET", "/v1/predictions/my-own-job").by(ALICE);
    let read = read.header("traceparent", TRACEPARENT).send().await;
    assert_eq!(read.header("x-request-id"), job.trace.as_str());
}

#[tokio::test]
async fn openapi_has_every_route_with_its_function_and_nothing_else() {
    let app = TestApp::new();
    let shown = app
        .ask("GET", "/v1/openapi.json")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(shown, document::openapi(super::app::API));
    let mut described = Vec::new();
    for (path, methods) in shown["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let function = operation["x-ryla-function"].as_str().unwrap().to_owned();
            let keyed = operation["security"].is_array();
            described.push((path.clone(), method.to_uppercase(), function, keyed));
        }
    }
    let mut routes: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            let keyed = route.access == crate::routes::Access::Key;
            (
                route.path.to_owned(),
                route.method.to_owned(),
                route.function.name().to_owned(),
                keyed,
            )
        })
        .collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}
