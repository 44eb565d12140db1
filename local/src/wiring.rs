//! Puts the parts of a stack together: each function makes one of them from the options and what was
//! made before.

use crate::clock::{FastClock, StoppingClock};
use crate::data::{Data, DataFolder, new_master_secret};
use crate::embedded::{Embedded, EmbeddedOptions};
use crate::options::{Options, Own, variables};
use crate::paced::Unheld;
use crate::poller::{Poller, PollerOptions};
use crate::preview::{Preview, PreviewParts};
use crate::stack::PREVIEW;
use crate::wake::Waker;
use anyhow::Context;
use ryla_domain::id::{AccountId, BackendId};
use ryla_domain::time::Ms;
use ryla_engine::port::{Account, Backend, Backends, KeyHash};
use ryla_engine::settings::{ModalSettings, Settings};
use ryla_engine::wait::Expected;
use ryla_engine::warm::Warm;
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
    containers_clock: FastClock,
    folder: &DataFolder,
) -> anyhow::Result<Option<Preview>> {
    if let Some(modal) = &settings.modal {
        anyhow::ensure!(
            is_on_this_machine(&modal.jobs_url),
            "MODAL_JOBS_URL leads elsewhere, but a GPU worker out there cannot put pictures into this \
             machine's bucket: unset it to use the preview GPU, or deploy (docs/DEPLOY.md) and set \
             RYLA_API_URL"
        );
        return Ok(None);
    }
    let preview = Preview::of(PreviewParts {
        options: options.preview,
        http: http.clone(),
        clock: Arc::new(clock.clone()),
        containers_clock: Arc::new(containers_clock),
        folder: folder.path().to_owned(),
    })
    .await?;
    settings.modal = Some(ModalSettings {
        id: PREVIEW.parse::<BackendId>()?,
        jobs_url: preview.url(),
        auth: None,
        run_limit: None,
    });
    Ok(Some(preview))
}

/// The clock of containers and leases.
pub(crate) fn containers_clock(options: &Options) -> FastClock {
    let speed = options.preview.speed;
    options.containers_from.map_or_else(
        || FastClock::new(speed),
        |first| FastClock::beginning(first, speed),
    )
}

/// What keeps containers warm, on their clock; `None` where the settings switch it off.
pub(crate) fn warm(
    options: &Options,
    settings: &Arc<Settings>,
    ports: &Ports,
    backends: &Backends,
    clock: FastClock,
) -> Option<Warm> {
    let ports = Ports {
        clock: Arc::new(clock),
        ..ports.clone()
    };
    let backends = if options.hold {
        backends.clone()
    } else {
        let unheld = |backend: &Arc<dyn Backend>| Arc::new(Unheld(Arc::clone(backend))) as _;
        Backends::new(backends.iter().map(unheld).collect())
    };
    let warm = ports.warm(settings, &backends)?;
    // Nobody else's calls are to be spread.
    Some(Warm {
        spread: Ms(0),
        ..warm
    })
}

fn is_on_this_machine(url: &str) -> bool {
    let host = reqwest::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// The preview GPU takes as long as it was told to, whatever the model says.
pub(crate) fn expected(options: &Options, preview: bool) -> Expected {
    if !preview {
        return Expected::default();
    }
    let pace = FastClock::new(options.preview.speed);
    Expected {
        run: Some(pace.real(options.preview.run)),
        cold_start: Some(pace.real(options.preview.boot)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_modal_app_on_this_machine_can_work_for_an_embedded_bucket() {
        for here in [
            "http://127.0.0.1:9/x",
            "http://localhost:9",
            "http://[::1]:9",
        ] {
            assert!(is_on_this_machine(here), "{here}");
        }
        for elsewhere in [
            "https://x.modal.run",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.example",
            "",
        ] {
            assert!(!is_on_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
