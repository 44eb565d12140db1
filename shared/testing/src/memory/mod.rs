//! The ports in memory: what the real adapters do, without a network. Each passes the same contract
//! suite as its real counterpart.

mod accounts;
mod effect;
mod endpoints;
mod images;
mod jobs;
mod queue;
mod row;

pub use accounts::MemoryAccountStore;
pub use endpoints::MemoryEndpointStore;
pub use images::{MemoryImageStore, StoredObject};
pub use jobs::MemoryJobStore;
pub use queue::{MemoryQueue, Message};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a test has panicked with the lock in its hands.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
