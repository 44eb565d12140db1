//! TLS: a server of our own CA is reached with that CA handed over, and by nobody else.

use crate::bench::{RUN, run, trace};
use bytes::Bytes;
use http::{Response, Version};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ryla_backends::http::client;
use ryla_backends::modal::{ModalBackend, Timeouts};
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_engine::port::Backend;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An app behind TLS that speaks HTTP/2 only; its base URL and the CA that vouches for it.
async fn app() -> (String, CertificateDer<'static>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &ca)
        .unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(socket).await else {
                continue;
            };
            let service = service_fn(|request: http::Request<_>| async move {
                let _: &hyper::body::Incoming = request.body();
                assert_eq!(request.version(), Version::HTTP_2);
                let body = format!(r#"{{"v":1,"run":"{RUN}","status":"pending"}}"#);
                Response::builder()
                    .header("content-type", "application/json")
                    .body(Full::new(Bytes::from(body)))
            });
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (base, ca.der().clone())
}

async fn check(base: &str, root: Option<&CertificateDer<'_>>) -> Answer {
    let http = client(Ms::seconds(5), root).unwrap();
    let id = "preview".parse().unwrap();
    let backend = ModalBackend::new(id, base, None, http, Timeouts::default()).unwrap();
    backend.check(&run(), &trace()).await
}

#[tokio::test]
async fn a_ca_of_our_own_is_trusted_only_where_it_is_handed_over() {
    let (base, ca) = app().await;
    assert_eq!(check(&base, Some(&ca)).await, Answer::Pending);
    assert_eq!(check(&base, None).await, Answer::Unreachable);
}
