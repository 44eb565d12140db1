//! What the adapter writes into the log, and what never stands there.

use crate::answers::all;
use crate::app::{Answer, App, Play};
use crate::bench::{Lines, backend, request, run, trace};
use ryla_backends::modal::wire::Submit;
use ryla_engine::port::Backend;
use serde_json::json;

#[tokio::test]
async fn a_failed_call_leaves_one_line_that_says_which_run_where_why_and_how_long() {
    let lines = Lines::collect();
    let play = Play::Answer(Answer::text(502, "Bad Gateway"));
    let app = App::playing(std::slice::from_ref(&play)).await;
    backend(&app, &play).start(&request()).await;
    let mut log = lines.take();
    assert_eq!(log.len(), 1);
    let ms = log[0].as_object_mut().unwrap().remove("ms").unwrap();
    assert!(ms.as_u64().unwrap() < 5_000, "{ms}");
    assert_eq!(
        log[0],
        json!({
            "level": "WARN",
            "target": "ryla_backends::modal",
            "message": "backend call failed",
            "event": "port",
            "backend": "modal",
            "call": "start",
            "run": run().to_string(),
            "trace_id": trace().to_string(),
            "status": 502,
            "reason": "server_error",
            "alarm": false,
            "unmapped": false,
            "tries": 1,
        })
    );
}

#[tokio::test]
async fn no_prompt_key_signed_url_or_body_is_ever_logged() {
    let lines = Lines::collect();
    let mut written = 0;
    for row in all() {
        let app = App::playing(std::slice::from_ref(&row.play)).await;
        backend(&app, &row.play).start(&request()).await;
        for line in lines.take() {
            let line = line.to_string();
            assert!(
                !line.contains("hush") && !line.contains("lighthouse"),
                "{line}"
            );
            assert!(
                !line.contains("127.0.0.1") && !line.contains("http"),
                "no URL: {line}"
            );
            written += 1;
        }
    }
    assert_eq!(written, all().len());
}

#[tokio::test]
async fn what_holds_a_secret_cannot_be_printed() {
    let play = Play::Refuse;
    let app = App::playing(std::slice::from_ref(&play)).await;
    let submit = Submit::of(&request());
    assert!(serde_json::to_string(&submit).unwrap().contains("hush"));
    for printed in [
        format!("{submit:?}"),
        format!("{:?}", request()),
        format!("{:?}", backend(&app, &play)),
    ] {
        assert!(
            !printed.contains("hush") && !printed.contains("lighthouse"),
            "{printed}"
        );
    }
}
