//! `cancel`: what became of a request to stop, and that silence never counts as a confirmation.

use crate::answers::all;
use crate::app::{Answer, App, Play};
use crate::bench::{Lines, RUN, backend, run, trace};
use ryla_engine::port::{Backend, Cancelled};

/// Every status of a reply and what it comes to.
pub(crate) const ROWS: [(&str, Cancelled); 3] = [
    ("cancelled", Cancelled::Confirmed),
    ("cancelling", Cancelled::Requested),
    ("ended", Cancelled::Confirmed),
];

#[tokio::test]
async fn every_reply_comes_to_what_the_table_says() {
    let lines = Lines::collect();
    for (status, cancelled) in ROWS {
        let body = format!(r#"{{"v":1,"run":"{RUN}","status":"{status}"}}"#);
        let play = Play::Answer(Answer::json(200, &body));
        let app = App::playing(std::slice::from_ref(&play)).await;
        assert_eq!(
            backend(&app, &play).cancel(&run(), &trace()).await,
            cancelled
        );
        assert!(lines.take().is_empty());
    }
}

#[tokio::test]
async fn nothing_else_is_taken_for_a_confirmation() {
    let lines = Lines::collect();
    for row in all() {
        let app = App::playing(std::slice::from_ref(&row.play)).await;
        let cancelled = backend(&app, &row.play).cancel(&run(), &trace()).await;
        assert_eq!(cancelled, Cancelled::Unreachable, "{}", row.answer);
        let log = lines.take();
        assert_eq!(log.len(), 1, "{}", row.answer);
        assert_eq!(log[0]["call"], "cancel");
        assert_eq!(log[0]["reason"], row.reason, "{}", row.answer);
        assert_eq!(log[0]["alarm"], row.alarm, "{}", row.answer);
    }
}
