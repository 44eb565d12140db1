//! Requests and units, counted where they arrive, so that both sides are counted by the same hand.

use std::collections::BTreeMap;

/// What one request took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Requests.
    pub requests: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
}

impl Count {
    /// A read.
    pub const fn read(units: f64) -> Self {
        Self {
            requests: 1,
            read_units: units,
            write_units: 0.0,
        }
    }

    /// A write.
    pub const fn write(units: f64) -> Self {
        Self {
            requests: 1,
            read_units: 0.0,
            write_units: units,
        }
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.read_units += other.read_units;
        self.write_units += other.write_units;
    }
}

/// Counts by operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage(BTreeMap<String, Count>);

impl Usage {
    /// One more request.
    pub fn add(&mut self, operation: &str, count: Count) {
        self.0.entry(operation.to_owned()).or_default().add(count);
    }

    /// What was added since that earlier state.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let since = |(name, now): (&String, &Count)| {
            let before = before.0.get(name).copied().unwrap_or_default();
            let count = Count {
                requests: now.requests - before.requests,
                read_units: now.read_units - before.read_units,
                write_units: now.write_units - before.write_units,
            };
            (name.clone(), count)
        };
        Self(self.0.iter().map(since).collect())
    }

    /// All operations together.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        for count in self.0.values() {
            total.add(*count);
        }
        total
    }

    /// By operation.
    pub fn by_operation(&self) -> impl Iterator<Item = (&str, Count)> {
        let asked = self.0.iter().filter(|(_, count)| count.requests > 0);
        asked.map(|(name, count)| (name.as_str(), *count))
    }
}
