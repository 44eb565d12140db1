//! `start`: the table of answers, played.

use crate::answers::{Port, Row, accepted, all};
use crate::app::{Answer, App, Play};
use crate::bench::{Lines, RUN, backend, request, request_for};
use ryla_domain::failure::Code;
use ryla_domain::time::Ms;
use ryla_engine::port::{Backend, StartOutcome};
use serde_json::json;

fn expected(port: Port) -> StartOutcome {
    match port {
        Port::Started => StartOutcome::Started { call: None },
        Port::Refused(code) => StartOutcome::Refused(Code::from_name(code).unwrap()),
        Port::Unavailable(wait) => StartOutcome::Unavailable {
            code: Code::BackendUnreachable,
            retry_after: wait.map(Ms),
        },
        Port::Unknown => StartOutcome::Unknown,
    }
}

fn same(left: &StartOutcome, right: &StartOutcome) -> bool {
    match (left, right) {
        (StartOutcome::Started { .. }, StartOutcome::Started { .. }) => true,
        _ => format!("{left:?}") == format!("{right:?}"),
    }
}

async fn play(row: &Row, lines: &Lines) {
    let app = App::playing(std::slice::from_ref(&row.play)).await;
    let outcome = backend(&app, &row.play).start(&request()).await;
    assert!(
        same(&outcome, &expected(row.port)),
        "{}: {outcome:?}",
        row.answer
    );
    let log = lines.take();
    if row.port == Port::Started {
        assert!(log.is_empty(), "{}: {log:?}", row.answer);
        return;
    }
    assert_eq!(log.len(), 1, "{}: logged once: {log:?}", row.answer);
    assert_eq!(log[0]["reason"], row.reason, "{}", row.answer);
    assert_eq!(log[0]["alarm"], row.alarm, "{}", row.answer);
    assert_eq!(log[0]["tries"], row.tries, "{}", row.answer);
    let seen = app.received().len();
    let reached = !matches!(
        row.play,
        Play::Refuse | Play::NoSuchHost | Play::PlainUnderTls | Play::SilentUnderTls
    );
    let times = if reached { row.tries } else { 0 };
    assert_eq!(
        seen, times,
        "{}: requests, redirects not followed",
        row.answer
    );
}

#[tokio::test]
async fn every_answer_comes_to_what_the_table_says() {
    let lines = Lines::collect();
    for row in accepted().iter().chain(&all()) {
        play(row, &lines).await;
    }
}

#[tokio::test]
async fn an_accepted_run_carries_the_apps_own_name_for_it() {
    let reply = format!(r#"{{"v":1,"run":"{RUN}","call_id":"fc-1"}}"#);
    let play = Play::Answer(Answer::json(202, &reply));
    let app = App::playing(std::slice::from_ref(&play)).await;
    let outcome = backend(&app, &play).start(&request()).await;
    let StartOutcome::Started { call: Some(call) } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(call.as_str(), "fc-1");
}

#[tokio::test]
async fn an_app_that_is_there_a_moment_later_takes_the_run() {
    let gone = Play::Answer(Answer::text(404, "modal-http: invalid function call"));
    let reply = format!(r#"{{"v":1,"run":"{RUN}"}}"#);
    let here = Play::Answer(Answer::json(202, &reply));
    let app = App::playing(&[gone.clone(), gone, here.clone()]).await;
    let outcome = backend(&app, &here).start(&request()).await;
    assert!(
        matches!(outcome, StartOutcome::Started { .. }),
        "{outcome:?}"
    );
    assert_eq!(app.received().len(), 3);
}

#[tokio::test]
async fn a_message_over_256_kib_is_refused_and_never_sent() {
    let lines = Lines::collect();
    let play = Play::Answer(Answer::text(500, ""));
    let app = App::playing(std::slice::from_ref(&play)).await;
    let request = request_for(json!({"prompt": "x".repeat(256 * 1024)}));
    let outcome = backend(&app, &play).start(&request).await;
    assert!(
        matches!(outcome, StartOutcome::Refused(Code::Internal)),
        "{outcome:?}"
    );
    assert_eq!(app.received().len(), 0);
    assert_eq!(lines.take()[0]["reason"], "submit_too_large");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_long_before_the_time_out() {
    let lines = Lines::collect();
    let play = Play::Answer(Answer::json(202, &" ".repeat(1 << 14)).that_never_ends());
    let app = App::playing(std::slice::from_ref(&play)).await;
    backend(&app, &play).start(&request()).await;
    let ms = lines.take()[0]["ms"].as_u64().unwrap();
    assert!(ms < 2_500, "{ms} ms of 5,000");
}
