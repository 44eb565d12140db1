//! What a stack is started with, and the settings that follow from it: the caller's variables over the
//! laptop's defaults, read by the one reader of settings.

use crate::data::Data;
use crate::preview::PreviewOptions;
use ryla_domain::time::{Ms, UnixMs};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// How a stack is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where data is kept.
    pub data: Data,
    /// An API key of the account `local`; `None` takes the one that the data folder keeps, or makes one.
    pub api_key: Option<String>,
    /// HTTPS with a CA of our own.
    pub tls: bool,
    /// How the preview GPU behaves, where no backend is configured.
    pub preview: PreviewOptions,
    /// Whether leases on containers are taken; without, `warm` only counts what they do.
    pub hold: bool,
    /// What the clock of containers and leases shows first, where that is not the machine's time.
    pub containers_from: Option<UnixMs>,
    /// Settings by variable name, over the laptop's defaults ([`DEFAULTS`]). The names of table, bucket
    /// and queue are the stack's own and are ignored here.
    pub vars: BTreeMap<String, String>,
    /// After how long a message that dispatch did not carry out comes again.
    pub redelivery: Ms,
    /// Most batches of the dispatch queue at once.
    pub dispatch_concurrency: usize,
    /// Leave `dev.json` in the data folder, by which other commands find this process.
    pub dev_file: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            data: Data::Memory,
            api_key: None,
            tls: false,
            preview: PreviewOptions::default(),
            hold: true,
            containers_from: None,
            vars: BTreeMap::new(),
            redelivery: Ms::seconds(10),
            dispatch_concurrency: 8,
            dev_file: false,
        }
    }
}

impl Options {
    /// Where no lease is taken nobody says how many containers a class can have. A comparison of both, on a
    /// clock of its own, knows it from the beginning in both.
    pub(crate) fn most(&self) -> Option<u32> {
        let most = u32::try_from(self.preview.concurrency).ok();
        self.containers_from.and(most)
    }

    /// The same with one setting by its variable name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.insert(name.to_owned(), value.into());
        self
    }
}

/// Settings whose default on a laptop differs from the one in AWS.
pub const DEFAULTS: [(&str, &str); 3] = [
    ("WAIT_MAX_MS", "55000"),
    ("SWEEP_PERIOD_S", "2"),
    ("OPERATOR_ACCOUNTS", crate::stack::ACCOUNT),
];

/// What only the stack itself knows.
pub(crate) struct Own {
    pub(crate) table: String,
    pub(crate) bucket: String,
    pub(crate) queue_url: String,
    pub(crate) public_url: String,
    pub(crate) master_secret: String,
}

/// Every variable: the laptop's defaults, then the caller's, then what is not the caller's to say.
pub(crate) fn variables(vars: &BTreeMap<String, String>, own: Own) -> BTreeMap<String, String> {
    let set = |name: &str, value: String| (name.to_owned(), value);
    let mut all: BTreeMap<String, String> = DEFAULTS
        .iter()
        .map(|(name, value)| set(name, (*value).to_owned()))
        .collect();
    all.extend([
        set("PUBLIC_URL", own.public_url),
        set("MASTER_SECRETS", format!("k1:{}", own.master_secret)),
    ]);
    // An empty value means "the default", also where the default is ours.
    let given = vars.iter().filter(|(_, value)| !value.trim().is_empty());
    all.extend(given.map(|(name, value)| set(name, value.clone())));
    all.extend([
        set("TABLE_NAME", own.table),
        set("BUCKET_NAME", own.bucket),
        set("QUEUE_URL", own.queue_url),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::id::AccountId;
    use ryla_engine::settings::Settings;

    fn settings(options: &Options) -> Settings {
        let own = Own {
            table: "t".to_owned(),
            bucket: "b".to_owned(),
            queue_url: "https://queue.test/q".to_owned(),
            public_url: "http://127.0.0.1:1".to_owned(),
            master_secret: "0".repeat(64),
        };
        Settings::from_vars(variables(&options.vars, own)).unwrap()
    }

    #[test]
    fn a_laptop_waits_longer_and_sweeps_more_often_and_first_looks_at_a_job_when_aws_does() {
        let settings = settings(&Options::default());
        assert_eq!(settings.wait_max, Ms::seconds(55));
        assert_eq!(settings.timers.sweep_period, Ms::seconds(2));
        assert_eq!(settings.timers.first_due, Ms::seconds(120));
        assert_eq!(settings.output_base_url, "http://127.0.0.1:1");
        let operators: Vec<&str> = settings.operators.iter().map(AccountId::as_str).collect();
        assert_eq!(operators, [crate::stack::ACCOUNT]);
    }

    #[test]
    fn the_callers_settings_win_except_over_the_stacks_own_names() {
        let options = Options::default()
            .with("WAIT_MAX_MS", "1000")
            .with("SWEEP_PERIOD_S", "")
            .with("TABLE_NAME", "production")
            .with("PUBLIC_URL", "https://tunnel.test");
        let settings = settings(&options);
        assert_eq!(settings.wait_max, Ms::seconds(1));
        assert_eq!(settings.timers.sweep_period, Ms::seconds(2));
        assert_eq!(settings.table, "t");
        assert_eq!(settings.public_url, "https://tunnel.test");
    }
}
