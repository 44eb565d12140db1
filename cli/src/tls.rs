//! TLS of the HTTP client: rustls on AWS-LC with the compiled-in Mozilla roots, as everywhere in this
//! project, and the CA of a `ryla dev --tls` where one is named.

use crate::failure::Failure;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The configuration; `ca` is a PEM file whose certificates are trusted as well.
pub(crate) fn config(ca: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| unusable(path, &error))?;
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::unreachable(format!("TLS does not start: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A preconfigured backend brings its own list: reqwest adds none.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, &error))?;
    if read.is_empty() {
        return Err(unusable(path, &"no certificate in it"));
    }
    Ok(read)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!(
        "the CA file {} cannot be used: {why}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_is_missing_or_holds_none_is_named() {
        let missing = config(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(
            missing.text().contains("/nowhere/ca.pem"),
            "{}",
            missing.text()
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = config(Some(file.path())).unwrap_err();
        assert!(empty.text().contains("no certificate"), "{}", empty.text());
        assert_eq!(empty.exit_status(), 2);
    }

    #[test]
    fn without_a_ca_the_compiled_in_roots_are_enough() {
        assert!(config(None).is_ok());
    }
}
