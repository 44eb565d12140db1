//! Puts the parts of a stack together: each function makes one of them from the options and what was
//! made before.

use crate::clock::StoppingClock;
use crate::data::{Data, DataFolder, new_master_secret};
use crate::embedded::{Embedded, EmbeddedOptions};
use crate::options::{Options, Own, variables};
use crate::poller::{Poller, PollerOptions};
use crate::preview::Preview;
use crate::stack::PREVIEW;
use crate::wake::Waker;
use anyhow::Context;
use ryla_domain::id::{AccountId, BackendId};
use ryla_engine::port::{Account, Backends, KeyHash};
use ryla_engine::settings::{ModalSettings, Settings};
use ryla_engine::wait::Expected;
use ryla_engine::wiring::Ports;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub(crate) fn services(options: &Options, folder: &DataFolder) -> EmbeddedOptions {
    EmbeddedOptions {
        folder: match options.data {
            Data::Memory => None,
            Data::Folder(_) => Some(folder.path().to_owned()),
        },
        redelivery: options.redelivery,
        ..EmbeddedOptions::default()
    }
}

pub(crate) fn settings(
    options: &Options,
    folder: &DataFolder,
    embedded: &Embedded,
    url: &str,
) -> anyhow::Result<Settings> {
    let own = Own {
        table: embedded.table().to_owned(),
        bucket: embedded.bucket().to_owned(),
        queue_url: embedded.queue_url(),
        public_url: url.to_owned(),
        master_secret: folder.secret("master_secret", new_master_secret)?,
    };
    Ok(Settings::from_vars(variables(&options.vars, own))?)
}

/// Where no backend is configured: starts the preview GPU and enters it as one.
pub(crate) async fn preview(
    options: &Options,
    settings: &mut Settings,
    http: &reqwest::Client,
    clock: &StoppingClock,
) -> anyhow::Result<Option<Preview>> {
    if settings.modal.is_some() {
        return Ok(None);
    }
    let preview = Preview::start(options.preview, http.clone(), Arc::new(clock.clone())).await?;
    settings.modal = Some(ModalSettings {
        id: PREVIEW.parse::<BackendId>()?,
        jobs_url: preview.url(),
        auth: None,
        run_limit: None,
    });
    Ok(Some(preview))
}

/// The preview GPU takes as long as it was told to, whatever the model says.
pub(crate) fn expected(options: &Options, preview: bool) -> Expected {
    if !preview {
        return Expected::default();
    }
    Expected {
        run: Some(options.preview.run),
        cold_start: Some(options.preview.boot),
    }
}

pub(crate) fn poll(
    options: &Options,
    embedded: &Embedded,
    settings: &Arc<Settings>,
    waker: Arc<Waker>,
    ports: &Ports,
    backends: &Backends,
) -> Poller {
    let dispatch = Arc::new(ports.dispatch(settings, backends));
    let polling = PollerOptions {
        queue_url: embedded.queue_url(),
        concurrency: options.dispatch_concurrency,
        time_limit: settings.timers.dispatch_timeout.duration(),
        redelivery: embedded.redelivery().duration(),
    };
    let sqs = embedded.aws().sqs().clone();
    Poller::start(sqs, polling, waker, move |invocation, event| {
        let dispatch = Arc::clone(&dispatch);
        async move { ryla_dispatch::handle(&dispatch, &invocation, event).await }
    })
}

pub(crate) async fn add_key(ports: &Ports, account: &str, key: &str) -> anyhow::Result<()> {
    let id: AccountId = account.parse()?;
    let stored = ports
        .accounts
        .add_key(&KeyHash::of(key), &Account { id })
        .await;
    stored.context("storing the API key")
}

/// Who listens everywhere is reached by this machine's own name.
pub(crate) fn base_url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    let port = address.port();
    match address.ip() {
        ip if ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
        IpAddr::V4(ip) => format!("{scheme}://{ip}:{port}"),
        IpAddr::V6(ip) => format!("{scheme}://[{ip}]:{port}"),
    }
}
