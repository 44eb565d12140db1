//! One lock per object: a conditional PUT looks and then writes, and of two at once only one may find
//! nothing there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// How many locks are kept before those that nobody holds are dropped.
const KEPT: usize = 1024;

/// Locks by object name.
#[derive(Debug, Default)]
pub(super) struct KeyLocks(Mutex<HashMap<String, Arc<RwLock<()>>>>);

impl KeyLocks {
    /// Nobody else reads or writes that object until the guard is dropped.
    pub(super) async fn write(&self, name: &str) -> OwnedRwLockWriteGuard<()> {
        self.lock(name).write_owned().await
    }

    /// Nobody writes that object until the guard is dropped.
    pub(super) async fn read(&self, name: &str) -> OwnedRwLockReadGuard<()> {
        self.lock(name).read_owned().await
    }

    fn lock(&self, name: &str) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.len() >= KEPT {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(locks.entry(name.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_that_is_held_is_never_dropped_and_the_others_are() {
        let locks = KeyLocks::default();
        let held = locks.write("held").await;
        for n in 0..KEPT * 2 {
            drop(locks.write(&n.to_string()).await);
        }
        assert!(locks.0.lock().unwrap().len() <= KEPT);
        assert!(locks.lock("held").try_read().is_err());
        drop(held);
        assert!(locks.lock("held").try_read().is_ok());
    }
}
