//! Leases on warm containers, kept in a file: they outlive the HTTP side that takes them and the process
//! itself. A task that shares nothing with the HTTP side but that file and the containers lowers every
//! floor whose lease is over, also one without a lease. A short window stays: `warm` sets one for an endpoint
//! that nobody uses, and then has nothing more to say.

use super::containers::Containers;
use crate::data::write_private;
use ryla_backends::modal::wire::{WarmClass, WarmRequest};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The leases are looked at this often, and when the first of them ends.
const LOOK: Ms = Ms::seconds(60);

/// A lease as it lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    #[serde(flatten)]
    class: WarmClass,
    until: UnixMs,
}

/// The file of leases, by class.
#[derive(Debug)]
pub(super) struct LeaseBook {
    path: PathBuf,
    /// One reader or writer at a time.
    turn: Mutex<()>,
}

impl LeaseBook {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Mutex::new(()),
        }
    }

    /// Writes the leases down, then asks for their floors: who dies in between leaves a lease to be found.
    pub(super) fn take(&self, wanted: &WarmRequest, containers: &Containers) -> anyhow::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut leases = self.read();
        for (name, class) in &wanted.classes {
            let before = containers.state_of(name).map(|state| state.window);
            let lease = Lease {
                class: WarmClass {
                    // Left out it is as before, and who lowers the floor after a restart has to find that.
                    window_s: class.window_s.or_else(|| before.map(whole_seconds)),
                    ..*class
                },
                until: wanted.lease_until,
            };
            leases.insert(name.clone(), lease);
        }
        write_private(&self.path, &serde_json::to_vec_pretty(&leases)?)?;
        for (name, class) in &wanted.classes {
            containers.set(name, class.floor, class.window_s.map(seconds));
        }
        Ok(())
    }

    /// Sets every class to its lease, or lowers it where none holds; says when to look again.
    fn settle(&self, containers: &Containers, now: UnixMs) -> Ms {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let leases = self.read();
        let mut look = LOOK;
        for name in containers.classes().iter().copied() {
            let lease = leases.get(name);
            let window = lease.and_then(|lease| lease.class.window_s.map(seconds));
            match lease.filter(|lease| lease.until > now) {
                Some(lease) => {
                    containers.set(name, lease.class.floor, window);
                    look = look.min(lease.until.since(now));
                }
                None => containers.lower(name, window),
            }
        }
        look
    }

    /// What lies in the file; nothing where it cannot be read, so that no floor stays for that.
    fn read(&self) -> BTreeMap<String, Lease> {
        let read = match std::fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return BTreeMap::new(),
            Err(error) => Err(error),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(std::io::Error::other),
        };
        read.unwrap_or_else(|error| {
            let error = error.to_string();
            tracing::warn!(event = "port", call = "leases.read", error, "port failed");
            BTreeMap::new()
        })
    }
}

/// Keeps every floor to its lease, for as long as it is polled.
pub(super) async fn keep(book: Arc<LeaseBook>, containers: Arc<Containers>, clock: Arc<dyn Clock>) {
    loop {
        let look = book.settle(&containers, clock.now());
        clock.sleep(look).await;
    }
}

fn seconds(window_s: u32) -> Ms {
    Ms::seconds(window_s.into())
}

fn whole_seconds(window: Ms) -> u32 {
    u32::try_from(window.0 / 1000).unwrap_or(u32::MAX)
}
