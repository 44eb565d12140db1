//! Points in time and lengths of time, both in whole milliseconds. Nothing here reads a clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

/// A length of time in milliseconds, never negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ms(pub u64);

impl Ms {
    /// A length given in whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The same length as the standard library's type, for timers and clients.
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// The length in seconds, for figures shown to users.
    #[expect(
        clippy::cast_precision_loss,
        reason = "lengths of time here are far below 2^53 ms"
    )]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// A length given in seconds and parts of one, cut to whole milliseconds; less than nothing is 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates at both ends"
    )]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1000.0) as u64)
    }

    /// `self` doubled `times` times, without overflow.
    #[must_use]
    pub const fn doubled(self, times: u32) -> Self {
        match 1_u64.checked_shl(times) {
            Some(factor) => Self(self.0.saturating_mul(factor)),
            None => Self(u64::MAX),
        }
    }
}

impl UnixMs {
    /// Time passed since `earlier`; zero where `earlier` lies ahead (clocks of two machines differ).
    pub fn since(self, earlier: Self) -> Ms {
        Ms(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since the epoch, rounded down: what DynamoDB's TTL and signatures count in.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The point that lies whole seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }
}

impl Add<Ms> for UnixMs {
    type Output = Self;
    fn add(self, length: Ms) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(length.0).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Ms> for UnixMs {
    type Output = Self;
    fn sub(self, length: Ms) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(length.0).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passed_since_a_later_point_is_zero_and_nothing_overflows() {
        assert_eq!(UnixMs(5).since(UnixMs(9)), Ms(0));
        assert_eq!(UnixMs(9).since(UnixMs(5)), Ms(4));
        assert_eq!(UnixMs(i64::MAX) + Ms(u64::MAX), UnixMs(i64::MAX));
        assert_eq!(Ms(3).doubled(2), Ms(12));
        assert_eq!(Ms(3).doubled(200), Ms(u64::MAX));
    }
}
