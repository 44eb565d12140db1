//! A trace: the arrivals of one or many endpoints. How it stands in a file is [`crate::file`]'s.

use std::collections::BTreeMap;

/// The arrivals of one endpoint, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// As the trace calls it.
    pub name: String,
    /// Seconds, on whatever clock the trace has.
    pub arrivals: Vec<f64>,
}

/// Arrivals by endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// In the order of their names; none is empty.
    pub endpoints: Vec<Endpoint>,
    /// Rows whose time lies before that of the row above: they were sorted in.
    pub unsorted_rows: usize,
    /// What was measured of the requests, where the trace says so.
    pub times: Times,
}

/// Median seconds of what a trace says of its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Of the work on a container.
    pub service_s: Option<f64>,
    /// Of a container's boot, requests that found one left out.
    pub boot_s: Option<f64>,
}

/// Why a trace cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// The first line lacks a column.
    #[error("the first line must name the columns; there is no {0:?} in it")]
    NoColumn(&'static str),
    /// A row has fewer cells than it needs.
    #[error("line {line} has no {column}")]
    NoCell {
        /// Counted from 1.
        line: usize,
        /// Which.
        column: &'static str,
    },
    /// A time that is none.
    #[error(
        "line {line}: {text:?} is not a time in seconds (a number such as 1763718310.5, since 1970 or any other beginning)"
    )]
    NoTime {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A quoted cell goes on to the end of the file.
    #[error("line {line} has a quote that is not closed")]
    OpenQuote {
        /// Where the row begins, counted from 1.
        line: usize,
    },
    /// The text is no CSV.
    #[error("{0}")]
    NoCsv(String),
    /// No rows.
    #[error("the trace has no arrivals")]
    Empty,
    /// Nothing lies in one part of its time.
    #[error(
        "{before} requests lie before that share of the time and {after} after it: neither may be 0"
    )]
    EmptyPart {
        /// Requests before.
        before: usize,
        /// Requests after.
        after: usize,
    },
    /// No such endpoint.
    #[error("the trace has no endpoint {0:?}")]
    NoEndpoint(String),
}

impl Trace {
    /// A trace of arrivals in any order.
    pub fn of(
        by_name: BTreeMap<String, Vec<f64>>,
        unsorted_rows: usize,
    ) -> Result<Self, TraceError> {
        let sorted = |(name, mut arrivals): (String, Vec<f64>)| {
            arrivals.sort_by(f64::total_cmp);
            Endpoint { name, arrivals }
        };
        let endpoints: Vec<Endpoint> = by_name
            .into_iter()
            .filter(|(_, arrivals)| !arrivals.is_empty())
            .map(sorted)
            .collect();
        if endpoints.is_empty() {
            return Err(TraceError::Empty);
        }
        Ok(Self {
            endpoints,
            unsorted_rows,
            times: Times::default(),
        })
    }

    /// All endpoints as one, as if they shared their containers.
    #[must_use]
    pub fn pooled(&self) -> Self {
        let mut arrivals: Vec<f64> = self
            .endpoints
            .iter()
            .flat_map(|endpoint| endpoint.arrivals.iter().copied())
            .collect();
        arrivals.sort_by(f64::total_cmp);
        let name = "all".to_owned();
        Self {
            endpoints: vec![Endpoint { name, arrivals }],
            ..*self
        }
    }

    /// One endpoint alone.
    pub fn only(&self, name: &str) -> Result<Self, TraceError> {
        let found = self.endpoints.iter().find(|endpoint| endpoint.name == name);
        let endpoint = found.ok_or_else(|| TraceError::NoEndpoint(name.to_owned()))?;
        Ok(Self {
            endpoints: vec![endpoint.clone()],
            unsorted_rows: self.unsorted_rows,
            // They are medians over all endpoints.
            times: Times::default(),
        })
    }

    /// What lies before the given share of the trace's time, and the rest.
    pub fn split(&self, share: f64) -> Result<(Self, Self), TraceError> {
        let (first, last) = self.span();
        let at = first + (last - first) * share;
        let part = |keep: &dyn Fn(f64) -> bool| {
            let kept = self.endpoints.iter().map(|endpoint| {
                let arrivals = endpoint
                    .arrivals
                    .iter()
                    .copied()
                    .filter(|t| keep(*t))
                    .collect();
                (endpoint.name.clone(), arrivals)
            });
            let part = Self::of(kept.collect(), self.unsorted_rows).unwrap_or_default();
            Self {
                times: self.times,
                ..part
            }
        };
        let (first, rest) = (part(&|t| t < at), part(&|t| t >= at));
        let (before, after) = (first.requests(), rest.requests());
        if before == 0 || after == 0 {
            return Err(TraceError::EmptyPart { before, after });
        }
        Ok((first, rest))
    }

    /// How many arrivals there are.
    pub fn requests(&self) -> usize {
        self.endpoints
            .iter()
            .map(|endpoint| endpoint.arrivals.len())
            .sum()
    }

    /// The first and the last arrival.
    pub fn span(&self) -> (f64, f64) {
        let all = self.endpoints.iter().flat_map(|endpoint| {
            [endpoint.arrivals.first(), endpoint.arrivals.last()]
                .into_iter()
                .flatten()
        });
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), t| {
            (lo.min(*t), hi.max(*t))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_keeps_every_arrival_once() {
        let trace = Trace::parse("timestamp_s,endpoint\n0,a\n4,b\n5,a\n10,a\n").unwrap();
        let (first, rest) = trace.split(0.5).unwrap();
        assert_eq!((first.requests(), rest.requests()), (2, 2));
        assert_eq!(rest.endpoints.len(), 1);
    }

    #[test]
    fn a_split_that_leaves_nothing_on_one_side_says_on_which() {
        let one = Trace::parse("timestamp_s,endpoint\n7,a\n").unwrap();
        let told = one.split(0.5).unwrap_err().to_string();
        assert!(told.starts_with("0 requests lie before"), "{told}");
    }
}
