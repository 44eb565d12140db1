//! Another account's job is exactly like one that does not exist: same status, same bytes, and
//! nothing happens to it.

use super::app::{ALICE, BOB, TestApp};
use super::ask::{Answer, TRACEPARENT, fine};
use ryla_domain::state::Phase;
use serde_json::json;

const ALICES: &str = "a-job-of-alices";
const NOBODYS: &str = "a-job-of-nobody";

async fn asked(app: &TestApp, method: &str, path: String) -> Answer {
    let body = json!({ "version": "ryla/flux-dev", "input": fine() });
    let ask = app.ask(method, path).by(BOB).json(&body);
    ask.header("traceparent", TRACEPARENT).send().await
}

#[tokio::test]
async fn a_foreign_job_is_answered_like_an_unknown_one_to_the_byte_in_every_state() {
    for phase in Phase::ALL {
        let app = TestApp::new();
        let job = app.plant_alices(ALICES, phase);
        let row = app.row(&job.key);
        for (method, rest) in [
            ("GET", ""),
            ("GET", "?wait=5"),
            ("DELETE", ""),
            ("POST", "/cancel"),
            ("POST", "/retry"),
        ] {
            let foreign = asked(&app, method, format!("/v1/predictions/{ALICES}{rest}")).await;
            let unknown = asked(&app, method, format!("/v1/predictions/{NOBODYS}{rest}")).await;
            let nameless = asked(&app, method, format!("/v1/predictions/X{rest}")).await;
            assert_eq!(foreign.status, 404, "{method} {rest}");
            assert_eq!(foreign, unknown, "{method} {rest}");
            assert_eq!(foreign, nameless, "{method} {rest}");
        }
        assert_eq!(app.row(&job.key), row);
        assert_eq!(
            (app.queue.sent(), app.clock.slept()),
            (Vec::new(), Vec::new())
        );
    }
}

#[tokio::test]
async fn putting_a_foreign_id_is_like_putting_an_unknown_one_and_makes_a_job_of_ones_own() {
    let app = TestApp::new();
    let alices = app.plant_alices(ALICES, Phase::Running);
    let row = app.row(&alices.key);
    let foreign = asked(&app, "PUT", format!("/v1/predictions/{ALICES}"))
        .await
        .expect(201);
    let unknown = asked(&app, "PUT", format!("/v1/predictions/{NOBODYS}"))
        .await
        .expect(201);
    assert_eq!(foreign.headers, unknown.headers);
    let mut shown = (foreign.json(), unknown.json());
    for shown in [&mut shown.0, &mut shown.1] {
        for drawn_or_chosen in ["id", "urls"] {
            shown[drawn_or_chosen].take();
        }
        shown["input"]["seed"].take();
    }
    assert_eq!(shown.0, shown.1);
    assert_eq!(app.row(&alices.key), row);
    let accounts: Vec<String> = app
        .stored()
        .iter()
        .map(|job| job.account().to_string())
        .collect();
    assert_eq!(accounts, ["alice", "bob", "bob"]);
    // From now on each sees their own under the same id.
    let path = format!("/v1/predictions/{ALICES}");
    assert_eq!(app.get(ALICE, &path).await.json()["status"], "processing");
    assert_eq!(app.get(BOB, &path).await.json()["status"], "starting");
}

#[tokio::test]
async fn lists_hold_only_ones_own() {
    let app = TestApp::new();
    app.plant_alices(ALICES, Phase::Succeeded);
    let ids = |answer: Answer| {
        let json = answer.expect(200).json();
        let results = json["results"].as_array().unwrap().clone();
        let ids = results
            .iter()
            .map(|job| job["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    assert_eq!(ids(app.get(ALICE, "/v1/predictions").await), [ALICES]);
    assert_eq!(
        ids(app.get(BOB, "/v1/predictions").await),
        ["bobs-own-finished-job"]
    );
}
