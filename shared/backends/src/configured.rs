//! The backends that the settings name, best first.

use crate::modal::{ModalBackend, ProxyAuth, Timeouts};
use ryla_engine::port::{Backend, Backends};
use ryla_engine::settings::Settings;
use std::sync::Arc;

/// Why the configured backends cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadBackend {
    /// The Modal app's settings.
    #[error("MODAL_JOBS_URL, MODAL_KEY, MODAL_SECRET: {0}")]
    Modal(#[from] crate::modal::BadModalSettings),
}

/// Adapters of the configured backends, all on this client of [`crate::http::client`].
pub fn configured(settings: &Settings, http: &reqwest::Client) -> Result<Backends, BadBackend> {
    let mut backends: Vec<Arc<dyn Backend>> = Vec::new();
    if let Some(modal) = &settings.modal {
        let auth = modal.auth.as_ref().map(|(key, secret)| ProxyAuth {
            key: key.clone(),
            secret: secret.clone(),
        });
        backends.push(Arc::new(ModalBackend::new(
            modal.id.clone(),
            &modal.jobs_url,
            auth.as_ref(),
            http.clone(),
            Timeouts::default(),
        )?));
    }
    Ok(Backends::new(backends))
}
