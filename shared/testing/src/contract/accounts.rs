//! What every [`AccountStore`] does.

use super::fresh;
use ryla_engine::port::{Account, AccountStore, KeyHash};

/// The whole contract.
pub async fn all(store: &dyn AccountStore) {
    a_key_leads_to_its_account(store).await;
    an_unknown_key_leads_nowhere(store).await;
    a_key_stays_with_its_first_account(store).await;
}

fn account(name: &str) -> Account {
    Account {
        id: fresh(name).parse().unwrap(),
    }
}

/// Two keys of one account, one of another.
pub async fn a_key_leads_to_its_account(store: &dyn AccountStore) {
    let (first, second) = (account("first"), account("second"));
    let keys = [&first, &first, &second].map(|account| (KeyHash::of(&fresh("key")), account));
    for (key, account) in &keys {
        store.add_key(key, account).await.unwrap();
    }
    for (key, account) in &keys {
        let holder = store.holder(key).await.unwrap();
        assert_eq!(holder.as_ref(), Some(*account), "holder of an added key");
    }
}

/// Not an error: the edge answers 401.
pub async fn an_unknown_key_leads_nowhere(store: &dyn AccountStore) {
    let holder = store.holder(&KeyHash::of(&fresh("key"))).await.unwrap();
    assert_eq!(holder, None, "holder of a key that was never added");
}

/// Adding a key again changes nothing, whoever asks for it.
pub async fn a_key_stays_with_its_first_account(store: &dyn AccountStore) {
    let key = KeyHash::of(&fresh("key"));
    let (first, second) = (account("first"), account("second"));
    for account in [&first, &first, &second] {
        store.add_key(&key, account).await.unwrap();
    }
    assert_eq!(
        store.holder(&key).await.unwrap(),
        Some(first),
        "holder after three adds"
    );
}
