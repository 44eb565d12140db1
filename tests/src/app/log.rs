//! The log of one test: every line of its thread, and every span, which no setting shows, at `debug` for
//! our crates and `info` for all others. No secret may stand in it, and nothing logged is a
//! failure as well.

use ryla_domain::job::Job;
use ryla_engine::log::targets;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;

/// What every signed URL and every signature has, whoever made it.
const SIGNED: [&str; 5] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "x-amz-security-token",
    "AWS4-HMAC-SHA256",
    ",v1=",
];

/// Secrets shorter than this would be found in words.
const SHORTEST: usize = 8;

/// Of a long text the beginning will do: a log may cut it.
const LONGEST: usize = 24;

/// Collects until it is dropped. A test's runtime has one thread, and so has its log.
pub(crate) struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    secrets: Mutex<BTreeSet<String>>,
    words: Mutex<HashSet<String>>,
    _guard: DefaultGuard,
}

#[derive(Clone)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything that this thread logs from now on.
    pub(super) fn collect(level: &str) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            // The log shows no spans, but whoever exports traces would.
            .with_span_events(FmtSpan::NEW)
            .with_max_level(LevelFilter::TRACE)
            .with_writer(Sink(Arc::clone(&text)))
            .finish()
            .with(targets(level));
        Self {
            text,
            secrets: Mutex::default(),
            words: Mutex::default(),
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    /// Its lines so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// From now on no line may hold this.
    pub(crate) fn never(&self, secret: &str) {
        let secret: String = secret.chars().take(LONGEST).collect();
        if secret.len() >= SHORTEST {
            self.secrets.lock().unwrap().insert(secret);
        }
    }

    /// The same for a secret of letters and digits only, of which a flood of jobs has thousands.
    pub(super) fn never_word(&self, secret: &str) {
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        self.words.lock().unwrap().insert(secret.to_owned());
    }

    /// Prompts and keys of a request are secrets.
    pub(super) fn never_parts_of(&self, request: &reqwest::Request) {
        for name in ["authorization", "idempotency-key", "x-ryla-signature"] {
            if let Some(value) = request.headers().get(name) {
                let value = value.to_str().unwrap();
                self.never(value.strip_prefix("Bearer ").unwrap_or(value));
            }
        }
        let body = request.body().and_then(|body| body.as_bytes());
        let body: Value = serde_json::from_slice(body.unwrap_or_default()).unwrap_or_default();
        for field in ["prompt", "negative_prompt"] {
            self.never(body["input"][field].as_str().unwrap_or_default());
        }
    }

    /// No line holds a secret.
    pub(super) fn assert_clean(&self) {
        let (secrets, words) = (self.secrets.lock().unwrap(), self.words.lock().unwrap());
        for line in self.text().lines() {
            let in_text = secrets.iter().map(String::as_str).chain(SIGNED);
            let in_text = in_text.filter(|secret| line.contains(secret));
            let as_words = line.split(|c: char| !c.is_ascii_alphanumeric());
            let as_words = as_words.filter(|word| words.contains(*word));
            let found: Vec<&str> = in_text.chain(as_words).collect();
            assert!(found.is_empty(), "leaked into the log: {found:?} in {line}");
        }
    }

    /// The life of every job stands in the log, from its acceptance to its end.
    pub(super) fn assert_tells_of(&self, jobs: &[Job]) {
        let lines = self.lines();
        let moves = lines.iter().filter(|line| line["event"] == "state");
        let told: HashSet<(&str, &str)> = moves
            .filter_map(|line| {
                let (job, _attempt) = line["run"].as_str()?.rsplit_once('.')?;
                Some((job, line["to"].as_str()?))
            })
            .collect();
        for job in jobs {
            for to in ["accepted", job.state.phase().name()] {
                let key = job.key.to_string();
                assert!(told.contains(&(key.as_str(), to)), "{key} {to}: not logged");
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
