//! Workers' callbacks as the engine's events, and its replies as they travel. The signature has been
//! verified before; whether the event still concerns its job is for the engine to say.

use super::wire::{Callback, CallbackReply, Event as Said, PutUrl, Sealed, WireError, decode};
use super::wire::{Failure, WorkerError};
use ryla_domain::V;
use ryla_engine::complete::{CallbackWire, Event, Reply, Unread};

/// The callbacks of docs/BACKENDS.md.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModalCallbacks;

impl CallbackWire for ModalCallbacks {
    fn decode(&self, body: &[u8]) -> Result<Event, Unread> {
        let callback: Callback = decode(body).map_err(|error| match error {
            WireError::Newer(_) => Unread::Newer,
            WireError::Malformed { .. } => Unread::Garbage,
        })?;
        let report = callback.report();
        Ok(match callback.event {
            Said::Started => Event::Started {
                call: callback.call_id,
                seq: callback.seq,
            },
            Said::Progress => Event::Progress {
                seq: callback.seq,
                progress: callback.progress,
                renew: callback.renew,
            },
            Said::Succeeded => Event::Succeeded {
                report,
                etags: callback
                    .outputs
                    .into_iter()
                    .filter(|output| !output.existed)
                    .filter_map(|output| Some((output.slot, output.etag?)))
                    .collect(),
            },
            Said::Failed => Event::Failed {
                code: failure_of(&callback),
                report,
            },
            Said::Cancelled => Event::Cancelled { report },
            Said::Expired => Event::Expired,
        })
    }

    fn encode(&self, reply: &Reply) -> Vec<u8> {
        let reply = CallbackReply {
            v: V,
            go_on: reply.go_on,
            put_urls: reply
                .put_urls
                .iter()
                .map(|(slot, put)| PutUrl {
                    slot: *slot,
                    put_url: Sealed::new(put.url.expose().to_owned()),
                    headers: put.headers.iter().cloned().collect(),
                })
                .collect(),
            ignored: reply.ignored,
        };
        // A struct of texts and numbers always becomes JSON.
        serde_json::to_vec(&reply).unwrap_or_default()
    }
}

/// The code of a failure; one that the table does not know is logged to be counted.
fn failure_of(callback: &Callback) -> ryla_domain::failure::Code {
    let Failure { code, unmapped } = callback.failure();
    if unmapped {
        tracing::warn!(
            event = "port",
            call = "callback",
            call_id = callback.call_id.as_ref().map(tracing::field::display),
            reason = "worker_failed",
            unmapped,
            worker_code = callback.error.as_ref().and_then(WorkerError::plain_code),
            "a worker's failure is not in the table of codes"
        );
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::failure::Code;
    use ryla_domain::report::Report;
    use ryla_engine::port::{SignedPut, SignedUrl};

    fn event(event: &str, rest: &str) -> Event {
        let body = format!(r#"{{"v":1,"event_id":"e","seq":7,"event":"{event}"{rest}}}"#);
        ModalCallbacks.decode(body.as_bytes()).unwrap()
    }

    #[test]
    fn each_event_is_handed_to_the_engine_with_what_it_needs() {
        let report = || Report::new(None, Some("L40S"));
        let gpu = r#","gpu":"L40S""#;
        assert_eq!(
            event("started", r#","call_id":"fc-1""#),
            Event::Started {
                call: "fc-1".parse().ok(),
                seq: 7
            }
        );
        assert_eq!(
            event("progress", r#","progress":45,"renew":true"#),
            Event::Progress {
                seq: 7,
                progress: Some(45),
                renew: true
            }
        );
        assert_eq!(
            event("failed", &format!(r#","error":{{"code":"gpu_oom"}}{gpu}"#)),
            Event::Failed {
                code: Code::GpuOom,
                report: report()
            }
        );
        assert_eq!(
            event("failed", r#","error":{"code":"CUDA out of memory"}"#),
            Event::Failed {
                code: Code::Internal,
                report: Report::default()
            }
        );
        assert_eq!(
            event("cancelled", gpu),
            Event::Cancelled { report: report() }
        );
        assert_eq!(event("expired", ""), Event::Expired);
    }

    #[test]
    fn only_the_entity_tags_of_own_puts_are_believed() {
        let outputs =
            r#","outputs":[{"slot":0,"etag":"a"},{"slot":1,"existed":true,"etag":"b"},{"slot":2}]"#;
        assert_eq!(
            event("succeeded", outputs),
            Event::Succeeded {
                report: Report::default(),
                etags: vec![(0, "a".to_owned())]
            }
        );
    }

    #[test]
    fn a_newer_callback_is_left_to_a_newer_build() {
        assert_eq!(ModalCallbacks.decode(br#"{"v":2}"#), Err(Unread::Newer));
        assert_eq!(ModalCallbacks.decode(b"{}"), Err(Unread::Garbage));
    }

    #[test]
    fn a_reply_holds_new_urls_only_where_there_are_any() {
        let mut reply = Reply {
            go_on: true,
            ..Reply::default()
        };
        assert_eq!(ModalCallbacks.encode(&reply), br#"{"v":1,"continue":true}"#);
        reply.put_urls.push((
            0,
            SignedPut {
                url: SignedUrl::new("https://x".to_owned()),
                headers: vec![("If-None-Match".to_owned(), "*".to_owned())],
            },
        ));
        let body = String::from_utf8(ModalCallbacks.encode(&reply)).unwrap();
        assert_eq!(
            body,
            r#"{"v":1,"continue":true,"put_urls":[{"slot":0,"put_url":"https://x","headers":{"If-None-Match":"*"}}]}"#
        );
    }
}
