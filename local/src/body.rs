//! Reads request bodies up to a limit without ever resetting the connection: a client that sends too
//! much still gets to read why it was refused.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::timeout;

/// How much of a body over the limit is read and thrown away, and how long that may take: beyond it
/// the connection is cut after all.
const DRAINED_BYTES: usize = 64 * 1024 * 1024;
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The client went away or broke the protocol before its body was complete.
#[derive(Debug, thiserror::Error)]
#[error("the body was not sent completely")]
pub(crate) struct Incomplete(#[source] hyper::Error);

/// The body, or its first `limit + 1` bytes where it is longer: then the rest has been read as well,
/// within reason, so that the answer can be delivered.
pub(crate) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Incomplete> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Incomplete)?.into_data() else {
            continue;
        };
        let room = (limit + 1).saturating_sub(read.len());
        read.extend_from_slice(&data[..data.len().min(room)]);
        if read.len() > limit {
            let _ = timeout(DRAIN_LIMIT, drain(body)).await;
            break;
        }
    }
    Ok(read.freeze())
}

async fn drain(mut body: Incoming) {
    let mut left = DRAINED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        left = left.saturating_sub(length);
        if left == 0 {
            return;
        }
    }
}
