//! Who calls: an API key leads to its account. Look-ups are cached for 60 s, so that a polling client
//! costs one read per poll and not two; a key that is removed works that much longer.

use crate::problem::Refusal;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Account, AccountStore, KeyHash};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const CACHED: Ms = Ms::seconds(60);
const MOST_CACHED: usize = 1_000;

/// The accounts of keys seen lately.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<HashMap<KeyHash, (UnixMs, Account)>>);

impl KeyCache {
    /// The holder of the key, from the cache or the store. Unknown keys are not cached.
    pub(crate) async fn holder(
        &self,
        accounts: &dyn AccountStore,
        key: Option<&str>,
        now: UnixMs,
    ) -> Result<Account, Refusal> {
        let hash = KeyHash::of(key.ok_or(Refusal::Unauthorized)?);
        if let Some(account) = self.cached(&hash, now) {
            return Ok(account);
        }
        let found = accounts.holder(&hash).await?;
        let account = found.ok_or(Refusal::Unauthorized)?;
        self.remember(hash, account.clone(), now);
        Ok(account)
    }

    fn cached(&self, hash: &KeyHash, now: UnixMs) -> Option<Account> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, account) = cache.get(hash)?;
        (now.since(*at) < CACHED).then(|| account.clone())
    }

    fn remember(&self, hash: KeyHash, account: Account, now: UnixMs) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MOST_CACHED {
            cache.retain(|_, (at, _)| now.since(*at) < CACHED);
        }
        if cache.len() < MOST_CACHED {
            cache.insert(hash, (now, account));
        }
    }
}
