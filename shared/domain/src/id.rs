//! Names of things: account, job, attempt, run, claim, backend, trace, output token. Each is parsed
//! once at an edge and is valid from then on. A job is only ever named together with its account.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Length of a generated id: 128 bits in lower-case base32 without padding.
pub const GENERATED_ID_CHARS: usize = 26;

/// A name that does not have the form its kind asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must match {form}")]
pub struct BadName {
    /// What was being named.
    pub kind: &'static str,
    /// The form it must have, as a regular expression.
    pub form: &'static str,
}

/// Bytes as lower-case base32 (RFC 4648 alphabet, no padding): 16 bytes make 26 characters, 20 make 32.
pub fn base32(bytes: &[u8]) -> String {
    data_encoding::BASE32_NOPAD
        .encode(bytes)
        .to_ascii_lowercase()
}

/// Declares a text newtype whose form is checked by `FromStr` and kept through serde.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $form:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadName { kind: $kind, form: $form })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_word(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

name!(
    /// Who owns a job: comes from the caller's API key, never from a path.
    AccountId, "an account", "[a-z0-9][a-z0-9-]{0,39}", |t| is_word(t, 1..=40)
);
name!(
    /// A job within its account: 26 generated base32 characters, or the client's own choice.
    JobId, "a prediction id", "[a-z0-9][a-z0-9-]{7,63}", |t| is_word(t, 8..=64)
);
name!(
    /// A configured GPU backend, such as `modal` or `preview`.
    BackendId, "a backend", "[a-z0-9][a-z0-9-]{0,19}", |t| is_word(t, 1..=20)
);
name!(
    /// A GPU class, such as `flux`: models of one class share containers, breaker and floor.
    GpuClass, "a GPU class", "[a-z0-9][a-z0-9_-]{0,39}", |t| is_word(&t.replace('_', "-"), 1..=40)
);
name!(
    /// 32 hexadecimal digits that follow one request through every process (W3C trace id).
    TraceId, "a trace id", "[0-9a-f]{32}", |t| is_hex(t, 32) && t.bytes().any(|b| b != b'0')
);
name!(
    /// 160 random bits in the URL of an output: who has it has the picture.
    OutputToken, "an output token", "[a-z2-7]{32}", |t| t.len() == 32
        && t.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
);
name!(
    /// The invocation that holds a claim on a job. A failed claim that finds its own id was won.
    ClaimId, "a claim", "[!-~]{1,64}", |t| (1..=64).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_graphic())
);
name!(
    /// The backend's own name for a run (Modal's call id, a ComfyUI prompt id): information only.
    CallId, "a call id", "[!-~]{1,128}", |t| (1..=128).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_graphic())
);

impl JobId {
    /// A generated id from 16 bytes (random, or a keyed hash for idempotency).
    pub fn generated(bytes: &[u8; 16]) -> Self {
        Self(base32(bytes))
    }
}

impl OutputToken {
    /// A token from 20 random bytes.
    pub fn generated(bytes: &[u8; 20]) -> Self {
        Self(base32(bytes))
    }
}

impl TraceId {
    /// A trace id from 16 random bytes; all zeros is not a trace id and becomes the smallest one.
    pub fn generated(bytes: &[u8; 16]) -> Self {
        let text = data_encoding::HEXLOWER.encode(bytes);
        if bytes.iter().all(|b| *b == 0) {
            Self(format!("{}1", "0".repeat(31)))
        } else {
            Self(text)
        }
    }
}

/// A job together with its account: no port takes a bare job id, so no caller can name another's job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The owner, from the caller's API key.
    pub account: AccountId,
    /// The job within the account.
    pub id: JobId,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.account, self.id)
    }
}

/// Which attempt of a job: counts from 1, fences stale workers, and is the backend's idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(u8);

impl Attempt {
    /// The first attempt of every job.
    pub const FIRST: Self = Self(1);

    /// The attempt after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number, from 1.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u64> for Attempt {
    type Error = BadName;
    fn try_from(number: u64) -> Result<Self, BadName> {
        match u8::try_from(number) {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(BadName {
                kind: "an attempt",
                form: "[1-9][0-9]{0,2}",
            }),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One attempt of one job as it is named outside the table: `account.job.attempt`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Run {
    /// The job.
    pub key: JobKey,
    /// Which attempt of it.
    pub attempt: Attempt,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.key, self.attempt)
    }
}

impl From<Run> for String {
    fn from(run: Run) -> Self {
        run.to_string()
    }
}

impl TryFrom<String> for Run {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl FromStr for Run {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            kind: "a run",
            form: "account.job.attempt",
        };
        let mut parts = text.split('.');
        let (Some(account), Some(id), Some(attempt), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad);
        };
        Ok(Self {
            key: JobKey {
                account: account.parse()?,
                id: id.parse()?,
            },
            // One spelling only: a parser of numbers also takes `01` and `+1`.
            attempt: attempt
                .parse::<u64>()
                .ok()
                .filter(|number| number.to_string() == attempt)
                .ok_or(bad)
                .and_then(Attempt::try_from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_back_as_it_was_written() {
        let text = "acme.my-own-id.2";
        let run: Run = text.parse().unwrap();
        assert_eq!(run.to_string(), text);
        assert_eq!(run.key.account.as_str(), "acme");
        assert_eq!(run.attempt.number(), 2);
    }

    #[test]
    fn names_of_the_wrong_form_are_refused() {
        for bad in [
            "",
            "a.b",
            "acme.my-own-id.0",
            "acme.my-own-id.256",
            "acme.my-own-id.01",
            "acme.my-own-id.+1",
            "acme.short.1",
            "Acme.my-own-id.1",
            "acme.my-own-id.1.1",
            "-acme.my-own-id.1",
            "acme.my_own_id.1",
        ] {
            assert!(bad.parse::<Run>().is_err(), "{bad}");
        }
        assert!("a".repeat(65).parse::<JobId>().is_err());
        assert!("0".repeat(32).parse::<TraceId>().is_err());
        assert!("has space".parse::<ClaimId>().is_err());
    }

    #[test]
    fn generated_ids_have_26_characters_and_pass_their_own_check() {
        let id = JobId::generated(&[0xff; 16]);
        assert_eq!(id.as_str().len(), GENERATED_ID_CHARS);
        assert_eq!(id.as_str().parse::<JobId>().unwrap(), id);
        let token = OutputToken::generated(&[7; 20]);
        assert_eq!(token.as_str().parse::<OutputToken>().unwrap(), token);
        let trace = TraceId::generated(&[0; 16]);
        assert_eq!(trace.as_str().parse::<TraceId>().unwrap(), trace);
    }
}
