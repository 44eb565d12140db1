//! API keys and their accounts in memory.

use super::lock;
use async_trait::async_trait;
use ryla_engine::port::{Account, AccountStore, KeyHash, StoreError};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// API keys and their accounts in memory.
#[derive(Debug, Default)]
pub struct MemoryAccountStore {
    keys: Mutex<HashMap<KeyHash, Account>>,
    reads: AtomicU64,
}

impl MemoryAccountStore {
    /// How often a key was looked up: what a cache spares.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl AccountStore for MemoryAccountStore {
    async fn holder(&self, key: &KeyHash) -> Result<Option<Account>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(lock(&self.keys).get(key).cloned())
    }

    async fn add_key(&self, key: &KeyHash, account: &Account) -> Result<(), StoreError> {
        lock(&self.keys)
            .entry(*key)
            .or_insert_with(|| account.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[tokio::test]
    async fn the_memory_accounts_keep_the_contract() {
        contract::accounts::all(&MemoryAccountStore::default()).await;
    }
}
