//! HTTP to the system: the routes that the commands need. Requests are repeated where the connection
//! was lost or the system asks for it; that is safe, since a submit carries an idempotency key and
//! everything else may be done twice. The API key goes to the system and to nobody else.

mod answer;
mod download;

use crate::connection::Target;
use crate::failure::Failure;
use crate::prediction::{Model, Page, Prediction};
use crate::problem::Problem;
use crate::tls;
use answer::{Answer, answer, cause, is_about_certificates, pause};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
/// A request without any byte of an answer for this long is lost.
const SILENCE: Duration = Duration::from_secs(30);
/// Tries of the first contact: a system that is not there is told soon.
const FIRST: u32 = 3;
/// Tries while a job is under way, together about 20 s.
const PATIENT: u32 = 8;

/// The client of one system.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
}

impl Client {
    /// A client of the system there.
    pub(crate) fn new(target: &Target) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(target.ca.as_deref())?)
            .user_agent(concat!("ryla/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Failure::unreachable(format!("HTTP does not start: {error}")))?;
        Ok(Self {
            http,
            base: base(&target.url)?,
            key: target.key.clone(),
        })
    }

    /// A model, or `None` where there is no such one.
    pub(crate) async fn model(&self, owner: &str, name: &str) -> Result<Option<Model>, Failure> {
        let url = self.url(&["models", owner, name]);
        match self.json(Method::GET, &url, |r| r, FIRST).await {
            Err(Failure::Refused { problem, .. }) if problem.status == 404 => Ok(None),
            other => other.map(Some),
        }
    }

    /// All models.
    pub(crate) async fn models(&self) -> Result<Vec<Model>, Failure> {
        let page: Page = self
            .json(Method::GET, &self.url(&["models"]), |r| r, FIRST)
            .await?;
        let models = page.results.into_iter().map(serde_json::from_value);
        models
            .collect::<Result<_, _>>()
            .map_err(|error| self.unreadable(&error, None))
    }

    /// Creates a job; the same key with the same input creates it once.
    pub(crate) async fn submit(
        &self,
        model: &Model,
        input: &Map<String, Value>,
        idempotency_key: &str,
    ) -> Result<Prediction, Failure> {
        let url = self.url(&["models", &model.owner, &model.name, "predictions"]);
        let body = json!({ "input": input });
        let request = |r: RequestBuilder| r.header("idempotency-key", idempotency_key).json(&body);
        self.json(Method::POST, &url, request, PATIENT).await
    }

    /// A job as the API shows it.
    pub(crate) async fn get(&self, id: &str) -> Result<Value, Failure> {
        let url = self.url(&["predictions", id]);
        self.json(Method::GET, &url, |r| r, PATIENT).await
    }

    /// A job.
    pub(crate) async fn prediction(&self, id: &str) -> Result<Prediction, Failure> {
        self.read(self.get(id).await?)
    }

    /// Cancels a job; one that has ended stays as it is.
    pub(crate) async fn cancel(&self, id: &str) -> Result<Value, Failure> {
        let url = self.url(&["predictions", id, "cancel"]);
        self.json(Method::POST, &url, |r| r, FIRST).await
    }

    /// The newest jobs, at most that many.
    pub(crate) async fn list(&self, limit: usize) -> Result<Vec<Value>, Failure> {
        let mut jobs = Vec::new();
        self.pages(limit, &[], |page| {
            jobs.extend(page);
            jobs.len() < limit
        })
        .await?;
        jobs.truncate(limit);
        Ok(jobs)
    }

    /// Jobs page by page, newest first, for as long as `take` wants more; `filters` are those of the list.
    pub(crate) async fn pages(
        &self,
        page_size: usize,
        filters: &[(&str, &str)],
        mut take: impl FnMut(Vec<Value>) -> bool,
    ) -> Result<(), Failure> {
        let mut url = self.url(&["predictions"]);
        let page_size = page_size.clamp(1, 100).to_string();
        url.query_pairs_mut()
            .append_pair("page_size", &page_size)
            .extend_pairs(filters);
        // Whoever answers the first page is there: the others are worth waiting for.
        let mut tries = FIRST;
        loop {
            let page: Page = self.json(Method::GET, &url, |r| r, tries).await?;
            tries = PATIENT;
            let next = page.next.and_then(|next| Url::parse(&next).ok());
            let more = take(page.results);
            match next.filter(|_| more) {
                // Only the query: the key goes nowhere else, wherever a link leads.
                Some(next) if next.query() != url.query() => url.set_query(next.query()),
                _ => return Ok(()),
            }
        }
    }

    /// What is kept warm, as the API shows it to operators; `None` to others.
    pub(crate) async fn warm(&self) -> Result<Option<Value>, Failure> {
        match self
            .json(Method::GET, &self.url(&["warm"]), |r| r, FIRST)
            .await
        {
            Err(Failure::Refused { problem, .. }) if problem.status == 404 => Ok(None),
            other => other.map(Some),
        }
    }

    /// Reads a job from what the API showed.
    pub(crate) fn read(&self, shown: Value) -> Result<Prediction, Failure> {
        self.known(shown)
    }

    /// Reads anything from what the API showed.
    pub(crate) fn known<T: DeserializeOwned>(&self, shown: Value) -> Result<T, Failure> {
        serde_json::from_value(shown).map_err(|error| self.unreadable(&error, None))
    }

    /// `{base}/v1/...`
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        url
    }

    /// Sends a request until it is answered, at most `tries` times.
    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        url: &Url,
        request: impl Fn(RequestBuilder) -> RequestBuilder,
        tries: u32,
    ) -> Result<T, Failure> {
        let mut done = 0;
        loop {
            let mut builder = request(self.http.request(method.clone(), url.clone()));
            if let Some(key) = &self.key {
                builder = builder.bearer_auth(key);
            }
            done += 1;
            let (failure, wish) = match answer(builder).await {
                Ok(answer) if answer.status.is_success() => {
                    return serde_json::from_slice(&answer.body)
                        .map_err(|error| self.unreadable(&error, answer.request_id));
                }
                Ok(answer) => {
                    let wish = answer.retry_after;
                    match self.refusal(answer) {
                        (failure, true) => (failure, wish),
                        (failure, false) => return Err(failure),
                    }
                }
                Err(error) => {
                    let failure = Failure::unreachable(format!(
                        "cannot reach {}: {}",
                        self.base,
                        cause(&error)
                    ));
                    if error.is_builder() || is_about_certificates(&error) {
                        return Err(failure);
                    }
                    (failure, None)
                }
            };
            if done >= tries {
                return Err(failure);
            }
            tokio::time::sleep(pause(done, wish)).await;
        }
    }

    /// What an answer that is no success means, and whether it may pass.
    fn refusal(&self, answer: Answer) -> (Failure, bool) {
        let status = answer.status.as_u16();
        if let Some(problem) = Problem::read(status, &answer.body, answer.request_id.clone()) {
            let passing = problem.is_passing();
            return (Failure::refused(problem), passing);
        }
        let text = format!(
            "{} answers {} and is no RYLA system",
            self.base, answer.status
        );
        let failure = Failure::Unreachable {
            text,
            trace_id: answer.request_id,
        };
        let passing = answer.status.is_server_error() || status == 429;
        (failure, passing)
    }

    fn unreadable(&self, error: &serde_json::Error, trace_id: Option<String>) -> Failure {
        Failure::Unreachable {
            text: format!(
                "{} answers what is no answer of a RYLA system: {error}",
                self.base
            ),
            trace_id,
        }
    }
}

/// The system's address without the `/v1` that other clients ask for.
fn base(text: &str) -> Result<Url, Failure> {
    let bare = text.trim_end_matches('/');
    let bare = bare.strip_suffix("/v1").unwrap_or(bare);
    let url = Url::parse(bare).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    });
    url.ok_or_else(|| {
        Failure::Usage(format!(
            "the address `{text}` must be an http or https URL, such as http://127.0.0.1:8787"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        let target = Target {
            url: url.to_owned(),
            key: None,
            ca: None,
        };
        Client::new(&target).unwrap()
    }

    #[test]
    fn the_address_may_carry_the_version_that_other_clients_need() {
        for url in [
            "https://x.example",
            "https://x.example/",
            "https://x.example/v1",
            "https://x.example/v1/",
        ] {
            let url = client(url).url(&["predictions", "a/b"]);
            assert_eq!(url.as_str(), "https://x.example/v1/predictions/a%2Fb");
        }
        let staged = client("https://x.example/prod").url(&["models"]);
        assert_eq!(staged.as_str(), "https://x.example/prod/v1/models");
    }

    #[test]
    fn an_address_that_is_no_url_is_wrong_use() {
        for wrong in ["x.example", "ftp://x.example", "127.0.0.1:8787", ""] {
            assert_eq!(base(wrong).unwrap_err().exit_status(), 2, "{wrong}");
        }
    }
}
