//! The GPU app behind the system, where the caller names it: what only it knows of its models and its
//! starts. It is asked by its own key, and nothing else is asked of it.

use super::seen::AppSaid;
use crate::tls;
use clap::Args;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A web side that has to start first takes a few seconds.
const LIMIT: Duration = Duration::from_secs(30);

/// Where the GPU app is, by the names of the system's own settings.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "GPU app, asked what its last start downloaded")]
pub(super) struct GpuApp {
    /// Address of the GPU app
    #[arg(
        id = "modal-jobs-url",
        long,
        env = "MODAL_JOBS_URL",
        value_name = "URL"
    )]
    url: Option<String>,
    /// Its key; the variable keeps it out of the list of processes
    #[arg(
        id = "modal-key",
        long,
        env = "MODAL_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    key: Option<String>,
    /// Its secret
    #[arg(
        id = "modal-secret",
        long,
        env = "MODAL_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    secret: Option<String>,
}

/// What is read of the answer (docs/BACKENDS.md, Health).
#[derive(Debug, Deserialize)]
struct Health {
    #[serde(default)]
    missing: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    classes: BTreeMap<String, Class>,
}

#[derive(Debug, Deserialize)]
struct Class {
    workflows: Vec<String>,
    starts: u64,
    downloaded_bytes: Option<u64>,
}

impl GpuApp {
    /// What the app says of a model, or why nothing is known.
    pub(super) async fn said(&self, model: &str) -> Result<AppSaid, String> {
        let named = self.url.as_deref().map(str::trim);
        let Some(base) = named.filter(|base| !base.is_empty()) else {
            return Err("only the GPU app tells: name it with MODAL_JOBS_URL".to_owned());
        };
        let health = self.health(base).await;
        of_model(health.map_err(|why| format!("the GPU app {why}"))?, model)
    }

    async fn health(&self, base: &str) -> Result<Health, String> {
        let url = Url::parse(&format!("{}/v1/health", base.trim_end_matches('/')))
            .map_err(|_| "has no address that is a URL".to_owned())?;
        let tls = tls::config(None).map_err(|failure| failure.text())?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("ryla/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .build()
            .map_err(|_| "cannot be asked: HTTP does not start".to_owned())?;
        let request = http.get(url);
        let request = with(request, "modal-key", self.key.as_deref());
        let request = with(request, "modal-secret", self.secret.as_deref());
        // The address of the app is no part of what is said: it may be a secret.
        let answer = request.send().await;
        let answer = answer.map_err(|_| "does not answer".to_owned())?;
        if !answer.status().is_success() {
            return Err(format!("answers {}", answer.status()));
        }
        let body = answer.bytes().await;
        let body = body.map_err(|_| "breaks off its answer".to_owned())?;
        serde_json::from_slice(&body).map_err(|_| "answers nothing that can be read".to_owned())
    }
}

fn with(request: RequestBuilder, name: &str, value: Option<&str>) -> RequestBuilder {
    match value.map(str::trim).filter(|value| !value.is_empty()) {
        Some(value) => request.header(name, value),
        None => request,
    }
}

fn of_model(mut health: Health, model: &str) -> Result<AppSaid, String> {
    let missing = health.missing.remove(model).unwrap_or_default();
    let mut classes = health.classes.into_iter();
    let own = classes.find(|(_, class)| class.workflows.iter().any(|name| name == model));
    match own {
        Some((name, class)) => Ok(AppSaid {
            missing,
            class: name,
            starts: class.starts,
            downloaded_bytes: class.downloaded_bytes,
        }),
        None => Err("the GPU app says nothing of a class for this model".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_in_its_class_and_told_what_it_lacks() {
        let text = include_str!("../../../tests/fixtures/v1/modal/health.json");
        let said = |model| of_model(serde_json::from_str(text).unwrap(), model);
        let flux = said("flux-lora").unwrap();
        assert_eq!(
            (flux.class.as_str(), flux.starts, flux.downloaded_bytes),
            ("flux", 3, Some(0))
        );
        let sdxl = said("sdxl-instantid").unwrap();
        assert_eq!((sdxl.starts, sdxl.downloaded_bytes), (0, None));
        assert_eq!(sdxl.missing[0], "node ApplyInstantID");
        assert!(said("flux-pro").unwrap_err().contains("says nothing"));
        // An app of before, and the preview GPU.
        let bare = serde_json::from_str(r#"{"v":1,"workflows":["flux"]}"#).unwrap();
        assert!(of_model(bare, "flux").is_err());
    }
}
