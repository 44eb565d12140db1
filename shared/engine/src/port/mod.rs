//! The ports: what the use cases need of the outside world, in domain types. Adapters implement them;
//! each has one contract suite in ryla-testing, run on memory and on the real adapter.

mod accounts;
mod backend;
mod clock;
mod endpoints;
mod images;
mod jobs;
mod queue;

pub use accounts::{Account, AccountStore, KeyHash};
pub use backend::{
    Backend, Backends, CallbackTarget, Cancelled, Capabilities, InputFile, Lease, Leased, Levers,
    OutputSlot, RunRequest, StartOutcome, Warmth, Work,
};
pub use clock::{Clock, Entropy};
pub use endpoints::{
    Arrivals, ENDS_PER_SHARD, End, EndpointState, EndpointStore, Endpoints, Measured, Pool, Second,
    TICK_SHARDS, Tick, TickShard, Unreadable,
};
pub use images::{Glimpse, ImageError, ImageStore, SignedPut, SignedUrl};
pub use jobs::{
    Consistency, Created, DueEntry, DueMove, DuePage, JobPage, JobStore, ListRange, Order, Shard,
    StoreError, Write, Written,
};
pub use queue::{MAX_DELAY, Queue, QueueError};
