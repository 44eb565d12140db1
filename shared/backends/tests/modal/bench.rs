//! An adapter in front of a scripted app, the run that it is asked to start, and the log lines that it
//! writes meanwhile. Everything secret in them contains the word `hush`.

use crate::app::{App, Play};
use ryla_backends::http::client;
use ryla_backends::modal::{ModalBackend, ProxyAuth, Timeouts};
use ryla_domain::id::{Run, TraceId};
use ryla_domain::output::Format;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{CallbackTarget, OutputSlot, RunRequest, SignedPut, SignedUrl, Work};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;

pub(crate) const RUN: &str = "acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1";

pub(crate) fn run() -> Run {
    RUN.parse().unwrap()
}

pub(crate) fn trace() -> TraceId {
    "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap()
}

/// The run that every test starts.
pub(crate) fn request() -> RunRequest {
    request_for(json!({"prompt": "hush, a lighthouse at dusk"}))
}

pub(crate) fn request_for(params: Value) -> RunRequest {
    RunRequest {
        run: run(),
        workflow: "flux-dev".to_owned(),
        work: Work::Params(params),
        inputs: Vec::new(),
        outputs: vec![OutputSlot {
            slot: 0,
            format: Format::Jpg,
            put: SignedPut {
                url: SignedUrl::new("https://bucket.example.com/o?X-Amz-Signature=hush".to_owned()),
                headers: vec![
                    ("Content-Type".to_owned(), "image/jpeg".to_owned()),
                    ("If-None-Match".to_owned(), "*".to_owned()),
                ],
            },
        }],
        callback: CallbackTarget {
            url: "https://api.example.com/v1/callbacks/modal/acme/7kq2m4xv5r6tzwbc3nayjhd4pf/1"
                .to_owned(),
            kid: "k1".to_owned(),
            key: SecretString::from("hush-key"),
        },
        deadline_at: UnixMs(1_763_719_200_000),
        run_limit: Ms(200_000),
        trace: trace(),
    }
}

/// Short enough for a test, long enough for a busy machine to answer in.
const PATIENCE: Ms = Ms::seconds(5);

/// For what never answers.
const IMPATIENCE: Ms = Ms(300);

/// The adapter in front of that app.
pub(crate) fn backend(app: &App, play: &Play) -> ModalBackend {
    let never = matches!(play, Play::Hang);
    let patience = if never { IMPATIENCE } else { PATIENCE };
    let silent = matches!(play, Play::SilentUnderTls);
    let connect = if silent { IMPATIENCE } else { PATIENCE };
    let auth = ProxyAuth {
        key: SecretString::from("wk-hush"),
        secret: SecretString::from("ws-hush"),
    };
    ModalBackend::new(
        "modal".parse().unwrap(),
        &app.base,
        Some(&auth),
        client(connect, None).unwrap(),
        Timeouts {
            start: patience,
            check: patience,
            cancel: patience,
            lease: patience,
        },
    )
    .unwrap()
}

/// Collects the log lines of this thread until it is dropped.
pub(crate) struct Lines {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl Lines {
    pub(crate) fn collect() -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Sink(Arc::clone(&text));
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .without_time()
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || sink.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<Value> {
        let text = std::mem::take(&mut *self.text.lock().unwrap());
        String::from_utf8(text)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[derive(Clone)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
