//! The outbound HTTP client, built once in `main` and handed to every adapter that speaks HTTP
//! itself (the AWS SDK has its own). It follows no redirect and reads no proxy from the environment,
//! so that what is sent goes where the settings say and nowhere else.

use reqwest::redirect::Policy;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use ryla_domain::time::Ms;
use std::sync::Arc;

/// How long a connection may take, name look-up and TLS included.
pub const CONNECT_TIMEOUT: Ms = Ms::seconds(10);

/// Idle connections are dropped early: a function that slept between two calls would otherwise send a
/// request into a connection that the other side closed long ago.
const IDLE: Ms = Ms::seconds(20);

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The TLS library refused its configuration or the extra root certificate.
    #[error("the TLS configuration is not usable")]
    Tls(#[from] rustls::Error),
    /// The HTTP library refused its configuration.
    #[error("the HTTP client could not be built")]
    Http(#[from] reqwest::Error),
}

/// Builds the client: rustls on AWS-LC with the compiled-in Mozilla roots, HTTP/2 where the server
/// offers it, no Nagle delay. `extra_root` is trusted as well: the CA that `ryla dev --tls` makes.
pub fn client(
    connect_timeout: Ms,
    extra_root: Option<&CertificateDer<'_>>,
) -> Result<reqwest::Client, ClientError> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(extra_root)?)
        .user_agent(concat!("ryla/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(connect_timeout.duration())
        .pool_idle_timeout(IDLE.duration())
        .tcp_nodelay(true)
        .build()?;
    Ok(client)
}

fn tls(extra_root: Option<&CertificateDer<'_>>) -> Result<ClientConfig, ClientError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(root) = extra_root {
        roots.add(root.clone().into_owned())?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A preconfigured backend brings its own list: reqwest adds none.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_is_no_certificate_stops_the_start() {
        let garbage = CertificateDer::from(b"not a certificate".to_vec());
        assert!(matches!(
            client(CONNECT_TIMEOUT, Some(&garbage)),
            Err(ClientError::Tls(_))
        ));
    }

    #[test]
    fn both_protocols_are_offered_and_no_provider_need_be_installed() {
        let config = tls(None).unwrap();
        assert_eq!(
            config.alpn_protocols,
            [b"h2".to_vec(), b"http/1.1".to_vec()]
        );
        assert!(client(CONNECT_TIMEOUT, None).is_ok());
    }
}
