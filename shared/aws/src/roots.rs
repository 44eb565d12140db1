//! Which certificate authorities the SDK's HTTPS client trusts: compiled in, so that no start scans the
//! file system. Read by `client.rs` alone.

use aws_config::Region;
use std::fmt::Write as _;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The authorities from which every endpoint of AWS has its certificate (Amazon Trust Services,
/// <https://www.amazontrust.com/repository/>), by the name that stands in each.
const OF_AWS: [&str; 5] = [
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
];

/// The authorities as PEM, which is the only form that the SDK takes. It reads them at the start of
/// every process: 118 of Mozilla's were a quarter of what a cold start computed. The
/// regions in China, whose endpoints AWS does not name there, keep Mozilla's.
pub(crate) fn pem(region: Option<&Region>) -> String {
    let elsewhere = region.is_some_and(|region| region.as_ref().starts_with("cn-"));
    let mut pem = String::new();
    for root in TLS_SERVER_ROOT_CERTS {
        if elsewhere || OF_AWS.iter().any(|name| names(root, name)) {
            let base64 = data_encoding::BASE64.encode(root);
            // Writing to a string cannot fail.
            let _ = write!(
                pem,
                "-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"
            );
        }
    }
    pem
}

/// Whether the certificate bears the name: a DER string is its length, then its bytes.
fn names(certificate: &[u8], name: &str) -> bool {
    let Ok(length) = u8::try_from(name.len()) else {
        return false;
    };
    certificate
        .windows(name.len() + 1)
        .any(|window| window[0] == length && &window[1..] == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(region: &'static str) -> usize {
        let pem = pem(Some(&Region::new(region)));
        pem.matches("BEGIN CERTIFICATE").count()
    }

    #[test]
    fn each_authority_of_aws_is_there_once_and_no_other() {
        for name in OF_AWS {
            let found = TLS_SERVER_ROOT_CERTS
                .iter()
                .filter(|root| names(root, name))
                .count();
            assert_eq!(found, 1, "{name}");
        }
        assert_eq!(count("eu-central-1"), OF_AWS.len());
        assert_eq!(pem(None).matches("BEGIN").count(), OF_AWS.len());
    }

    #[test]
    fn a_region_in_china_trusts_what_mozilla_trusts() {
        assert_eq!(count("cn-north-1"), TLS_SERVER_ROOT_CERTS.len());
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another() {
        assert!(names(b"\x10Amazon Root CA 1", "Amazon Root CA 1"));
        assert!(!names(b"\x11Amazon Root CA 10", "Amazon Root CA 1"));
    }
}
