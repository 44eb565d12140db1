//! Who may call: API keys are stored as SHA-256 and lead to an account.

use super::StoreError;
use async_trait::async_trait;
use ryla_domain::id::AccountId;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of an API key: the only form in which a key is stored or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a key as a client sent it.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// The holder of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
}

/// API keys and their accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The account that the key belongs to; `None` for an unknown key.
    async fn holder(&self, key: &KeyHash) -> Result<Option<Account>, StoreError>;
    /// Stores a key of that account; storing it again changes nothing.
    async fn add_key(&self, key: &KeyHash, account: &Account) -> Result<(), StoreError>;
}
