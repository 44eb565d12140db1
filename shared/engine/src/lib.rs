//! The use cases of RYLA, one verb a file, over ports that say what they need of the outside world.
//! Knows no SDK, no HTTP and no Lambda: functions and the laptop hand in their adapters.

pub mod cancel;
pub mod complete;
pub mod count;
pub mod cursor;
pub mod delete;
pub mod dispatch;
pub mod expect;
pub mod list;
pub mod log;
pub mod message;
pub mod port;
pub mod read;
pub mod retry;
pub mod rewrite;
pub mod settings;
pub mod signature;
pub mod submit;
pub mod sweep;
pub mod system;
pub mod wait;
pub mod warm;
pub mod wiring;
