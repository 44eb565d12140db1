//! The preview GPU alone, for a system that runs somewhere else on this machine: tests/aws puts it
//! behind the deployed functions. Prints its base URL and serves until its standard input ends.

use anyhow::Context;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ryla_backends::http::{CONNECT_TIMEOUT, client};
use ryla_domain::time::Ms;
use ryla_engine::system::SystemClock;
use ryla_local::{Preview, PreviewOptions};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// How long a run takes: long enough to be seen under way.
const RUN: Ms = Ms(300);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    ryla_engine::log::to_stderr("debug");
    let path = std::env::args_os()
        .nth(1)
        .context("usage: preview_gpu CA_FILE (who signed the certificate of PUBLIC_URL)")?;
    let ca = CertificateDer::from_pem_file(path).context("reading the CA")?;
    let options = PreviewOptions {
        run: RUN,
        ..PreviewOptions::default()
    };
    let http = client(CONNECT_TIMEOUT, Some(&ca))?;
    let preview = Preview::start(options, http, Arc::new(SystemClock)).await?;
    writeln!(std::io::stdout(), "{}", preview.url())?;
    // A parent that dies closes the pipe, so that nothing is left behind.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    preview.stop(Duration::ZERO).await;
    Ok(())
}
