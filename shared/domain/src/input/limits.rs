//! Ranges of numbers, as constants of a model: its schema and its reader name the same ones.

use serde_json::Value;
use std::fmt;

/// From 2^53 on, a number with point or exponent may have lost digits on its way: 64-bit floats
/// skip whole numbers there.
const MAX_EXACT: u64 = (1 << 53) - 1;
const MAX_EXACT_FLOAT: f64 = 9_007_199_254_740_991.0;

/// Whole numbers from `min` to `max` that are multiples of `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<T> {
    /// Smallest allowed.
    pub min: T,
    /// Largest allowed.
    pub max: T,
    /// Allowed are multiples of this (JSON Schema's `multipleOf`); 1 for all. Never 0.
    pub step: T,
}

/// Finite numbers from `min` to `max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Real {
    /// Smallest allowed.
    pub min: f64,
    /// Largest allowed.
    pub max: f64,
}

impl Real {
    /// No number but 0 may be nearer to it: Python and Rust write smaller ones in different ways (1e-05
    /// and 0.00001), no model could tell them from zero. JSON Schema cannot say it.
    pub const SMALLEST: f64 = 0.001;
}

impl<T: Copy + Into<u64>> fmt::Display for Whole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max, step) = (self.min.into(), self.max.into(), self.step.into());
        write!(f, "a whole number from {min} to {max}")?;
        if step > 1 {
            write!(f, " in steps of {step}")
        } else {
            Ok(())
        }
    }
}

/// `value` as a whole number from 0, if it is one and surely the one that was meant.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let exact = value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && (0.0..=MAX_EXACT_FLOAT).contains(number));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, below 2^53"
        )]
        exact.map(|number| number as u64)
    })
}

/// Whether `value`, meant for a field that goes up to `max`, may have lost digits on its way, so
/// that another spelling of it could be taken.
pub(super) fn may_have_lost_digits(value: &Value, max: u64) -> bool {
    let beyond = |number: f64| number > MAX_EXACT_FLOAT;
    max > MAX_EXACT && value.as_u64().is_none() && value.as_f64().is_some_and(beyond)
}
