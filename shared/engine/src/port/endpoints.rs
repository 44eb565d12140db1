//! What is known of the endpoints that are kept warm: counters of each minute, added to by dispatch and
//! callback, and the states, written by `warm` alone. Read by `warm` and by the status route.

use super::StoreError;
use async_trait::async_trait;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Account, Calibration, Endpoint, History, Minute};
use std::collections::BTreeMap;

/// The parts over which the counters of one endpoint and minute are spread, so that no single row
/// takes all writes.
pub const TICK_SHARDS: u8 = 4;

/// Ends that one part takes in a minute: with [`TICK_SHARDS`] parts, 20 a minute and endpoint.
pub const ENDS_PER_SHARD: u32 = 5;

/// Which part of an endpoint's counters is added to; below [`TICK_SHARDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickShard(u8);

impl TickShard {
    /// Every part.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TICK_SHARDS).map(Self)
    }

    /// The part for that byte of a hash or of randomness.
    pub const fn of(byte: u8) -> Self {
        Self(byte % TICK_SHARDS)
    }

    /// The one after it, going round.
    #[must_use]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) % TICK_SHARDS)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Starts sent to one endpoint within one minute, by second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// Where.
    pub endpoint: Endpoint,
    /// When.
    pub minute: Minute,
    /// Added to which part.
    pub shard: TickShard,
    /// How many in which second, 0 to 59.
    pub seconds: BTreeMap<u8, u32>,
}

/// The end of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Where.
    pub endpoint: Endpoint,
    /// When we heard of it.
    pub at: UnixMs,
    /// Added to which part.
    pub shard: TickShard,
    /// How long it waited for a container, for whoever reads the rows: no decision rests on it.
    pub waited: Ms,
    /// What its boot took; `None` where it had none, or nobody measured it.
    pub boot: Option<Ms>,
    /// How long it kept its container; `None` where nobody measured it.
    pub service: Option<Ms>,
}

/// A number of measured times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How many.
    pub count: u32,
    /// What they add up to.
    pub sum: Ms,
}

/// What was counted in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Starts sent.
    pub arrivals: u32,
    /// Ends heard of, as far as they were sampled, with their waits.
    pub ends: Measured,
    /// Boots among them.
    pub boots: Measured,
    /// Measured services among them.
    pub services: Measured,
}

/// The counters of one endpoint over one minute, its parts added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Where.
    pub endpoint: Endpoint,
    /// What happened in which second, 0 to 59; seconds in which nothing did are left out.
    pub seconds: BTreeMap<u8, Second>,
    /// Every part had taken [`ENDS_PER_SHARD`] ends: there may have been others.
    pub full: bool,
}

/// What `warm` knows of one endpoint, and what it last decided.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointState {
    /// Which.
    pub endpoint: Endpoint,
    /// Raised by one with every write: what a write expects unchanged.
    pub rev: u64,
    /// The first minute that it has not been told of.
    pub next: Minute,
    /// What the policy remembers.
    pub history: History,
    /// Figures of the day: arrivals, cold starts suffered and avoided, idle seconds and dollars.
    pub account: Account,
    /// Runs under way.
    pub in_flight: u32,
    /// Containers that are held.
    pub floor: u32,
    /// After how long an idle container above the floor is released.
    pub window: Ms,
    /// Until when floor and window hold; `None` where the backend has taken no lease.
    pub lease_until: Option<UnixMs>,
    /// The most containers of the class, where the backend has said so.
    pub most: Option<u32>,
    /// When it was last asked for a sign of life, or called for its own sake.
    pub touched_at: Option<UnixMs>,
    /// Why, in words.
    pub reason: String,
    /// Drawn by the tick that wrote this: by it a write whose reply was lost is known again. `None` in rows of
    /// builds that drew none.
    pub writer: Option<u64>,
}

/// What all endpoints share.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Raised by one with every write.
    pub rev: u64,
    /// The first minute that has not been looked at.
    pub next: Minute,
    /// What all endpoints have taught.
    pub calibration: Calibration,
}

/// A row that this build cannot read. It is left as it is.
#[derive(Debug)]
pub struct Unreadable {
    /// Its key: `backend#class`, or `pool`.
    pub key: String,
    /// Why.
    pub error: StoreError,
    /// What it has cost, where that much can be read: it counts for the day's budget.
    pub account: Option<Account>,
}

/// Everything that is known, from one Query.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// By endpoint.
    pub states: Vec<EndpointState>,
    /// `None` before the first tick of all.
    pub pool: Option<Pool>,
    /// Rows that this build cannot read.
    pub unreadable: Vec<Unreadable>,
}

/// Counters and states of endpoints.
#[async_trait]
pub trait EndpointStore: Send + Sync {
    /// Adds arrivals to the counters of their minute.
    async fn add_arrivals(&self, arrivals: &Arrivals) -> Result<(), StoreError>;
    /// Adds an end to the counters of its minute; `false` where that part has taken all it takes.
    async fn add_end(&self, end: &End) -> Result<bool, StoreError>;
    /// What was counted in a minute. Rows that cannot be read are left out, and logged.
    async fn ticks(&self, minute: Minute) -> Result<Vec<Tick>, StoreError>;
    /// Every endpoint and what they share.
    async fn endpoints(&self) -> Result<Endpoints, StoreError>;
    /// Writes a state whose row still has the revision `seen`, or which has none yet; `next` carries the
    /// new one. `false` where somebody else was faster.
    async fn write_endpoint(
        &self,
        seen: Option<u64>,
        next: &EndpointState,
    ) -> Result<bool, StoreError>;
    /// Likewise for what all share.
    async fn write_pool(&self, seen: Option<u64>, next: &Pool) -> Result<bool, StoreError>;
}
