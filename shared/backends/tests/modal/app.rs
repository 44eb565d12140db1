//! A stand-in for an app: a real HTTP server on the loopback interface that plays one scripted answer
//! and keeps what it was sent. What it plays is wrong on purpose; the preview GPU is the one to run.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Sleep;

/// What the app does with a request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Answers.
    Answer(Answer),
    /// Reads the request and never answers.
    Hang,
    /// Reads the request and closes the connection.
    Drop,
    /// Nothing listens on its port.
    Refuse,
    /// Its name does not exist.
    NoSuchHost,
    /// It speaks plain HTTP where TLS is expected.
    PlainUnderTls,
    /// It accepts connections and never says a word of TLS.
    SilentUnderTls,
}

/// An answer, perhaps a broken one.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    ending: Ending,
}

/// How a body ends.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Whole,
    BreaksOff,
    Never,
}

impl Answer {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: Bytes::copy_from_slice(body.as_bytes()),
            ending: Ending::Whole,
        }
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        let json = "application/json".to_owned();
        Self {
            headers: vec![("content-type", json)],
            ..Self::text(status, body)
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn that_breaks_off(mut self) -> Self {
        self.ending = Ending::BreaksOff;
        self
    }

    pub(crate) fn that_never_ends(mut self) -> Self {
        self.ending = Ending::Never;
        self
    }
}

/// A request as the app got it.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The app, as long as the test runs.
pub(crate) struct App {
    /// Where the adapter finds it.
    pub(crate) base: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl App {
    /// Plays `plays` in order, the last one again and again.
    pub(crate) async fn playing(plays: &[Play]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let base = match plays[0] {
            Play::NoSuchHost => "http://nowhere.invalid".to_owned(),
            Play::PlainUnderTls | Play::SilentUnderTls => format!("https://{at}"),
            _ => format!("http://{at}"),
        };
        match plays[0] {
            Play::Refuse => drop(listener),
            Play::SilentUnderTls => std::mem::drop(tokio::spawn(async move {
                let mut open = Vec::new();
                while let Ok((socket, _)) = listener.accept().await {
                    open.push(socket);
                }
            })),
            _ => serve(listener, plays.to_vec(), Arc::clone(&received)),
        }
        Self { base, received }
    }

    /// What it was sent so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

fn serve(listener: TcpListener, plays: Vec<Play>, received: Arc<Mutex<Vec<Received>>>) {
    let plays = Arc::new(plays);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (plays, received) = (Arc::clone(&plays), Arc::clone(&received));
            let service = service_fn(move |request| {
                respond(request, Arc::clone(&plays), Arc::clone(&received))
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            tokio::spawn(connection);
        }
    });
}

async fn respond(
    request: Request<Incoming>,
    plays: Arc<Vec<Play>>,
    received: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<Script>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|_| "the request broke off")?
        .to_bytes();
    let play = {
        let mut received = received.lock().unwrap();
        received.push(Received {
            method: head.method,
            path: head.uri.path().to_owned(),
            headers: head.headers,
            body,
        });
        plays[received.len().min(plays.len()) - 1].clone()
    };
    let answer = match play {
        Play::Answer(answer) => answer,
        Play::Hang => std::future::pending().await,
        // hyper closes the connection without an answer.
        _ => return Err("dropped on purpose"),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let script = Script {
        piece: answer.body,
        ending: answer.ending,
        sent: false,
        pause: Box::pin(tokio::time::sleep(BEFORE_BREAKING)),
    };
    Ok(response.body(script).unwrap())
}

/// Time for the head and the first piece to arrive before a body breaks off.
const BEFORE_BREAKING: Duration = Duration::from_millis(100);

/// A body that ends as it was told to.
struct Script {
    piece: Bytes,
    ending: Ending,
    sent: bool,
    pause: Pin<Box<Sleep>>,
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.sent && self.ending == Ending::Whole {
            return Poll::Ready(None);
        }
        if self.sent && self.ending == Ending::BreaksOff {
            ready!(self.pause.as_mut().poll(context));
            return Poll::Ready(Some(Err("broken off on purpose")));
        }
        self.sent = true;
        Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
    }

    fn size_hint(&self) -> SizeHint {
        match self.ending {
            Ending::Whole => SizeHint::with_exact(self.piece.len() as u64),
            Ending::BreaksOff | Ending::Never => SizeHint::default(),
        }
    }
}
