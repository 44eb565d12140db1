//! POST of a worker: verified before anything is read from it and before the table is asked.

use crate::body::Body;
use crate::problem::Refusal;
use crate::router::Call;
use http::Response;
use ryla_domain::id::{BackendId, Run};
use ryla_engine::complete::{Callback, Unread};
use ryla_engine::signature::Rejected;

/// The longest callback.
const MAX_BYTES: usize = 8 * 1024;

/// The header that carries the signature.
const SIGNATURE: &str = "x-ryla-signature";

pub(crate) async fn run(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    if call.body.len() > MAX_BYTES {
        return Err(Refusal::TooLarge(MAX_BYTES));
    }
    // A run that no job can have is answered like one with a wrong signature.
    let (run, backend) = named(call).ok_or(Refusal::BadSignature)?;
    let header = call
        .headers
        .get(SIGNATURE)
        .and_then(|value| value.to_str().ok());
    let now = call.api.parts.ports.clock.now();
    call.api
        .parts
        .settings
        .secrets
        .verify(&run, header, call.body, now)
        .map_err(|rejected| match rejected {
            Rejected::BadSignature => Refusal::BadSignature,
            Rejected::StaleTimestamp => Refusal::StaleTimestamp(now.seconds()),
        })?;
    let wire = call.api.parts.callbacks.as_ref().ok_or(Refusal::NoRoute)?;
    let event = wire.decode(call.body).map_err(|unread| match unread {
        Unread::Newer => Refusal::Newer,
        Unread::Garbage => Refusal::BadCallback,
    })?;
    let callback = Callback {
        run,
        backend,
        event,
    };
    let complete = call.api.parts.ports.complete(&call.api.parts.settings);
    let reply = complete.run(&callback).await?;
    Response::builder()
        .header("content-type", "application/json")
        .body(Body::full(wire.encode(&reply)))
        .map_err(|_| Refusal::BadCallback)
}

fn named(call: &Call<'_>) -> Option<(Run, BackendId)> {
    let path = |name| call.target.parameter(name);
    let run = format!("{}.{}.{}", path("account"), path("job"), path("attempt"));
    Some((run.parse().ok()?, path("backend").parse().ok()?))
}
