//! Puts use cases together from ports and settings, once, in a main: each use case holds only the
//! ports that it needs.

use crate::cancel::Cancel;
use crate::complete::Complete;
use crate::count::Count;
use crate::delete::Delete;
use crate::dispatch::Dispatch;
use crate::list::List;
use crate::port::{
    AccountStore, Backends, Clock, EndpointStore, Entropy, ImageStore, JobStore, Queue,
};
use crate::read::Read;
use crate::retry::Retry;
use crate::settings::Settings;
use crate::submit::Submit;
use crate::sweep::Sweep;
use crate::wait::Wait;
use crate::warm::Warm;
use ryla_domain::route::Route;
use std::sync::Arc;

/// Every port's adapter.
#[derive(Clone)]
pub struct Ports {
    /// The table of jobs.
    pub jobs: Arc<dyn JobStore>,
    /// API keys.
    pub accounts: Arc<dyn AccountStore>,
    /// Endpoints that are kept warm.
    pub endpoints: Arc<dyn EndpointStore>,
    /// The bucket.
    pub images: Arc<dyn ImageStore>,
    /// The dispatch queue.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    /// Accepts requests for the configured backends.
    pub fn submit(&self, settings: &Settings) -> Submit {
        Submit {
            jobs: Arc::clone(&self.jobs),
            images: Arc::clone(&self.images),
            queue: Arc::clone(&self.queue),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            secrets: settings.secrets.clone(),
            timers: settings.timers.clone(),
            route: configured(settings),
            retention: settings.retention,
        }
    }

    /// Reads one job.
    pub fn read(&self) -> Read {
        Read {
            jobs: Arc::clone(&self.jobs),
            images: Arc::clone(&self.images),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Waits for a job to end.
    pub fn wait(&self) -> Wait {
        Wait {
            jobs: Arc::clone(&self.jobs),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Lists jobs.
    pub fn list(&self) -> List {
        List {
            jobs: Arc::clone(&self.jobs),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Cancels jobs.
    pub fn cancel(&self, settings: &Settings) -> Cancel {
        Cancel {
            jobs: Arc::clone(&self.jobs),
            queue: Arc::clone(&self.queue),
            clock: Arc::clone(&self.clock),
            timers: settings.timers.clone(),
        }
    }

    /// Removes outputs and inputs.
    pub fn delete(&self) -> Delete {
        Delete {
            jobs: Arc::clone(&self.jobs),
            images: Arc::clone(&self.images),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Repeats jobs.
    pub fn retry(&self, settings: &Settings) -> Retry {
        Retry {
            read: self.read(),
            submit: self.submit(settings),
        }
    }

    /// Takes workers' callbacks.
    pub fn complete(&self, settings: &Settings) -> Complete {
        Complete {
            jobs: Arc::clone(&self.jobs),
            images: Arc::clone(&self.images),
            clock: Arc::clone(&self.clock),
            timers: settings.timers.clone(),
            route: configured(settings),
            count: self.count(settings),
        }
    }

    /// Counts for `warm`; `None` where that is off.
    fn count(&self, settings: &Settings) -> Option<Count> {
        let (store, clock) = (Arc::clone(&self.endpoints), Arc::clone(&self.clock));
        settings.warm.map(|_| Count::new(store, clock))
    }

    /// Starts and stops runs.
    pub fn dispatch(&self, settings: &Arc<Settings>, backends: &Backends) -> Dispatch {
        Dispatch {
            jobs: Arc::clone(&self.jobs),
            images: Arc::clone(&self.images),
            queue: Arc::clone(&self.queue),
            clock: Arc::clone(&self.clock),
            complete: self.complete(settings),
            backends: backends.clone(),
            settings: Arc::clone(settings),
            count: self.count(settings),
            newest: ryla_domain::V,
        }
    }

    /// Keeps containers warm while that pays; `None` where that is off.
    pub fn warm(&self, settings: &Arc<Settings>, backends: &Backends) -> Option<Warm> {
        settings.warm.map(|prices| Warm {
            endpoints: Arc::clone(&self.endpoints),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            backends: backends.clone(),
            settings: Arc::clone(settings),
            prices,
            spread: Warm::SPREAD,
        })
    }

    /// Looks at what is due.
    pub fn sweep(&self, settings: &Settings, backends: &Backends) -> Sweep {
        Sweep {
            jobs: Arc::clone(&self.jobs),
            queue: Arc::clone(&self.queue),
            clock: Arc::clone(&self.clock),
            complete: self.complete(settings),
            backends: backends.clone(),
            settings: Arc::new(settings.clone()),
        }
    }
}

/// The backends that the settings name, best first.
fn configured(settings: &Settings) -> Route {
    Route::new(
        settings
            .modal
            .iter()
            .map(|modal| modal.id.clone())
            .collect(),
    )
}
