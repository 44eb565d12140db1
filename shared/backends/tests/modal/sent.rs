//! What the adapter sends: method, path, headers and body of each call.

use crate::app::{Answer, App, Play, Received};
use crate::bench::{RUN, backend, request, run, trace};
use http::Method;
use ryla_backends::http::client;
use ryla_backends::modal::wire::{Submit, decode};
use ryla_backends::modal::{BadModalSettings, ModalBackend, ProxyAuth, Timeouts};
use ryla_domain::time::Ms;
use ryla_engine::port::Backend;
use secrecy::SecretString;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-87e84d65e9794e0e-01";

async fn app() -> (App, ModalBackend) {
    let play = Play::Answer(Answer::text(500, ""));
    let app = App::playing(std::slice::from_ref(&play)).await;
    let backend = backend(&app, &play);
    (app, backend)
}

fn only(app: &App) -> Received {
    let mut received = app.received();
    assert_eq!(received.len(), 1);
    received.remove(0)
}

fn header<'a>(received: &'a Received, name: &str) -> &'a str {
    received.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn every_call_is_authorised_and_carries_its_trace() {
    let (app, backend) = app().await;
    backend.start(&request()).await;
    backend.check(&run(), &trace()).await;
    backend.cancel(&run(), &trace()).await;
    let received = app.received();
    let calls: Vec<_> = received
        .iter()
        .map(|r| (r.method.clone(), r.path.clone()))
        .collect();
    assert_eq!(
        calls,
        [
            (Method::POST, "/v1/jobs".to_owned()),
            (Method::GET, format!("/v1/jobs/{RUN}")),
            (Method::POST, format!("/v1/jobs/{RUN}/cancel")),
        ]
    );
    for request in &received {
        assert_eq!(header(request, "modal-key"), "wk-hush");
        assert_eq!(header(request, "modal-secret"), "ws-hush");
        assert_eq!(header(request, "traceparent"), TRACEPARENT);
        let agent = header(request, "user-agent");
        assert_eq!(agent, concat!("ryla/", env!("CARGO_PKG_VERSION")));
    }
    assert_eq!(header(&received[0], "content-type"), "application/json");
    assert!(received[1].body.is_empty() && received[2].body.is_empty());
}

#[tokio::test]
async fn the_submit_message_is_read_back_by_the_other_side() {
    let (app, backend) = app().await;
    backend.start(&request()).await;
    let submit: Submit = decode(&only(&app).body).unwrap();
    assert_eq!(submit, Submit::of(&request()));
    assert_eq!(submit.traceparent, TRACEPARENT);
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_slash_at_its_end() {
    let (app, _) = app().await;
    let http = client(Ms::seconds(5), None).unwrap();
    let base = format!("{}/gpu/", app.base);
    let id = "preview".parse().unwrap();
    let backend = ModalBackend::new(id, &base, None, http, Timeouts::default()).unwrap();
    assert_eq!(backend.id().as_str(), "preview");
    backend.check(&run(), &trace()).await;
    let received = only(&app);
    assert_eq!(received.path, format!("/gpu/v1/jobs/{RUN}"));
    assert!(!received.headers.contains_key("modal-key"));
}

#[test]
fn settings_that_cannot_work_stop_the_start_and_are_not_quoted() {
    let build = |base: &str, key: &str| {
        let auth = ProxyAuth {
            key: SecretString::from(key),
            secret: SecretString::from("ws-hush"),
        };
        let http = client(Ms::seconds(5), None).unwrap();
        let id = "modal".parse().unwrap();
        ModalBackend::new(id, base, Some(&auth), http, Timeouts::default()).map(|_| ())
    };
    assert_eq!(build("https://x.modal.run", "wk-hush"), Ok(()));
    for bad in [
        "",
        "x.modal.run",
        "ftp://x.modal.run",
        "https://hush@x.modal.run",
        "https://x.modal.run/?k=hush",
        "https://x.modal.run/#hush",
    ] {
        assert_eq!(
            build(bad, "wk-hush"),
            Err(BadModalSettings::BaseUrl),
            "{bad}"
        );
    }
    assert_eq!(
        build("https://x.modal.run", "wk\nhush"),
        Err(BadModalSettings::ProxyAuth)
    );
}
