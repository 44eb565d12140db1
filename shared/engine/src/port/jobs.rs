//! The table of jobs. Every write names what it expects; a refused one hands back the row as it is,
//! so that the domain can decide.

use crate::expect::{Expect, Fence, WriteKind};
use async_trait::async_trait;
use ryla_domain::id::{AccountId, JobId, JobKey};
use ryla_domain::job::{Beat, Claim, Job, Start};
use ryla_domain::time::UnixMs;

/// What a caller of the store cares about when it fails. "Not there" and "refused" are not errors.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too many requests: worth another try after a pause.
    #[error("the table is throttled")]
    Throttled(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The table cannot be reached, or the outcome of the call is not known.
    #[error("the table is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The row was written by a newer build: leave it to one.
    #[error("the row has version {0}, which this build does not know")]
    Newer(u64),
    /// An attribute of the row has a well-formed value that this build does not know: left to a newer build
    /// as well. Names the attribute, never its value.
    #[error("the row's {0} has a value that this build does not know")]
    NewerValue(String),
    /// The row cannot be decoded. Names the attribute, never its value.
    #[error("the row cannot be decoded: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// What only a newer build reads in the row, if that is what is wrong with it.
    pub fn newer(&self) -> Option<&str> {
        match self {
            Self::Newer(_) => Some("v"),
            Self::NewerValue(name) => Some(name),
            Self::Throttled(_) | Self::Unavailable(_) | Self::Corrupt(_) => None,
        }
    }
}

/// Whether a read may be a moment old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// May miss the latest write; half the price.
    Eventual,
    /// Sees every write that was acknowledged before.
    Strong,
}

/// What became of a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    New,
    /// A live row of that key was there before: this one.
    Exists(Box<Job>),
}

/// A write of a live row. Blind ones carry the whole decision in what they expect.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    /// [`Job::claim`], blind.
    Claim(&'a JobKey, &'a Claim),
    /// [`Job::start`], blind.
    Start(&'a JobKey, &'a Start),
    /// [`Job::beat`], blind.
    Beat(&'a JobKey, &'a Beat),
    /// The job as it was read, and the next state that the domain made of it. Only attributes that
    /// differ are written.
    Replace {
        /// As read.
        seen: &'a Job,
        /// As it shall be.
        next: &'a Job,
    },
}

impl Write<'_> {
    /// The row that is written.
    pub const fn key(&self) -> &JobKey {
        match self {
            Self::Claim(key, _) | Self::Start(key, _) | Self::Beat(key, _) => key,
            Self::Replace { seen, .. } => &seen.key,
        }
    }

    /// Which of the writes it is.
    pub const fn kind(&self) -> WriteKind {
        match self {
            Self::Claim(..) => WriteKind::Claim,
            Self::Start(..) => WriteKind::Start,
            Self::Beat(..) => WriteKind::Beat,
            Self::Replace { .. } => WriteKind::Replace,
        }
    }

    /// What must hold for the write to happen.
    pub fn expect(&self) -> Expect {
        let fences = match self {
            Self::Claim(_, claim) => vec![
                Fence::Readable,
                Fence::BeforeDeadline(claim.at),
                Fence::Claimable(claim.at),
            ],
            Self::Start(_, start) => vec![
                Fence::Readable,
                Fence::Dispatching,
                Fence::From(start.origin.clone()),
            ],
            Self::Beat(_, beat) => vec![
                Fence::Readable,
                Fence::From(beat.origin.clone()),
                Fence::After(beat.seq),
            ],
            Self::Replace { seen, .. } => vec![Fence::Rev(seen.rev)],
        };
        let write = self.kind();
        Expect { write, fences }
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It happened; the row as it is now.
    Done(Box<Job>),
    /// What it expected does not hold; the row as it is, or `None` where there is none.
    Refused(Option<Box<Job>>),
}

/// Newest or oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// A stretch of an account's jobs by time of creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRange {
    /// Only jobs created at this time or later.
    pub from: Option<UnixMs>,
    /// Only jobs created at this time or earlier.
    pub until: Option<UnixMs>,
    /// Which way.
    pub order: Order,
    /// Only jobs strictly behind this one, in that order.
    pub after: Option<(UnixMs, JobId)>,
    /// At most that many.
    pub limit: u32,
}

/// Jobs of one stretch of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobPage {
    /// The jobs, in the order asked for.
    pub jobs: Vec<Job>,
    /// The index holds more behind the last one; that may have expired by now.
    pub more: bool,
}

/// One of the 16 parts of the due index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard(u8);

impl Shard {
    /// How many there are.
    pub const COUNT: u8 = 16;

    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The shard of a job: a fixed hash (FNV-1a) of its key, the same in every build.
    pub fn of(key: &JobKey) -> Self {
        let hash = key
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Self(hash.to_le_bytes()[7] % Self::COUNT)
    }

    /// Its number, from 0.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// An entry of the due index: enough to lease a row without decoding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    /// The row's key; `None` where even that cannot be read, so that only [`DueMove::Dead`] is left.
    pub key: Option<JobKey>,
    /// The row's partition key as the table has it.
    pub raw_key: String,
    /// When it is due.
    pub due_at: UnixMs,
    /// When it ends at the latest, where the entry says so.
    pub deadline_at: Option<UnixMs>,
    /// Looks without progress so far.
    pub tries: u32,
}

/// A page of due entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuePage {
    /// Oldest first.
    pub entries: Vec<DueEntry>,
    /// Hand this back to read on; `None` at the end.
    pub next: Option<String>,
}

/// Where a due entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueMove {
    /// It is leased: nobody looks at it before this time.
    Later {
        /// The next look.
        at: UnixMs,
        /// Looks without progress so far.
        tries: u32,
    },
    /// It cannot be decoded: out of the line, into the part that raises an alarm.
    Dead,
}

/// The table of jobs.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Puts a new row where none lies, or only an expired one ([`Expect::absent`]). One request.
    async fn create(&self, job: &Job, now: UnixMs) -> Result<Created, StoreError>;
    /// The row, if it is there and has not expired at `now`. One request.
    async fn read(
        &self,
        key: &JobKey,
        now: UnixMs,
        consistency: Consistency,
    ) -> Result<Option<Job>, StoreError>;
    /// Changes a live row if what the write expects holds. One request.
    async fn write(&self, write: Write<'_>) -> Result<Written, StoreError>;
    /// An account's jobs in that range, those expired at `now` and those that cannot be decoded left
    /// out. One query and one batch read a page of at most 100.
    async fn list(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError>;
    /// A page of a shard's entries that are due at `until`, oldest first; `from` as an earlier page gave.
    async fn due(
        &self,
        shard: Shard,
        until: UnixMs,
        from: Option<&str>,
    ) -> Result<DuePage, StoreError>;
    /// Moves an entry if it is still due when it was ([`Expect::due_at`]); the row is not decoded.
    /// `false` where somebody else was faster.
    async fn reschedule(&self, entry: &DueEntry, to: DueMove) -> Result<bool, StoreError>;
}
