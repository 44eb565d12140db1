//! Where the workers of the backend suite call back: a listener that holds every callback against its
//! run's signature, reads it as the callback function does, and tells the worker to go on. The real
//! function would stop each of these runs, since no row knows of them.

use crate::app::now;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ryla_backends::modal::callbacks::ModalCallbacks;
use ryla_backends::modal::wire::{self, SIGNATURE_HEADER, decode};
use ryla_domain::id::Run;
use ryla_engine::complete::{CallbackWire, Event, Reply};
use ryla_engine::port::CallbackTarget;
use ryla_engine::signature::MasterSecrets;
use ryla_testing::contract::backend::SIZE;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A callback as it arrived, or what is wrong with it.
type Heard = Result<(Run, wire::Callback, Event), String>;

/// The listener; dropping it closes it.
pub(super) struct Callbacks {
    at: SocketAddr,
    ear: Arc<Ear>,
    accepting: JoinHandle<()>,
}

struct Ear {
    secrets: MasterSecrets,
    heard: Mutex<Vec<Heard>>,
}

impl Callbacks {
    /// Listens on a free port.
    pub(super) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let ear = Arc::new(Ear {
            secrets: MasterSecrets::parse(&format!("k1:{}", "s".repeat(32))).unwrap(),
            heard: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&ear)));
        Self { at, ear, accepting }
    }

    /// Where and with which key workers on that run call back.
    pub(super) fn target(&self, run: &Run) -> CallbackTarget {
        let (kid, key) = self.ear.secrets.run_key(run);
        CallbackTarget {
            url: format!("http://{}/{run}", self.at),
            kid,
            key,
        }
    }

    /// What workers have said of that run so far: numbered from 1 without a gap, all of one call, and
    /// with the figures of each picture that they put themselves.
    pub(super) fn of(&self, run: &Run) -> Vec<Event> {
        let mut call = None;
        let mut events = Vec::new();
        for heard in self.ear.heard.lock().unwrap().iter() {
            let (of, callback, event) = heard.as_ref().unwrap();
            if of != run {
                continue;
            }
            let place = events.len() as u64 + 1;
            assert_eq!(callback.seq, place, "number of {callback:?}");
            let first = call.get_or_insert(&callback.call_id);
            assert_eq!(*first, &callback.call_id, "call of {callback:?}");
            for output in callback.outputs.iter().filter(|output| !output.existed) {
                let size = (output.width.unwrap(), output.height.unwrap());
                assert_eq!(size, SIZE, "{output:?}");
                assert!(output.bytes.is_some_and(|bytes| bytes > 0), "{output:?}");
                assert_eq!(output.content_type.as_deref(), Some("image/jpeg"));
            }
            events.push(event.clone());
        }
        events
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, ear: Arc<Ear>) {
    // Connections end with the loop.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let ear = Arc::clone(&ear);
        let service = service_fn(move |request| {
            let ear = Arc::clone(&ear);
            async move { Ok::<_, Infallible>(ear.answer(request).await) }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    }
}

impl Ear {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let heard = self.hear(request).await;
        // Final for a worker: the case that waits for it says what was wrong.
        let status = if heard.is_ok() { 200 } else { 400 };
        self.heard.lock().unwrap().push(heard);
        let go_on = ModalCallbacks.encode(&Reply {
            go_on: true,
            ..Reply::default()
        });
        let mut response = Response::new(Full::new(go_on.into()));
        *response.status_mut() = status.try_into().unwrap();
        response
    }

    async fn hear(&self, request: Request<Incoming>) -> Heard {
        let (head, body) = request.into_parts();
        let path = head.uri.path().trim_start_matches('/');
        let run: Run = path.parse().map_err(|_| format!("{path} is no run"))?;
        let body = body.collect().await.map_err(|error| error.to_string())?;
        let body = body.to_bytes();
        let signature = head.headers.get(SIGNATURE_HEADER);
        let signature = signature.and_then(|value| value.to_str().ok());
        let verified = self.secrets.verify(&run, signature, &body, now());
        verified.map_err(|rejected| format!("{run}: {rejected:?}"))?;
        let callback = decode(&body).map_err(|error| format!("{run}: {error}"))?;
        let event = ModalCallbacks.decode(&body);
        let event = event.map_err(|unread| format!("{run}: {unread:?}"))?;
        Ok((run, callback, event))
    }
}
