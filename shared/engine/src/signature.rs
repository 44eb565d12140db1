//! Keyed hashes: ids derived from idempotency keys, and the signatures on callbacks. One master
//! secret per key id; everything else is derived, so that no secret lives at a backend.

use hmac::{Hmac, KeyInit, Mac};
use ryla_domain::id::Run;
use ryla_domain::time::UnixMs;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How far a callback's time stamp may lie from our clock.
pub const TOLERANCE_S: u64 = 300;

/// Master secrets by key id: the first signs, all verify.
#[derive(Clone, Debug)]
pub struct MasterSecrets(Vec<(String, SecretString)>);

/// Why a list of master secrets was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `kid:secret[,kid:secret]`: kid of 1-16 letters and digits, secret of at least 32 characters"
)]
pub struct BadSecrets;

/// Why a callback was refused. Costs no call to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No signature, one of another form, or a wrong one.
    #[error("the signature does not match")]
    BadSignature,
    /// The time stamp is more than [`TOLERANCE_S`] away.
    #[error("the time stamp is too far from the server's clock")]
    StaleTimestamp,
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so the error arm is never taken; an empty key would only make
    // signatures that nobody accepts.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl MasterSecrets {
    /// Reads `kid:secret[,kid:secret]`.
    pub fn parse(text: &str) -> Result<Self, BadSecrets> {
        let mut secrets = Vec::new();
        for entry in text.split(',') {
            let (kid, secret) = entry.trim().split_once(':').ok_or(BadSecrets)?;
            let kid_plain =
                (1..=16).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric());
            if !kid_plain || secret.len() < 32 {
                return Err(BadSecrets);
            }
            secrets.push((kid.to_owned(), SecretString::from(secret)));
        }
        Ok(Self(secrets))
    }

    /// The signing key of a run and the id of the secret it comes from, as handed to the worker.
    pub fn run_key(&self, run: &Run) -> (String, SecretString) {
        let Some((kid, secret)) = self.0.first() else {
            return (String::new(), SecretString::default());
        };
        (kid.clone(), SecretString::from(hex(&run_key(secret, run))))
    }

    /// 16 bytes that only we can derive from an account and its idempotency key.
    pub fn job_id(&self, account: &str, parts: &[&str]) -> [u8; 16] {
        let secret = self
            .0
            .last()
            .map_or("", |(_, secret)| secret.expose_secret());
        let mut material: Vec<&[u8]> = vec![b"id1\0", account.as_bytes()];
        for part in parts {
            material.push(b"\0");
            material.push(part.as_bytes());
        }
        let hash = hmac(secret.as_bytes(), &material);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        id
    }

    /// Whether `header` (`t=<unix>,v1=<hex>`) signs `body` for this run at about `now`.
    pub fn verify(
        &self,
        run: &Run,
        header: Option<&str>,
        body: &[u8],
        now: UnixMs,
    ) -> Result<(), Rejected> {
        let (stamp, signature) = header
            .and_then(split_header)
            .ok_or(Rejected::BadSignature)?;
        let genuine = self.0.iter().fold(false, |found, (_, secret)| {
            let key = hex(&run_key(secret, run));
            let wanted = hmac(key.as_bytes(), &[stamp.as_bytes(), b".", body]);
            found | bool::from(wanted.ct_eq(&signature))
        });
        if !genuine {
            return Err(Rejected::BadSignature);
        }
        let seconds: i64 = stamp.parse().map_err(|_| Rejected::BadSignature)?;
        if now.seconds().abs_diff(seconds) > TOLERANCE_S {
            return Err(Rejected::StaleTimestamp);
        }
        Ok(())
    }
}

/// The header value with which a worker signs a callback: `t=<unix>,v1=<hex>`.
///
/// `key` is the run's key as it stands in the submit message; HMAC-SHA256 over `t "." body`.
pub fn sign(key: &SecretString, body: &[u8], now: UnixMs) -> String {
    let stamp = now.seconds().to_string();
    let signature = hmac(
        key.expose_secret().as_bytes(),
        &[stamp.as_bytes(), b".", body],
    );
    format!("t={stamp},v1={}", hex(&signature))
}

fn run_key(secret: &SecretString, run: &Run) -> [u8; 32] {
    hmac(
        secret.expose_secret().as_bytes(),
        &[b"cb1", run.to_string().as_bytes()],
    )
}

fn split_header(header: &str) -> Option<(&str, [u8; 32])> {
    let (stamp, signature) = header.split_once(',')?;
    let bytes = data_encoding::HEXLOWER
        .decode(signature.trim().strip_prefix("v1=")?.as_bytes())
        .ok()?;
    Some((stamp.trim().strip_prefix("t=")?, bytes.try_into().ok()?))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn run(text: &str) -> Run {
        text.parse().unwrap()
    }

    fn secrets(kids: &[&str]) -> MasterSecrets {
        let list: Vec<String> = kids
            .iter()
            .map(|kid| format!("{kid}:{}", kid.repeat(32)))
            .collect();
        MasterSecrets::parse(&list.join(",")).unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_run_and_body_only() {
        let master = secrets(&["a"]);
        let run_1 = run("acme.my-own-id.1");
        let header = sign(&master.run_key(&run_1).1, b"{}", NOW);
        assert_eq!(master.verify(&run_1, Some(&header), b"{}", NOW), Ok(()));
        for (run, header, body) in [
            (
                run("acme.my-own-id.2"),
                Some(header.as_str()),
                b"{}".as_slice(),
            ),
            (run("evil.my-own-id.1"), Some(&header), b"{}"),
            (run_1.clone(), Some(&header), b"{ }"),
            (run_1.clone(), None, b"{}"),
            (run_1.clone(), Some("t=1,v1=zz"), b"{}"),
            (run_1.clone(), Some(""), b"{}"),
        ] {
            assert_eq!(
                master.verify(&run, header, body, NOW),
                Err(Rejected::BadSignature)
            );
        }
    }

    #[test]
    fn a_time_stamp_may_be_five_minutes_off_and_no_more() {
        let master = secrets(&["a"]);
        let run = run("acme.my-own-id.1");
        let header = sign(&master.run_key(&run).1, b"{}", NOW);
        for (late_s, expected) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(Rejected::StaleTimestamp)),
            (-301, Err(Rejected::StaleTimestamp)),
        ] {
            let clock = UnixMs(NOW.0 + late_s * 1000);
            assert_eq!(
                master.verify(&run, Some(&header), b"{}", clock),
                expected,
                "{late_s}"
            );
        }
    }

    #[test]
    fn a_new_secret_signs_while_the_old_one_still_verifies() {
        let run = run("acme.my-own-id.1");
        let old = secrets(&["old"]);
        let both = secrets(&["new", "old"]);
        let header = sign(&old.run_key(&run).1, b"{}", NOW);
        assert_eq!(both.verify(&run, Some(&header), b"{}", NOW), Ok(()));
        let header = sign(&both.run_key(&run).1, b"{}", NOW);
        assert_eq!(
            old.verify(&run, Some(&header), b"{}", NOW),
            Err(Rejected::BadSignature)
        );
        assert_eq!(both.run_key(&run).0, "new");
        // Ids stay the same through a rotation: they come from the oldest secret.
        assert_eq!(old.job_id("acme", &["k"]), both.job_id("acme", &["k"]));
        assert_ne!(old.job_id("acme", &["k"]), old.job_id("acme", &["k", ""]));
    }

    #[test]
    fn secrets_that_are_too_short_or_nameless_are_refused() {
        for bad in [
            "",
            "a",
            "a:short",
            ":0123456789012345678901234567890123456789",
            "a b:0123456789012345678901234567890123456789",
        ] {
            assert!(MasterSecrets::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let printed = format!("{:?}", secrets(&["a"]));
        assert!(!printed.contains("aaaa"), "{printed}");
    }
}
