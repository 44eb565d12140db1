//! What is kept warm, and the minutes in which that is counted. Used by the table's rows, by `warm`, and
//! by whoever counts for it.

use crate::id::{BackendId, GpuClass};
use crate::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A GPU class on one backend: containers of which any can take any of its requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where.
    pub backend: BackendId,
    /// Which containers.
    pub class: GpuClass,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.backend, self.class)
    }
}

/// A whole minute, by its number since 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute in which that instant lies.
    pub const fn of(at: UnixMs) -> Self {
        Self(at.0.div_euclid(60_000))
    }

    /// Its first instant.
    pub const fn begin(self) -> UnixMs {
        UnixMs(self.0.saturating_mul(60_000))
    }

    /// The instant in it that lies so many whole seconds after its first; at most its last second.
    pub fn second(self, second: u8) -> UnixMs {
        self.begin() + Ms::seconds(u64::from(second.min(59)))
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The one before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// Which second of its minute an instant lies in, 0 to 59.
pub fn second_of(at: UnixMs) -> u8 {
    u8::try_from(at.seconds().rem_euclid(60)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_lies_in_one_minute_and_one_second_of_it_also_before_the_epoch() {
        for (ms, minute, second) in [(0, 0, 0), (59_999, 0, 59), (60_000, 1, 0), (-1, -1, 59)] {
            let at = UnixMs(ms);
            assert_eq!((Minute::of(at), second_of(at)), (Minute(minute), second));
            assert_eq!(Minute::of(Minute::of(at).second(second)), Minute(minute));
        }
        assert_eq!(Minute(3).next().previous(), Minute(3));
        assert_eq!(Minute(2).begin(), UnixMs(120_000));
        let end = Minute::of(UnixMs(i64::MAX));
        assert!(end.second(59) > end.begin());
    }
}
