//! What travels through the dispatch queue: a run's name and what to look for. Never state.

use ryla_domain::V;
use ryla_domain::id::{Run, TraceId};
use serde::{Deserialize, Serialize};

/// What the dispatcher is asked to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Do {
    /// Claim the job and start it.
    Start,
    /// Stop a run whose job is being cancelled.
    Cancel,
}

/// A hint to look at a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Version of the message.
    pub v: u32,
    /// What to look for.
    #[serde(rename = "do")]
    pub what: Do,
    /// The run as the sender saw it.
    pub run: Run,
    /// Follows the request through every process.
    pub trace: TraceId,
    /// How often it was sent because no backend took the job: spaces the next one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(tries: &u32) -> bool {
    *tries == 0
}

/// What a queue body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A message that this build reads.
    Message(Message),
    /// A message of a newer build: goes back into the queue for one.
    Newer,
    /// Nothing that any build has sent.
    Garbage,
}

impl Message {
    /// A message of this build.
    pub const fn new(what: Do, run: Run, trace: TraceId) -> Self {
        Self {
            v: V,
            what,
            run,
            trace,
            tries: 0,
        }
    }

    /// The message as it travels.
    pub fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Body {
    /// Reads a queue body; the version is looked at before anything else.
    pub fn read(body: &str) -> Self {
        Self::read_by(V, body)
    }

    /// The same for a build that reads versions up to `newest`.
    pub fn read_by(newest: u32, body: &str) -> Self {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        match serde_json::from_str::<Version>(body) {
            Ok(Version { v }) if v > newest => Self::Newer,
            Ok(_) => serde_json::from_str(body).map_or(Self::Garbage, Self::Message),
            Err(_) => Self::Garbage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back_as_it_was_sent() {
        let run: Run = "acme.my-own-id.1".parse().unwrap();
        let trace: TraceId = "00112233445566778899aabbccddeeff".parse().unwrap();
        let message = Message::new(Do::Start, run, trace);
        assert_eq!(
            message.body(),
            r#"{"v":1,"do":"start","run":"acme.my-own-id.1","trace":"00112233445566778899aabbccddeeff"}"#
        );
        assert_eq!(Body::read(&message.body()), Body::Message(message));
    }

    #[test]
    fn every_message_of_version_1_is_still_read() {
        let read = |file: &str| {
            let folder = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/fixtures/v1/messages"
            );
            let body = std::fs::read_to_string(format!("{folder}/{file}.json")).unwrap();
            let Body::Message(message) = Body::read(&body) else {
                panic!("{file}")
            };
            assert_eq!(message.body(), body.trim_end(), "and written as it was");
            (message.what, message.run.to_string(), message.tries)
        };
        assert_eq!(read("start"), (Do::Start, "acme.my-own-id.1".into(), 0));
        assert_eq!(
            read("start-again"),
            (Do::Start, "acme.my-own-id.2".into(), 3)
        );
        assert_eq!(read("cancel"), (Do::Cancel, "acme.my-own-id.1".into(), 0));
    }

    #[test]
    fn what_this_build_leaves_alone_a_newer_one_carries_out() {
        let body = r#"{"v":2,"do":"start","run":"acme.my-own-id.1","trace":"00112233445566778899aabbccddeeff"}"#;
        assert_eq!(Body::read(body), Body::Newer);
        let Body::Message(message) = Body::read_by(V + 1, body) else {
            panic!("the newer build's own message")
        };
        assert_eq!(message.run.to_string(), "acme.my-own-id.1");
    }

    #[test]
    fn a_newer_message_is_told_from_garbage_and_unknown_fields_are_ignored() {
        assert_eq!(Body::read(r#"{"v":2,"do":"dance"}"#), Body::Newer);
        assert_eq!(Body::read(r#"{"v":1,"do":"dance"}"#), Body::Garbage);
        assert_eq!(Body::read("not json"), Body::Garbage);
        assert!(matches!(
            Body::read(
                r#"{"v":1,"do":"cancel","run":"acme.my-own-id.1","trace":"00112233445566778899aabbccddeeff","colour":"red"}"#
            ),
            Body::Message(_)
        ));
    }
}
