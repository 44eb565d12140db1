//! A meter of what the adapters use: requests per operation, and the capacity units that `DynamoDB`
//! says they took. Tests hold the budget of the design against it; the logs show it.

use aws_sdk_dynamodb::types::ConsumedCapacity;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Operation {
    /// Put of a new row.
    Create,
    /// Get of a row.
    Read,
    /// Blind claim.
    Claim,
    /// Blind start.
    Start,
    /// Blind beat.
    Beat,
    /// Write of what was read.
    Replace,
    /// Query of an account's jobs.
    ListQuery,
    /// Batch read of listed jobs.
    ListRead,
    /// Query of due entries.
    Due,
    /// Move of a due entry.
    Reschedule,
    /// Get of an API key.
    Holder,
    /// Put of an API key.
    AddKey,
    /// Addition to the counters of a minute.
    AddTick,
    /// Query of a minute's counters.
    ReadTicks,
    /// Query of the endpoints' states.
    ReadStates,
    /// Write of an endpoint's state.
    WriteState,
    /// Get of an object or its beginning.
    GetObject,
    /// Put of an object.
    PutObject,
    /// Removal of objects.
    DeleteObjects,
    /// A message sent.
    Send,
}

impl Operation {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Create,
        Self::Read,
        Self::Claim,
        Self::Start,
        Self::Beat,
        Self::Replace,
        Self::ListQuery,
        Self::ListRead,
        Self::Due,
        Self::Reschedule,
        Self::Holder,
        Self::AddKey,
        Self::AddTick,
        Self::ReadTicks,
        Self::ReadStates,
        Self::WriteState,
        Self::GetObject,
        Self::PutObject,
        Self::DeleteObjects,
        Self::Send,
    ];

    /// Whether its units are write units.
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Claim
                | Self::Start
                | Self::Beat
                | Self::Replace
                | Self::Reschedule
                | Self::AddKey
                | Self::AddTick
                | Self::WriteState
        )
    }
}

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Requests, refused ones as well; repetitions by the SDK count once.
    pub requests: u64,
    /// Read units, as `DynamoDB` reports them for requests that succeeded.
    pub read_units: f64,
    /// Write units, likewise: of the table and its indexes together.
    pub write_units: f64,
}

#[derive(Debug, Default)]
struct Counter {
    requests: AtomicU64,
    /// `DynamoDB` counts in halves.
    half_units: AtomicU64,
}

/// The meter; shared by the adapters of one set of clients.
#[derive(Default)]
pub struct Capacity([Counter; Operation::ALL.len()]);

impl Capacity {
    /// A request is about to be sent.
    pub(crate) fn request(&self, operation: Operation) {
        self.0[operation as usize]
            .requests
            .fetch_add(1, Ordering::Relaxed);
    }

    /// A request has succeeded and the table says what it took.
    pub(crate) fn took(&self, operation: Operation, consumed: Option<&ConsumedCapacity>) {
        self.units(
            operation,
            consumed.and_then(ConsumedCapacity::capacity_units),
        );
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "units are small positive multiples of one half"
    )]
    fn units(&self, operation: Operation, units: Option<f64>) {
        let halves = (units.unwrap_or_default() * 2.0).round() as u64;
        self.0[operation as usize]
            .half_units
            .fetch_add(halves, Ordering::Relaxed);
    }

    /// What an operation has used.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 units")]
    pub fn of(&self, operation: Operation) -> Usage {
        let counter = &self.0[operation as usize];
        let units = counter.half_units.load(Ordering::Relaxed) as f64 / 2.0;
        let (read_units, write_units) = if operation.writes() {
            (0.0, units)
        } else {
            (units, 0.0)
        };
        Usage {
            requests: counter.requests.load(Ordering::Relaxed),
            read_units,
            write_units,
        }
    }

    /// What all operations have used.
    pub fn total(&self) -> Usage {
        let all = Operation::ALL.map(|operation| self.of(operation));
        all.into_iter().fold(Usage::default(), |sum, one| Usage {
            requests: sum.requests + one.requests,
            read_units: sum.read_units + one.read_units,
            write_units: sum.write_units + one.write_units,
        })
    }

    /// Starts again at nothing.
    pub fn reset(&self) {
        for counter in &self.0 {
            counter.requests.store(0, Ordering::Relaxed);
            counter.half_units.store(0, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = Operation::ALL
            .into_iter()
            .map(|operation| (operation, self.of(operation)))
            .filter(|(_, usage)| usage.requests > 0);
        f.debug_map().entries(used).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_counted_and_reads_and_writes_kept_apart() {
        let meter = Capacity::default();
        meter.request(Operation::Read);
        meter.units(Operation::Read, Some(0.5));
        meter.request(Operation::Create);
        meter.units(Operation::Create, Some(3.0));
        meter.request(Operation::Create);
        meter.units(Operation::Create, None);
        let total = meter.total();
        assert_eq!(total.requests, 3);
        assert!((total.read_units - 0.5).abs() < f64::EPSILON);
        assert!((total.write_units - 3.0).abs() < f64::EPSILON);
        meter.reset();
        assert_eq!(meter.total(), Usage::default());
    }

    #[test]
    fn every_operation_has_its_own_counter() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, place);
        }
    }
}
