//! The one reader of settings: every variable with its default, what is allowed, and where the
//! template gets it from. A wrong value stops the start and is named; nothing else reads the
//! environment.

mod variables;
mod warm;

pub use warm::WarmSettings;

pub use variables::{VARIABLES, Variable, env_example};

use crate::signature::MasterSecrets;
use ryla_domain::id::{AccountId, BackendId};
use ryla_domain::output::Retention;
use ryla_domain::time::Ms;
use ryla_domain::timers::Timers;
use secrecy::SecretString;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

/// The settings that the process's environment holds; nothing else reads it.
pub fn vars_of_env() -> impl Iterator<Item = (String, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the environment"
    )]
    let vars = std::env::vars_os();
    vars.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| VARIABLES.iter().any(|variable| variable.name == name))
}

/// A setting whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not allowed to be what it is. {help}")]
pub struct BadSetting {
    /// The variable.
    pub name: &'static str,
    /// What is allowed.
    pub help: &'static str,
}

/// Everything that is wrong with the settings, so that one start shows all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))]
pub struct BadSettings(pub Vec<BadSetting>);

/// How to reach our Modal app.
#[derive(Clone, Debug)]
pub struct ModalSettings {
    /// Its name in routes: `modal`, or `preview` where the preview GPU stands in.
    pub id: BackendId,
    /// Base URL.
    pub jobs_url: String,
    /// Proxy-auth token id and secret.
    pub auth: Option<(SecretString, SecretString)>,
    /// Run limit that replaces [`Timers::run_limit`].
    pub run_limit: Option<Ms>,
}

/// The settings, read once and handed over.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `BUCKET_NAME`
    pub bucket: String,
    /// `QUEUE_URL`
    pub queue_url: String,
    /// `PUBLIC_URL`, without a slash at its end.
    pub public_url: String,
    /// `OUTPUT_BASE_URL`, without a slash at its end.
    pub output_base_url: String,
    /// `MASTER_SECRETS`
    pub secrets: MasterSecrets,
    /// `LOG_LEVEL`
    pub log_level: String,
    /// `WAIT_MAX_MS`
    pub wait_max: Ms,
    /// `MODAL_*`; `None` where no Modal app is configured.
    pub modal: Option<ModalSettings>,
    /// `COMFYUI_TIMEOUT`
    pub comfyui_run_limit: Option<Ms>,
    /// `CONNECT_TIMEOUT_S`
    pub connect_timeout: Ms,
    /// `DOWNLOAD_TIMEOUT_S`
    pub download_timeout: Ms,
    /// The limits of every job.
    pub timers: Timers,
    /// `RETENTION_DAYS`
    pub retention: Retention,
    /// `WARM_*`; `None` where nothing is kept warm and nothing is counted for it.
    pub warm: Option<WarmSettings>,
    /// `OPERATOR_ACCOUNTS`: whose keys may read what concerns all accounts.
    pub operators: BTreeSet<AccountId>,
    /// `METRICS_NAMESPACE`
    pub metrics_namespace: String,
}

impl Settings {
    /// Reads every setting from name-value pairs, such as the environment's.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, BadSettings> {
        let mut reader = Reader {
            vars: vars.into_iter().collect(),
            bad: Vec::new(),
        };
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.bad.is_empty() => Ok(settings),
            _ => Err(BadSettings(reader.bad)),
        }
    }

    /// Reads every setting from the process's environment.
    pub fn from_env() -> Result<Self, BadSettings> {
        Self::from_vars(vars_of_env())
    }

    /// How long a run may take on that backend.
    pub fn run_limit(&self, backend: &BackendId, media: ryla_domain::model::Media) -> Ms {
        self.timers_on(backend).run_limit_of(media)
    }

    /// The limits of a job while it is on that backend.
    pub fn timers_on(&self, backend: &BackendId) -> Timers {
        let own = self
            .modal
            .as_ref()
            .filter(|modal| modal.id == *backend)
            .and_then(|modal| modal.run_limit);
        Timers {
            run_limit: own.unwrap_or(self.timers.run_limit),
            run_limit_video: own.unwrap_or(self.timers.run_limit_video),
            ..self.timers.clone()
        }
    }
}

struct Reader {
    vars: HashMap<String, String>,
    bad: Vec<BadSetting>,
}

impl Reader {
    fn settings(&mut self) -> Option<Settings> {
        let public_url = self.url("PUBLIC_URL");
        let output_base_url = Some(self.url("OUTPUT_BASE_URL"))
            .filter(|url| !url.is_empty())
            .unwrap_or_else(|| public_url.clone());
        let secrets = self.text("MASTER_SECRETS");
        let secrets = MasterSecrets::parse(&secrets).ok();
        if secrets.is_none() {
            self.refuse("MASTER_SECRETS");
        }
        let retention = self
            .number("RETENTION_DAYS", 1, 365)
            .and_then(|days| u16::try_from(days).ok())
            .and_then(Retention::of_days);
        if retention.is_none() {
            self.refuse("RETENTION_DAYS");
        }
        let log_level = self.choice("LOG_LEVEL", &["error", "warn", "info", "debug", "trace"]);
        let modal = self.modal();
        let comfyui_run_limit = self.optional("COMFYUI_TIMEOUT", 1, 3600).map(Ms::seconds);
        let timers = self.timers();
        let warm = self.warm();
        let operators = self.operators();
        let metrics_namespace = self.namespace("METRICS_NAMESPACE");
        Some(Settings {
            table: self.text("TABLE_NAME"),
            bucket: self.text("BUCKET_NAME"),
            queue_url: self.url("QUEUE_URL"),
            public_url,
            output_base_url,
            secrets: secrets?,
            log_level,
            wait_max: Ms(self.number("WAIT_MAX_MS", 0, 55_000)?),
            modal,
            comfyui_run_limit,
            connect_timeout: self.seconds("CONNECT_TIMEOUT_S", 1, 60)?,
            download_timeout: self.seconds("DOWNLOAD_TIMEOUT_S", 1, 600)?,
            timers: timers?,
            retention: retention?,
            warm,
            operators,
            metrics_namespace,
        })
    }

    fn timers(&mut self) -> Option<Timers> {
        let start_limit = self.seconds("START_LIMIT_S", 1, 3600);
        let silence = self.seconds("SILENCE_S", 1, 3600);
        let run_limit = self.seconds("RUN_LIMIT_S", 1, 3600);
        let run_limit_video = self.seconds("RUN_LIMIT_VIDEO_S", 1, 3600);
        let cancel_limit = self.seconds("CANCEL_LIMIT_S", 1, 600);
        let dispatch_timeout = self.seconds("DISPATCH_TIMEOUT_S", 5, 900);
        let max_attempts = self.number("MAX_ATTEMPTS", 1, 9);
        let deadline = self.seconds("DEADLINE_S", 10, 86_400);
        let deadline_video = self.seconds("DEADLINE_VIDEO_S", 10, 86_400);
        let first_due = self.seconds("FIRST_DUE_S", 1, 3600);
        let sweep_period = self.seconds("SWEEP_PERIOD_S", 1, 3600);
        let max_due_tries = self.number("MAX_DUE_TRIES", 1, 1000);
        let progress_interval = self.seconds("PROGRESS_INTERVAL_S", 1, 60);
        let presign = self.seconds("PRESIGN_S", 60, 43_200);
        Some(Timers {
            start_limit: start_limit?,
            silence: silence?,
            run_limit: run_limit?,
            run_limit_video: run_limit_video?,
            cancel_limit: cancel_limit?,
            dispatch_timeout: dispatch_timeout?,
            max_attempts: u8::try_from(max_attempts?).ok()?,
            deadline: deadline?,
            deadline_video: deadline_video?,
            first_due: first_due?,
            sweep_period: sweep_period?,
            max_due_tries: u32::try_from(max_due_tries?).ok()?,
            progress_interval: progress_interval?,
            presign: presign?,
        })
    }

    fn modal(&mut self) -> Option<ModalSettings> {
        let wanted = self.choice("USE_MODAL", &["", "true", "false"]) != "false";
        let jobs_url = self.url("MODAL_JOBS_URL");
        let (key, secret) = (self.text("MODAL_KEY"), self.text("MODAL_SECRET"));
        let run_limit = self.optional("MODAL_TIMEOUT", 1000, 3_600_000).map(Ms);
        if key.is_empty() != secret.is_empty() {
            self.refuse(if key.is_empty() {
                "MODAL_KEY"
            } else {
                "MODAL_SECRET"
            });
        }
        let auth = (!key.is_empty()).then(|| (key.into(), secret.into()));
        (wanted && !jobs_url.is_empty()).then(|| ModalSettings {
            id: modal_id(),
            jobs_url,
            auth,
            run_limit,
        })
    }

    fn text(&self, name: &'static str) -> String {
        let default = VARIABLES
            .iter()
            .find(|variable| variable.name == name)
            .map_or("", |variable| variable.default);
        let value = self.vars.get(name).map_or("", |value| value.trim());
        if value.is_empty() { default } else { value }.to_owned()
    }

    fn refuse(&mut self, name: &'static str) {
        let help = VARIABLES
            .iter()
            .find(|variable| variable.name == name)
            .map_or("", |variable| variable.help);
        if !self.bad.iter().any(|bad| bad.name == name) {
            self.bad.push(BadSetting { name, help });
        }
    }

    fn number(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let number = u64::from_str(&self.text(name))
            .ok()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.refuse(name);
        }
        number
    }

    fn optional(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        if self.text(name).is_empty() {
            return None;
        }
        self.number(name, least, most)
    }

    fn seconds(&mut self, name: &'static str, least: u64, most: u64) -> Option<Ms> {
        self.number(name, least, most).map(Ms::seconds)
    }

    fn choice(&mut self, name: &'static str, allowed: &[&str]) -> String {
        let value = self.text(name);
        if !allowed.contains(&value.as_str()) {
            self.refuse(name);
        }
        value
    }

    fn url(&mut self, name: &'static str) -> String {
        let value = self.text(name);
        let fine = value.is_empty()
            || url::Url::parse(&value).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
            });
        if !fine {
            self.refuse(name);
        }
        value.trim_end_matches('/').to_owned()
    }
}

/// The name of the Modal backend in routes and rows.
fn modal_id() -> BackendId {
    match BackendId::from_str("modal") {
        Ok(id) => id,
        Err(_) => unreachable!("`modal` has the form of a backend's name"),
    }
}

#[cfg(test)]
mod tests;
