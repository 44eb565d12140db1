//! What a worker says about its run besides the picture: how long each part took, on which GPU.

use serde::{Deserialize, Serialize};

/// Milliseconds of each part of a run, as the worker measured them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// From the backend's acceptance to a container being there.
    pub queue: u64,
    /// Container and server start.
    pub boot: u64,
    /// Loading weights.
    pub load: u64,
    /// The graph itself.
    pub run: u64,
    /// Putting the results into the bucket.
    pub upload: u64,
}

impl Timings {
    /// Milliseconds in which a GPU was ours to pay: everything but the queue.
    pub fn billed_ms(&self) -> u64 {
        [self.boot, self.load, self.run, self.upload]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Milliseconds that a warm container would have spared.
    pub fn cold_ms(&self) -> u64 {
        self.boot.saturating_add(self.load)
    }
}

/// What a worker reports at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How long each part took; absent where the backend does not say.
    pub timings: Option<Timings>,
    /// The GPU's name, at most 40 characters; absent where the backend does not say.
    pub gpu: Option<String>,
}

impl Report {
    /// The longest GPU name that is kept.
    pub const GPU_CHARS: usize = 40;

    /// A report whose GPU name is cut to what a row keeps.
    pub fn new(timings: Option<Timings>, gpu: Option<&str>) -> Self {
        Self {
            timings,
            gpu: gpu.map(|name| name.chars().take(Self::GPU_CHARS).collect()),
        }
    }
}
