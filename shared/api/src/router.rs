//! The router: who calls, what for, and the answer, with a trace id on each. Operations do the work.

use crate::auth::KeyCache;
use crate::body::Body;
use crate::headers;
use crate::log;
use crate::operation;
use crate::problem::Refusal;
use crate::routes::{Access, Function, Operation};
use crate::target::{Target, Targets};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use ryla_domain::id::{AccountId, TraceId};
use ryla_engine::complete::CallbackWire;
use ryla_engine::port::Account;
use ryla_engine::settings::Settings;
use ryla_engine::wait::Expected;
use ryla_engine::wiring::Ports;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The header that names the trace.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Which routes are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// All of them: a laptop.
    Everything,
    /// Those of one Lambda.
    Only(Function),
}

/// What the API is made of.
#[derive(Clone)]
pub struct ApiParts {
    /// Which routes are served.
    pub serve: Serve,
    /// The adapters.
    pub ports: Ports,
    /// The settings.
    pub settings: Arc<Settings>,
    /// How long jobs are expected to take, where that differs from what the models say.
    pub expected: Expected,
    /// The workers' protocol; needed where callbacks are served.
    pub callbacks: Option<Arc<dyn CallbackWire>>,
    /// The largest picture that `GET /o/...` serves.
    pub max_output_bytes: u64,
}

/// The API as a service.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: ApiParts,
    targets: Targets,
    keys: KeyCache,
}

/// A request on its way to an operation.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Inner,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: &'a str,
    pub(crate) body: &'a Bytes,
    pub(crate) trace: &'a TraceId,
    /// Whose key it is; `None` on open routes.
    account: Option<Account>,
}

impl Call<'_> {
    /// The caller. Routes that ask for it are behind a key, so that there is one.
    pub(crate) fn account(&self) -> Result<&AccountId, Refusal> {
        self.account
            .as_ref()
            .map(|account| &account.id)
            .ok_or(Refusal::Unauthorized)
    }
}

impl Api {
    /// Puts the API together.
    pub fn new(parts: ApiParts) -> Self {
        let only = match parts.serve {
            Serve::Everything => None,
            Serve::Only(function) => Some(function),
        };
        Self(Arc::new(Inner {
            parts,
            targets: Targets::new(only),
            keys: KeyCache::default(),
        }))
    }

    /// Answers one request. Bodies longer than [`crate::MAX_BODY_BYTES`] may be handed over cut,
    /// as long as they stay longer than that.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let given = headers::trace(&parts.headers);
        let trace =
            given.unwrap_or_else(|| TraceId::generated(&self.0.parts.ports.entropy.bytes()));
        let mut response = match self.0.answer(&parts, &body, &trace).await {
            Ok(response) => response,
            Err(refusal) => {
                log::rejected(&refusal, &parts.method, parts.uri.path(), &trace);
                refusal.response(&trace)
            }
        };
        let headers = response.headers_mut();
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        headers.insert(
            "x-content-type-options",
            HeaderValue::from_static("nosniff"),
        );
        // A reply that shows one prediction carries that one's: under it the log has its whole life.
        if !headers.contains_key(REQUEST_ID)
            && let Ok(value) = HeaderValue::from_str(trace.as_str())
        {
            headers.insert(REQUEST_ID, value);
        }
        response
    }
}

impl Inner {
    async fn answer(
        &self,
        request: &http::request::Parts,
        body: &Bytes,
        trace: &TraceId,
    ) -> Result<Response<Body>, Refusal> {
        let target = self
            .targets
            .find(request.method.as_str(), request.uri.path())?;
        let account = match target.route.access {
            Access::Key => {
                let now = self.parts.ports.clock.now();
                let accounts = self.parts.ports.accounts.as_ref();
                let key = headers::key(&request.headers);
                Some(self.keys.holder(accounts, key, now).await?)
            }
            Access::Open | Access::Signature => None,
        };
        let call = Call {
            api: self,
            target: &target,
            headers: &request.headers,
            query: request.uri.query().unwrap_or_default(),
            body,
            trace,
            account,
        };
        match target.route.operation {
            Operation::CreateForModel
            | Operation::Create
            | Operation::CreateForDeployment
            | Operation::Put => operation::create::run(&call).await,
            Operation::Cancel => operation::cancel::run(&call).await,
            Operation::Retry => operation::retry::run(&call).await,
            Operation::Delete => operation::delete::run(&call).await,
            Operation::Get => operation::get::run(&call).await,
            Operation::List => operation::list::run(&call).await,
            Operation::ListModels => Ok(operation::models::list(&call)),
            Operation::GetModel => operation::models::get(&call),
            Operation::ListVersions => operation::models::list_versions(&call),
            Operation::GetVersion => operation::models::get_version(&call),
            Operation::GetAccount => operation::account::run(&call),
            Operation::GetWarm => operation::warm::run(&call).await,
            Operation::OpenApi => Ok(operation::openapi::run(&call)),
            Operation::Health => Ok(operation::health::run(&call)),
            Operation::GetOutput => operation::output::run(&call).await,
            Operation::Callback => operation::callback::run(&call).await,
        }
    }
}

impl tower_service::Service<Request<Bytes>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move { Ok(api.handle(request).await) })
    }
}
