//! Short texts from outside that name something: cursors, messages of the queue, runs, ids, keys of objects,
//! trace ids. What is taken has one spelling: written again it is the text that was read.

use ryla_backends::modal::wire;
use ryla_domain::id::{AccountId, JobId, Run, TraceId};
use ryla_domain::output::ObjectKey;
use ryla_engine::cursor::Cursor;
use ryla_engine::message::Body;
use std::fmt::Display;
use std::str::FromStr;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    one_spelling::<Run>(text);
    one_spelling::<JobId>(text);
    one_spelling::<AccountId>(text);
    one_spelling::<ObjectKey>(text);
    one_spelling::<TraceId>(text);
    if let Ok(cursor) = Cursor::decode(text) {
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
    }
    if let Body::Message(message) = Body::read(text) {
        assert_eq!(Body::read(&message.body()), Body::Message(message));
    }
    if let Some(trace) = wire::trace_id(text) {
        assert!(text.contains(trace.as_str()));
    }
}

fn one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}
