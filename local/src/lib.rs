//! RYLA on a laptop, in one process: embedded AWS, the API over HTTP, the poll loop and the timers that
//! AWS would run, and the preview GPU. The code of the Lambdas runs here unchanged.

mod body;
mod clock;
mod data;
pub mod embedded;
mod options;
mod paced;
pub mod poller;
pub mod preview;
mod serve;
mod server;
mod stack;
mod timers;
mod tls;
pub mod wake;
mod wiring;

pub use clock::FastClock;
pub use data::{Data, DevFile};
pub use embedded::{Depth, Embedded, EmbeddedOptions};
pub use options::{DEFAULTS, Options};
pub use preview::{ClassState, ContainerEvent, Happened, Preview, PreviewOptions, PreviewParts};
pub use stack::{ACCOUNT, PREVIEW, Stack};

/// Why a body could not be read or written.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
