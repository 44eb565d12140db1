//! The log of one test.

use serde_json::{Map, Value};
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use tracing::subscriber::DefaultGuard;

/// Collects every line of this thread's log as it would stand there, at any level of ours.
pub(super) struct Lines {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl Lines {
    pub(super) fn collect() -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Sink(Arc::clone(&text));
        let subscriber = ryla_engine::log::lines("trace", move || sink.clone());
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Everything so far.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    /// Every event and every field is one that docs/LOGGING.md explains.
    pub(super) fn assert_documented(&self) {
        for line in self.text().lines() {
            let fields: Map<String, Value> = serde_json::from_str(line).unwrap();
            let event = fields["event"].as_str().unwrap();
            for name in fields.keys().map(String::as_str).chain([event]) {
                assert!(PAGE.contains(&format!("`{name}`")), "{name} in {line}");
            }
        }
    }

    /// The lines of that event so far.
    pub(super) fn of(&self, event: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["event"] == event)
            .collect()
    }
}

/// The page that says what stands in the log.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/LOGGING.md");
    std::fs::read_to_string(path).unwrap()
});

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
