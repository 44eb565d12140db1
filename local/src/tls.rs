//! HTTPS on a laptop: a CA of our own, made once and kept, and a certificate for each start. The
//! official clients make file objects only of https URLs.

use crate::data::write_private;
use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ryla_domain::time::UnixMs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

const DAY: Duration = Duration::from_hours(24);

/// What a server with TLS needs, and what its clients need to trust.
pub(crate) struct LocalTls {
    pub(crate) acceptor: TlsAcceptor,
    /// For clients in this process.
    pub(crate) ca: CertificateDer<'static>,
    /// For clients elsewhere: `SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`.
    pub(crate) ca_file: PathBuf,
}

/// Takes the CA of that folder, or makes one, and signs a certificate for this machine's own names and
/// the address that is listened on.
pub(crate) fn prepare(folder: &Path, listen: IpAddr, now: UnixMs) -> anyhow::Result<LocalTls> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("making the folder {}", folder.display()))?;
    let (ca_file, key_file) = (folder.join("ca.pem"), folder.join("ca.key"));
    if !(ca_file.exists() && key_file.exists()) {
        let key = KeyPair::generate().context("making the CA's key")?;
        let ca = ca_params()?.self_signed(&key).context("making the CA")?;
        write_private(&key_file, key.serialize_pem().as_bytes())?;
        write_private(&ca_file, ca.pem().as_bytes())?;
    }
    let ca = CertificateDer::from_pem_file(&ca_file)
        .with_context(|| format!("reading {}", ca_file.display()))?;
    let key = std::fs::read_to_string(&key_file)
        .with_context(|| format!("reading {}", key_file.display()))?;
    let key = KeyPair::from_pem(&key).with_context(|| format!("reading {}", key_file.display()))?;
    // Name and key are all that an issuer is: the same parameters make the same issuer.
    let issuer = Issuer::new(ca_params()?, key);

    let server_key = KeyPair::generate().context("making the server's key")?;
    let certificate = server_params(listen, now)?
        .signed_by(&server_key, &issuer)
        .context("signing the server's certificate")?;
    let private = PrivateKeyDer::try_from(server_key.serialize_der())
        .map_err(|reason| anyhow::anyhow!("the server's key: {reason}"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok(LocalTls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca,
        ca_file,
    })
}

fn ca_params() -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "RYLA local CA, for this machine only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    Ok(params)
}

fn server_params(listen: IpAddr, now: UnixMs) -> anyhow::Result<CertificateParams> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let listen = listen.to_string();
    if !names.contains(&listen) {
        names.push(listen);
    }
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Python's strict mode asks for it.
    params.use_authority_key_identifier_extension = true;
    let since_1970 = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default());
    let today = date_time_ymd(1970, 1, 1) + since_1970;
    params.not_before = today - DAY;
    params.not_after = today + DAY * 365;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    #[test]
    fn the_ca_is_made_once_so_that_clients_need_to_trust_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let listen = IpAddr::from([127, 0, 0, 1]);
        let first = prepare(folder.path(), listen, NOW).unwrap();
        let pem = std::fs::read(&first.ca_file).unwrap();
        let second = prepare(folder.path(), listen, NOW).unwrap();
        assert_eq!(first.ca, second.ca);
        assert_eq!(pem, std::fs::read(&second.ca_file).unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let key = std::fs::metadata(folder.path().join("ca.key")).unwrap();
            assert_eq!(key.permissions().mode() & 0o777, 0o600);
        }
    }
}
