//! The one accept loop of the laptop: HTTP/1.1 on a listener, with or without TLS, for the API, the
//! bucket and the preview GPU. Ends open requests when it is stopped; a failed accept ends nothing.

use crate::Failure;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take for a request's head, or leave a connection idle. Longer than the
/// clients' own limits on idle connections, so that it is they who close.
const HEAD_LIMIT: Duration = Duration::from_mins(2);

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// The pause after a failed accept: most often there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running server; dropping it cuts every connection off.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// No new connections, and the open ones end with their request.
    closing: CancellationToken,
    /// Nothing goes on.
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Serves `handler` on the listener from now on.
    pub(crate) fn start<H, F, B>(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        handler: H,
    ) -> std::io::Result<Self>
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Failure>,
    {
        let server = Self {
            address: listener.local_addr()?,
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let (closing, cut) = (server.closing.clone(), server.cut.clone());
        let connections = server.tasks.clone();
        server.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = closing.cancelled() => return,
                };
                let Ok((socket, _)) = accepted else {
                    tracing::warn!(event = "accept", "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let requests = connection(socket, tls.clone(), handler.clone(), closing.clone());
                let cut = cut.clone();
                connections.spawn(async move {
                    tokio::select! {
                        () = requests => {}
                        () = cut.cancelled() => {}
                    }
                });
            }
        });
        Ok(server)
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connection, lets open requests end, and cuts off what is still open after `limit`.
    pub(crate) async fn stop(&self, limit: Duration) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
        self.cut.cancel();
    }
}

async fn connection<H, F, B>(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    handler: H,
    closing: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failure>,
{
    // With Nagle's algorithm on, every second write of a reply waits 40 ms for an acknowledgement.
    let _ = socket.set_nodelay(true);
    match tls {
        None => requests(socket, handler, closing).await,
        Some(tls) => {
            let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(socket));
            // Port scans and clients that do not trust us end here: nothing to tell anybody.
            if let Ok(Ok(stream)) = handshake.await {
                requests(stream, handler, closing).await;
            }
        }
    }
}

async fn requests<S, H, F, B>(stream: S, handler: H, closing: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failure>,
{
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is the client's affair: an error here is a client that left.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
