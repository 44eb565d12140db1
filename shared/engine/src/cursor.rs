//! The opaque token with which a list is read on: base64url of `{v, created_at, id, direction}`, without
//! the account, so that a cursor shows nobody else's jobs whoever sends it.

use crate::port::Order;
use ryla_domain::V;
use ryla_domain::id::JobId;
use ryla_domain::time::UnixMs;
use serde::{Deserialize, Serialize};

/// Where a page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Creation time of the job before the page.
    pub created_at: UnixMs,
    /// Id of the job before the page.
    pub id: JobId,
    /// Which way the page reads.
    pub order: Order,
}

/// Not a cursor that this system has handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cursor: not one of ours; start again without it")]
pub struct BadCursor;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u32,
    t: i64,
    i: JobId,
    d: char,
}

impl Cursor {
    /// The token as it stands in a URL.
    pub fn encode(&self) -> String {
        let wire = Wire {
            v: V,
            t: self.created_at.0,
            i: self.id.clone(),
            d: match self.order {
                Order::Newest => 'n',
                Order::Oldest => 'o',
            },
        };
        let json = serde_json::to_vec(&wire).unwrap_or_default();
        data_encoding::BASE64URL_NOPAD.encode(&json)
    }

    /// Reads a token back.
    pub fn decode(token: &str) -> Result<Self, BadCursor> {
        if token.len() > 300 {
            return Err(BadCursor);
        }
        let json = data_encoding::BASE64URL_NOPAD
            .decode(token.trim_end_matches('=').as_bytes())
            .map_err(|_| BadCursor)?;
        let wire: Wire = serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        let order = match (wire.v, wire.d) {
            (V, 'n') => Order::Newest,
            (V, 'o') => Order::Oldest,
            _ => return Err(BadCursor),
        };
        if !(0..=MAX_TIME_MS).contains(&wire.t) {
            return Err(BadCursor);
        }
        Ok(Self {
            created_at: UnixMs(wire.t),
            id: wire.i,
            order,
        })
    }
}

/// The year 9999: times beyond it do not fit the index's sort key.
const MAX_TIME_MS: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_forged_one_is_refused() {
        let cursor = Cursor {
            created_at: UnixMs(1_700_000_000_000),
            id: "my-own-id".parse().unwrap(),
            order: Order::Oldest,
        };
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        let forge = |json: &str| data_encoding::BASE64URL_NOPAD.encode(json.as_bytes());
        for bad in [
            String::new(),
            "%%%".to_owned(),
            "A".repeat(400),
            forge(r#"{"v":2,"t":1,"i":"my-own-id","d":"n"}"#),
            forge(r#"{"v":1,"t":-1,"i":"my-own-id","d":"n"}"#),
            forge(r#"{"v":1,"t":1,"i":"../../etc","d":"n"}"#),
            forge(r#"{"v":1,"t":1,"i":"my-own-id","d":"x"}"#),
            forge(r#"{"v":1,"t":1,"i":"my-own-id","d":"n","account":"evil"}"#),
        ] {
            assert_eq!(Cursor::decode(&bad), Err(BadCursor), "{bad}");
        }
    }
}
