//! What does not depend on the question: answers of Modal's edge, of proxies, and none at all. One
//! entry a row; `start`, `check` and `cancel` each play all of them.

use crate::app::{Answer, Play};
use crate::bench::RUN;

/// What a row comes to when the question was `start`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Port {
    /// It is there.
    Started,
    /// No other attempt there will help.
    Refused(&'static str),
    /// Nothing ran: elsewhere at once, here again later, or after that many milliseconds.
    Unavailable(Option<u64>),
    /// Ask before anything else.
    Unknown,
}

/// One answer and what it means.
pub(crate) struct Row {
    /// As docs/BACKENDS.md names it.
    pub(crate) answer: &'static str,
    pub(crate) play: Play,
    pub(crate) port: Port,
    /// The word in the log.
    pub(crate) reason: &'static str,
    /// A person must act.
    pub(crate) alarm: bool,
    /// How often it was asked.
    pub(crate) tries: usize,
}

const fn row(answer: &'static str, play: Play, port: Port, reason: &'static str) -> Row {
    Row {
        answer,
        play,
        port,
        reason,
        alarm: false,
        tries: 1,
    }
}

const fn alarm(mut row: Row) -> Row {
    row.alarm = true;
    row
}

const fn asked(tries: usize, mut row: Row) -> Row {
    row.tries = tries;
    row
}

fn text(status: u16, body: &str) -> Play {
    Play::Answer(Answer::text(status, body))
}

fn json(status: u16, body: &str) -> Play {
    Play::Answer(Answer::json(status, body))
}

fn refusal(status: u16, code: &str) -> Play {
    json(
        status,
        &format!(r#"{{"v":1,"code":"{code}","message":"hush"}}"#),
    )
}

fn redirect(status: u16, to: &str) -> Play {
    Play::Answer(Answer::text(status, "").with("location", to))
}

fn wait(answer: Answer, retry_after: &str) -> Play {
    Play::Answer(answer.with("retry-after", retry_after))
}

/// A reply that would do for any question: only what the row is about keeps it from being taken.
fn reply() -> String {
    format!(r#"{{"v":1,"run":"{RUN}","call_id":"fc-1","status":"cancelled"}}"#)
}

/// Connections that fail, before and after the request left.
#[rustfmt::skip]
fn lost() -> Vec<Row> {
    use Port::{Unavailable, Unknown};
    vec![
        row("connection refused", Play::Refuse, Unavailable(None), "connect_failed"),
        row("host name does not exist", Play::NoSuchHost, Unavailable(None), "no_such_host"),
        row("TLS fails", Play::PlainUnderTls, Unavailable(None), "connect_failed"),
        row("connection, TLS included, not there in time", Play::SilentUnderTls, Unavailable(None), "connect_timeout"),
        row("no answer in time (the job may have been accepted)", Play::Hang, Unknown, "timeout"),
        row("connection closed before an answer", Play::Drop, Unknown, "connection_lost"),
    ]
}

/// What Modal's edge says in the app's place.
#[rustfmt::skip]
fn edge() -> Vec<Row> {
    use Port::{Refused, Unavailable, Unknown};
    vec![
        alarm(row("`modal-http: missing credentials for proxy authorization` (401)", text(401, "modal-http: missing credentials for proxy authorization"), Unavailable(None), "unauthorized")),
        alarm(asked(3, row("`modal-http: invalid function call` (404)", text(404, "modal-http: invalid function call"), Unavailable(None), "not_deployed"))),
        alarm(asked(3, row("`modal-http: app for invoked web endpoint is stopped` (any status)", text(410, "modal-http: app for invoked web endpoint is stopped"), Unavailable(None), "not_deployed"))),
        alarm(row("`... workspace billing cycle spend limit reached` (429)", text(429, "Webhook failed: workspace billing cycle spend limit reached"), Unavailable(None), "spend_limit")),
        alarm(row("`modal-http: bad redirect method` (400)", text(400, "modal-http: bad redirect method"), Refused("internal"), "posted_to_a_result")),
        row("`Missing request, possibly due to expiry or cancellation` (408)", text(408, "Missing request, possibly due to expiry or cancellation"), Unknown, "input_expired"),
        row("`modal-http: internal error: function execution timed out` (500)", text(500, "modal-http: internal error: function execution timed out"), Unknown, "function_timed_out"),
        row("`modal-http: ... function was terminated by signal` (500)", text(500, "modal-http: internal error: function was terminated by signal"), Unknown, "function_killed"),
        row("`modal-http: ... Server has lost track of input` (500)", text(500, "modal-http: internal error: Server has lost track of input"), Unknown, "input_lost"),
        row("303 See Other", redirect(303, "/v1/jobs?__modal_function_call_id=fc-1"), Unknown, "see_other"),
    ]
}

/// Refusals: by our app where a JSON code stands in the body, else by whatever is in between.
#[rustfmt::skip]
fn refusals() -> Vec<Row> {
    use Port::{Refused, Unavailable, Unknown};
    vec![
        alarm(row("301, 302, 307, 308", redirect(308, "https://elsewhere.example.com/"), Unavailable(None), "redirected")),
        row("400 or 422, JSON with a code of the table", refusal(422, "lora_not_found"), Refused("lora_not_found"), "refused"),
        row("400 or 422, JSON with another code", refusal(400, "steps_too_many"), Refused("invalid_input"), "refused"),
        row("400 or 422, JSON without a code", json(422, r#"{"detail":[{"msg":"hush"}]}"#), Refused("invalid_input"), "refused"),
        alarm(row("400, JSON code `unsupported_version`", refusal(400, "unsupported_version"), Unavailable(None), "unsupported_version")),
        alarm(row("400 or 422 without JSON (not our app)", text(400, "<html>Bad Request</html>"), Unavailable(None), "not_our_app")),
        alarm(row("401 with any other body", json(401, r#"{"detail":"hush"}"#), Unavailable(None), "unauthorized")),
        alarm(row("403", text(403, "Forbidden"), Unavailable(None), "unauthorized")),
        alarm(row("404, 405 and other 4xx with any other body", json(404, r#"{"detail":"Not Found"}"#), Unavailable(None), "not_our_app")),
        row("other 4xx, JSON with a code of the table", refusal(404, "model_missing"), Refused("model_missing"), "refused"),
        row("408 with any other body", text(408, ""), Unknown, "request_timed_out"),
        row("409, JSON code `older_attempt`", refusal(409, "older_attempt"), Refused("internal"), "older_attempt"),
        row("409, JSON code `cancelled`", refusal(409, "cancelled"), Refused("internal"), "cancelled"),
        alarm(row("413", text(413, "Payload Too Large"), Refused("internal"), "too_large")),
    ]
}

/// Not now: too much, going down, or stumbled.
#[rustfmt::skip]
fn not_now() -> Vec<Row> {
    use Port::{Unavailable, Unknown};
    let (now, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:17 GMT");
    let dated = Play::Answer(Answer::text(429, "").with("date", now).with("retry-after", later));
    vec![
        row("429", text(429, "rate limit"), Unavailable(None), "rate_limited"),
        row("429, JSON code `too_deep`, `Retry-After` in seconds", wait(Answer::json(429, r#"{"v":1,"code":"too_deep"}"#), "7"), Unavailable(Some(7_000)), "rate_limited"),
        row("429, `Retry-After` as a date (measured against the answer's `Date`)", dated, Unavailable(Some(40_000)), "rate_limited"),
        row("429, `Retry-After` of more than 15 minutes", wait(Answer::text(429, ""), "86400"), Unavailable(Some(900_000)), "rate_limited"),
        row("429, `Retry-After` that cannot be read", wait(Answer::text(429, ""), "soon"), Unavailable(None), "rate_limited"),
        row("500 with any other body", text(500, "Internal Server Error"), Unknown, "server_error"),
        row("500, JSON with a code (the app stumbled half-way)", refusal(500, "gpu_error"), Unknown, "server_error"),
        row("501, 502 and other 5xx", text(502, "Bad Gateway"), Unknown, "server_error"),
        row("503, JSON code `draining`", refusal(503, "draining"), Unavailable(None), "draining"),
        row("503, `Retry-After`", wait(Answer::text(503, ""), "20"), Unavailable(Some(20_000)), "draining"),
        row("503 with neither", text(503, "Service Unavailable"), Unknown, "server_error"),
        row("504", text(504, "Gateway Timeout"), Unknown, "server_error"),
    ]
}

/// 2xx that say nothing usable.
#[rustfmt::skip]
fn unusable() -> Vec<Row> {
    use Port::Unknown;
    let other = reply().replace("acme", "evil");
    let newer = reply().replace(":1,", ":2,");
    let padding = reply().replace("fc-1", &"x".repeat(1 << 20));
    let endless = Play::Answer(Answer::json(202, &" ".repeat(1 << 14)).that_never_ends());
    let broken = Play::Answer(Answer::json(202, r#"{"v":1,"run":"#).that_breaks_off());
    vec![
        row("2xx, JSON that is no reply", json(202, r#"{"ok":true}"#), Unknown, "wrong_json"),
        row("2xx, another run's reply", json(202, &other), Unknown, "another_run"),
        row("2xx, a reply of a newer version", json(202, &newer), Unknown, "newer_version"),
        row("2xx, wrong content type", text(202, &reply()), Unknown, "not_json"),
        row("2xx, empty body", json(202, ""), Unknown, "wrong_json"),
        row("2xx, body longer than 64 KiB (the rest is not read)", json(202, &padding), Unknown, "wrong_json"),
        row("2xx, body without an end", endless, Unknown, "wrong_json"),
        row("2xx, body breaks off", broken, Unknown, "wrong_json"),
    ]
}

/// Every answer that is not what was asked for.
pub(crate) fn all() -> Vec<Row> {
    [lost(), edge(), refusals(), not_now(), unusable()]
        .into_iter()
        .flatten()
        .collect()
}

/// Every answer by which a run is there.
#[rustfmt::skip]
pub(crate) fn accepted() -> Vec<Row> {
    let duplicate = reply().replace('}', r#","duplicate":true}"#);
    let nameless = format!(r#"{{"v":1,"run":"{RUN}","call_id":null,"colour":"red"}}"#);
    vec![
        row("202, our run", json(202, &reply()), Port::Started, ""),
        row("200, our run, `duplicate: true`", json(200, &duplicate), Port::Started, ""),
        row("202, our run, no call id yet, fields that this build does not know", json(202, &nameless), Port::Started, ""),
    ]
}
