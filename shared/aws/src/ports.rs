//! Every port of the engine on these clients, put together once in a main.

use crate::Aws;
use ryla_engine::settings::Settings;
use ryla_engine::system::{OsEntropy, SystemClock};
use ryla_engine::wiring::Ports;
use std::sync::Arc;

impl Aws {
    /// The ports on the table, bucket and queue that the settings name, with the machine's own clock
    /// and randomness.
    pub fn ports(&self, settings: &Settings) -> Ports {
        Ports {
            jobs: Arc::new(self.jobs(&settings.table)),
            accounts: Arc::new(self.accounts(&settings.table)),
            endpoints: Arc::new(self.endpoints(&settings.table)),
            images: Arc::new(self.images(&settings.bucket)),
            queue: Arc::new(self.queue(&settings.queue_url)),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }
}
