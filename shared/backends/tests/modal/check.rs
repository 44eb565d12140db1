//! `check`: what a run's status means, and that nothing else is ever taken for one.

use crate::answers::all;
use crate::app::{Answer, App, Play};
use crate::bench::{Lines, RUN, backend, run, trace};
use ryla_domain::failure::Code;
use ryla_domain::overdue;
use ryla_domain::report::{Report, Timings};
use ryla_engine::port::Backend;

/// A status, the rest of the message, what it comes to, and whether that is an unmapped failure.
pub(crate) struct Row {
    pub(crate) status: &'static str,
    rest: &'static str,
    pub(crate) answer: overdue::Answer,
    unmapped: bool,
}

pub(crate) fn rows() -> Vec<Row> {
    use overdue::Answer::{Canceled, Done, Failed, Pending, Running, Unknown};
    let row = |status, rest, answer| Row {
        status,
        rest,
        answer,
        unmapped: false,
    };
    let failed = |code| Failed {
        code,
        report: Report::default(),
    };
    let timings = Timings {
        queue: 1,
        boot: 2,
        load: 3,
        run: 4,
        upload: 5,
    };
    vec![
        row("unknown", "", Unknown),
        row("pending", r#","call_id":"fc-1""#, Pending),
        row("running", "", Running { call: None }),
        row(
            "running",
            r#","call_id":"fc-1""#,
            Running {
                call: "fc-1".parse().ok(),
            },
        ),
        row("done", "", Done(Report::default())),
        row(
            "done",
            r#","result":{"outputs":[{"slot":0,"existed":true}],"timings":{"queue":1,"boot":2,"load":3,"run":4,"upload":5},"gpu":"L40S"}"#,
            Done(Report::new(Some(timings), Some("L40S"))),
        ),
        row(
            "failed",
            r#","result":{"error":{"code":"gpu_oom","retryable":true}}"#,
            failed(Code::GpuOom),
        ),
        Row {
            unmapped: true,
            ..row(
                "failed",
                r#","result":{"error":{"code":"CUDA hush","message":"hush"}}"#,
                failed(Code::Internal),
            )
        },
        Row {
            unmapped: true,
            ..row(
                "failed",
                r#","result":{"error":{"code":"node_exploded"}}"#,
                failed(Code::Internal),
            )
        },
        Row {
            unmapped: true,
            ..row("failed", "", failed(Code::Internal))
        },
        row("cancelled", "", Canceled),
        row("expired", "", failed(Code::Timeout)),
    ]
}

#[tokio::test]
async fn every_status_comes_to_what_the_table_says() {
    let lines = Lines::collect();
    for Row {
        status,
        rest,
        answer,
        unmapped,
    } in rows()
    {
        let body = format!(r#"{{"v":1,"run":"{RUN}","status":"{status}"{rest}}}"#);
        let play = Play::Answer(Answer::json(200, &body));
        let app = App::playing(std::slice::from_ref(&play)).await;
        assert_eq!(
            backend(&app, &play).check(&run(), &trace()).await,
            answer,
            "{body}"
        );
        let log = lines.take();
        assert_eq!(log.len(), usize::from(unmapped), "{body}: {log:?}");
        if let Some(line) = log.first() {
            assert_eq!(line["unmapped"], true);
            let code = rest.contains("node_exploded").then_some("node_exploded");
            assert_eq!(
                line["worker_code"].as_str(),
                code,
                "only what has the form of a code"
            );
        }
    }
}

#[tokio::test]
async fn a_status_that_this_build_does_not_know_is_no_answer() {
    let body = format!(r#"{{"v":1,"run":"{RUN}","status":"levitating"}}"#);
    let play = Play::Answer(Answer::json(200, &body));
    let app = App::playing(std::slice::from_ref(&play)).await;
    let answer = backend(&app, &play).check(&run(), &trace()).await;
    assert_eq!(answer, overdue::Answer::Unreachable);
}

#[tokio::test]
async fn nothing_else_is_taken_for_a_status() {
    let lines = Lines::collect();
    for row in all() {
        let app = App::playing(std::slice::from_ref(&row.play)).await;
        let answer = backend(&app, &row.play).check(&run(), &trace()).await;
        assert_eq!(answer, overdue::Answer::Unreachable, "{}", row.answer);
        let log = lines.take();
        assert_eq!(log.len(), 1, "{}", row.answer);
        assert_eq!(log[0]["call"], "check");
        assert_eq!(log[0]["reason"], row.reason, "{}", row.answer);
        assert_eq!(log[0]["alarm"], row.alarm, "{}", row.answer);
        assert_eq!(log[0]["tries"], row.tries, "{}", row.answer);
    }
}
