//! The modal adapter: our app of `infra/modal` (or the preview GPU) over HTTP. The resource is the run,
//! so that starting it twice makes one run; the worker puts pictures into the bucket and calls back.

mod answer;
pub mod callbacks;
mod exchange;
pub mod wire;

use answer::Finding;
use async_trait::async_trait;
use exchange::{Exchange, exchange};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Url;
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, Run, TraceId};
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_engine::port::{
    Backend, Cancelled, Capabilities, Lease, Leased, RunRequest, StartOutcome, Warmth,
};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use tokio::time::{Instant, sleep};

/// Pauses before asking again where an answer is often gone after a moment (404 right after a deploy).
const AGAIN_AFTER: [Ms; 2] = [Ms(250), Ms(500)];

/// How long each call may take, quick repeats included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// `start`: the app's front may have to boot first.
    pub start: Ms,
    /// `check`.
    pub check: Ms,
    /// `cancel`.
    pub cancel: Ms,
    /// `lease`.
    pub lease: Ms,
}

impl Default for Timeouts {
    /// A start and the question after a lost one fit into the dispatcher's 30 s.
    fn default() -> Self {
        Self {
            start: Ms::seconds(15),
            check: Ms::seconds(8),
            cancel: Ms::seconds(8),
            lease: Ms::seconds(8),
        }
    }
}

/// Modal's proxy authentication: `wk-...` and `ws-...`.
#[derive(Clone, Debug)]
pub struct ProxyAuth {
    /// Header `Modal-Key`.
    pub key: SecretString,
    /// Header `Modal-Secret`.
    pub secret: SecretString,
}

/// A setting with which the adapter cannot work. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadModalSettings {
    /// The base URL.
    #[error("the base URL must be an http or https URL without user name, query or fragment")]
    BaseUrl,
    /// A part of the proxy authentication.
    #[error("the proxy key and secret must be visible ASCII characters")]
    ProxyAuth,
}

/// An app that speaks the protocol of docs/BACKENDS.md.
#[derive(Clone)]
pub struct ModalBackend {
    id: BackendId,
    jobs: String,
    warm: String,
    auth: HeaderMap,
    http: reqwest::Client,
    timeouts: Timeouts,
}

impl ModalBackend {
    /// The app at `base`, under the name `id` in rows and routes. `http` comes from
    /// [`crate::http::client`]: another client might follow redirects.
    pub fn new(
        id: BackendId,
        base: &str,
        auth: Option<&ProxyAuth>,
        http: reqwest::Client,
        timeouts: Timeouts,
    ) -> Result<Self, BadModalSettings> {
        let url = Url::parse(base).map_err(|_| BadModalSettings::BaseUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(BadModalSettings::BaseUrl);
        }
        let base = url.as_str().trim_end_matches('/');
        Ok(Self {
            id,
            jobs: format!("{base}/v1/jobs"),
            warm: format!("{base}/v1/warm"),
            auth: auth.map_or_else(|| Ok(HeaderMap::new()), auth_headers)?,
            http,
            timeouts,
        })
    }

    /// Sends one call, again where that is worth it, and judges what came back.
    async fn call(&self, call: &Call<'_>, url: &str, body: Option<Vec<u8>>) -> Heard {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            let left = call.timeout.duration().saturating_sub(begun.elapsed());
            let mut request = self
                .http
                .request(call.method.clone(), url)
                .headers(self.auth.clone())
                .header(wire::TRACE_HEADER, wire::traceparent(call.trace, call.span))
                .timeout(left);
            if let Some(body) = &body {
                request = request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.clone());
            }
            let exchange = exchange(request).await;
            let finding = Finding::of(&exchange);
            let pause = AGAIN_AFTER.get(tries).filter(|_| finding.again);
            tries += 1;
            let left = call.timeout.duration().saturating_sub(begun.elapsed());
            match pause {
                Some(pause) if pause.duration() < left => sleep(pause.duration()).await,
                _ => {
                    return Heard {
                        exchange,
                        finding,
                        tries,
                        begun,
                    };
                }
            }
        }
    }

    /// The one log line of a call that did not go well.
    fn log(&self, call: &Call<'_>, heard: &Heard, note: &Note<'_>) {
        let ms = u64::try_from(heard.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            event = "port",
            backend = %self.id,
            call = call.name,
            run = call.run.map(ToString::to_string),
            trace_id = %call.trace,
            status = heard.status().map(|status| status.as_u16()),
            reason = note.reason,
            alarm = heard.finding.alarm,
            unmapped = note.unmapped,
            worker_code = note.worker_code,
            tries = heard.tries,
            ms,
            "backend call failed"
        );
    }
}

/// A call as it is made and logged.
struct Call<'a> {
    name: &'static str,
    method: Method,
    timeout: Ms,
    /// `None` where the call is about no run.
    run: Option<&'a Run>,
    /// What its span is named by.
    span: &'a (dyn fmt::Display + Sync),
    trace: &'a TraceId,
}

/// What came back of it.
struct Heard {
    exchange: Exchange,
    finding: Finding,
    tries: usize,
    begun: Instant,
}

impl Heard {
    fn body(&self) -> &[u8] {
        match &self.exchange {
            Exchange::Answered(reply) => &reply.body,
            Exchange::NotSent(_) | Exchange::Lost(_) => &[],
        }
    }

    fn status(&self) -> Option<StatusCode> {
        match &self.exchange {
            Exchange::Answered(reply) => Some(reply.status),
            Exchange::NotSent(_) | Exchange::Lost(_) => None,
        }
    }
}

/// What the log says of a call besides its names and times.
struct Note<'a> {
    reason: &'static str,
    unmapped: bool,
    worker_code: Option<&'a str>,
}

impl Note<'_> {
    const fn of(reason: &'static str) -> Self {
        Self {
            reason,
            unmapped: false,
            worker_code: None,
        }
    }
}

#[async_trait]
impl Backend for ModalBackend {
    fn id(&self) -> &BackendId {
        &self.id
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            calls_back: true,
            cancel: true,
            progress: true,
            upload: true,
            idempotent_start: true,
            warmth: Warmth::Lease,
        }
    }

    async fn start(&self, request: &RunRequest) -> StartOutcome {
        let call = Call {
            name: "start",
            method: Method::POST,
            timeout: self.timeouts.start,
            run: Some(&request.run),
            span: &request.run,
            trace: &request.trace,
        };
        let body = match serde_json::to_vec(&wire::Submit::of(request)) {
            Ok(body) if body.len() <= wire::MAX_SUBMIT_BYTES => body,
            // No answer of the app's can be better than the one it would give to this.
            _ => {
                tracing::warn!(
                    event = "port",
                    backend = %self.id,
                    call = call.name,
                    run = %request.run,
                    trace_id = %request.trace,
                    reason = "submit_too_large",
                    alarm = true,
                    "backend call failed"
                );
                return StartOutcome::Refused(Code::Internal);
            }
        };
        let heard = self.call(&call, &self.jobs, Some(body)).await;
        let (outcome, reason) = answer::start(&heard.finding, heard.body(), &request.run);
        if !matches!(outcome, StartOutcome::Started { .. }) {
            self.log(&call, &heard, &Note::of(reason));
        }
        outcome
    }

    async fn check(&self, run: &Run, trace: &TraceId) -> Answer {
        let call = Call {
            name: "check",
            method: Method::GET,
            timeout: self.timeouts.check,
            run: Some(run),
            span: run,
            trace,
        };
        let heard = self
            .call(&call, &format!("{}/{run}", self.jobs), None)
            .await;
        let told = answer::check(&heard.finding, heard.body(), run);
        if told.unmapped || told.answer == Answer::Unreachable {
            let note = Note {
                reason: if told.unmapped {
                    "worker_failed"
                } else {
                    told.reason
                },
                unmapped: told.unmapped,
                worker_code: told.worker_code.as_deref(),
            };
            self.log(&call, &heard, &note);
        }
        told.answer
    }

    async fn cancel(&self, run: &Run, trace: &TraceId) -> Cancelled {
        let call = Call {
            name: "cancel",
            method: Method::POST,
            timeout: self.timeouts.cancel,
            run: Some(run),
            span: run,
            trace,
        };
        let url = format!("{}/{run}/cancel", self.jobs);
        let heard = self.call(&call, &url, None).await;
        let (cancelled, reason) = answer::cancel(&heard.finding, heard.body(), run);
        if cancelled == Cancelled::Unreachable {
            self.log(&call, &heard, &Note::of(reason));
        }
        cancelled
    }

    async fn lease(&self, lease: &Lease, trace: &TraceId) -> Leased {
        let call = Call {
            name: "lease",
            method: Method::POST,
            timeout: self.timeouts.lease,
            run: None,
            span: &"warm",
            trace,
        };
        let classes = lease.classes.iter().map(|(class, levers)| {
            let window_s = u32::try_from(levers.window.0 / 1000).ok();
            let floor = levers.floor;
            (class.to_string(), wire::WarmClass { floor, window_s })
        });
        let Ok(body) = serde_json::to_vec(&wire::WarmRequest::new(classes, lease.until)) else {
            return Leased::Unreachable;
        };
        let heard = self.call(&call, &self.warm, Some(body)).await;
        let (leased, reason) = answer::lease(&heard.finding, heard.body(), lease);
        if !matches!(leased, Leased::Taken(_)) {
            self.log(&call, &heard, &Note::of(reason));
        }
        leased
    }
}

impl fmt::Debug for ModalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModalBackend")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn auth_headers(auth: &ProxyAuth) -> Result<HeaderMap, BadModalSettings> {
    let mut headers = HeaderMap::new();
    for (name, secret) in [("modal-key", &auth.key), ("modal-secret", &auth.secret)] {
        let mut value = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| BadModalSettings::ProxyAuth)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}
