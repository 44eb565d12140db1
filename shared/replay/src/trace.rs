//! A trace of arrivals as it stands in a CSV file: `timestamp_s` and `endpoint`, any other columns.
//! Read by `ryla warm simulate`, written by `ryla warm export`. Opens no file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

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
    #[error("line {line}: {text:?} is not a time in seconds")]
    NoTime {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// No rows.
    #[error("the trace has no arrivals")]
    Empty,
    /// No such endpoint.
    #[error("the trace has no endpoint {0:?}")]
    NoEndpoint(String),
}

/// Times beyond this are not seconds (a trace in milliseconds, say): past it a minute is no longer exact.
const LATEST_S: f64 = 1e11;

impl Trace {
    /// Reads CSV text. Rows out of order are sorted in and counted.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let heading = cells(lines.next().ok_or(TraceError::Empty)?.1);
        let column = |name: &'static str| {
            let found = heading.iter().position(|cell| cell == name);
            found.ok_or(TraceError::NoColumn(name))
        };
        let (time_at, endpoint_at) = (column("timestamp_s")?, column("endpoint")?);
        let mut by_name: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let (mut last, mut unsorted_rows) = (f64::NEG_INFINITY, 0);
        for (index, line) in lines {
            let line_number = index + 1;
            let mut row = cells(line);
            let time = row.get(time_at).ok_or(TraceError::NoCell {
                line: line_number,
                column: "timestamp_s",
            })?;
            let seconds = time.parse().ok().filter(|s: &f64| s.abs() < LATEST_S);
            let seconds = seconds.ok_or_else(|| TraceError::NoTime {
                line: line_number,
                text: time.clone(),
            })?;
            if endpoint_at >= row.len() {
                return Err(TraceError::NoCell {
                    line: line_number,
                    column: "endpoint",
                });
            }
            unsorted_rows += usize::from(seconds < last);
            last = seconds;
            by_name
                .entry(row.swap_remove(endpoint_at))
                .or_default()
                .push(seconds);
        }
        Self::of(by_name, unsorted_rows)
    }

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
            unsorted_rows: self.unsorted_rows,
        }
    }

    /// One endpoint alone.
    pub fn only(&self, name: &str) -> Result<Self, TraceError> {
        let found = self.endpoints.iter().find(|endpoint| endpoint.name == name);
        let endpoint = found.ok_or_else(|| TraceError::NoEndpoint(name.to_owned()))?;
        Ok(Self {
            endpoints: vec![endpoint.clone()],
            unsorted_rows: self.unsorted_rows,
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
            Self::of(kept.collect(), self.unsorted_rows)
        };
        Ok((part(&|t| t < at)?, part(&|t| t >= at)?))
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

    /// The trace as CSV.
    pub fn csv(&self) -> String {
        let mut rows: Vec<(f64, &str)> = self
            .endpoints
            .iter()
            .flat_map(|endpoint| {
                endpoint
                    .arrivals
                    .iter()
                    .map(|t| (*t, endpoint.name.as_str()))
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut text = "timestamp_s,endpoint\n".to_owned();
        for (t, name) in rows {
            let _ = writeln!(text, "{t},{}", quoted(name));
        }
        text
    }
}

/// One request of a system's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// When it came, in seconds.
    pub timestamp_s: f64,
    /// What it needs containers of.
    pub endpoint: String,
    /// Seconds that it took on its container, where that is known.
    pub service_s: Option<f64>,
    /// Seconds that its container booted for it, where that is known; 0 where it was there.
    pub boot_s: Option<f64>,
}

/// A history as CSV, oldest first: a trace that [`Trace::parse`] reads, with two columns more.
pub fn history_csv(mut requests: Vec<Request>) -> String {
    requests.sort_by(|a, b| a.timestamp_s.total_cmp(&b.timestamp_s));
    let mut text = "timestamp_s,endpoint,service_s,boot_s\n".to_owned();
    let cell = |seconds: Option<f64>| seconds.map_or_else(String::new, |s| format!("{s:.3}"));
    for request in requests {
        let _ = writeln!(
            text,
            "{:.3},{},{},{}",
            request.timestamp_s,
            quoted(&request.endpoint),
            cell(request.service_s),
            cell(request.boot_s)
        );
    }
    text
}

/// A cell as CSV has it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The cells of one line; quoted ones may hold commas and doubled quotes, not line feeds.
fn cells(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut cell).trim().to_owned()),
            other => cell.push(other),
        }
    }
    all.push(cell.trim().to_owned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_rows_out_of_order_are_sorted_in() {
        let text = "\u{feff}tenant,endpoint,timestamp_s\r\nx,b,5\r\n\r\ny,a,3.5\n\"z, z\",b,4\n";
        let trace = Trace::parse(text).unwrap();
        let found: Vec<_> = trace
            .endpoints
            .iter()
            .map(|e| (e.name.as_str(), e.arrivals.clone()))
            .collect();
        assert_eq!(found, [("a", vec![3.5]), ("b", vec![4.0, 5.0])]);
        assert_eq!((trace.unsorted_rows, trace.requests()), (1, 3));
        assert_eq!(trace.pooled().endpoints[0].arrivals, [3.5, 4.0, 5.0]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "timestamp_s,endpoint\n1,\"a,\"\"b\"\"\"\n2.25,c\n";
        let trace = Trace::parse(text).unwrap();
        assert_eq!(trace.endpoints[0].name, "a,\"b\"");
        assert_eq!(trace.csv(), text);
    }

    #[test]
    fn a_history_is_written_oldest_first_and_reads_as_a_trace() {
        let request = |timestamp_s, boot_s| Request {
            timestamp_s,
            endpoint: "flux".to_owned(),
            service_s: Some(6.25),
            boot_s,
        };
        let text = history_csv(vec![
            request(1_763_718_310.5, None),
            request(2.0, Some(0.0)),
        ]);
        assert_eq!(
            text,
            "timestamp_s,endpoint,service_s,boot_s\n2.000,flux,6.250,0.000\n1763718310.500,flux,6.250,\n"
        );
        let trace = Trace::parse(&text).unwrap();
        assert_eq!((trace.requests(), trace.unsorted_rows), (2, 0));
    }

    #[test]
    fn each_fault_of_a_file_is_said_with_its_line() {
        let told = |text: &str| Trace::parse(text).unwrap_err().to_string();
        assert_eq!(told(""), "the trace has no arrivals");
        assert_eq!(told("timestamp_s,endpoint\n"), "the trace has no arrivals");
        assert!(told("time,endpoint\n1,a\n").contains("no \"timestamp_s\" in it"));
        assert_eq!(
            told("endpoint,timestamp_s\na,1\nb\n"),
            "line 3 has no timestamp_s"
        );
        assert_eq!(told("timestamp_s,endpoint\n1\n"), "line 2 has no endpoint");
        for time in ["noon", "NaN", "inf", "1e300", ""] {
            let text = format!("timestamp_s,endpoint\n{time},a\n");
            assert_eq!(
                told(&text),
                format!("line 2: {time:?} is not a time in seconds")
            );
        }
    }

    #[test]
    fn a_split_keeps_every_arrival_once() {
        let trace = Trace::parse("timestamp_s,endpoint\n0,a\n4,b\n5,a\n10,a\n").unwrap();
        let (first, rest) = trace.split(0.5).unwrap();
        assert_eq!(
            (first.csv().lines().count(), rest.csv().lines().count()),
            (3, 3)
        );
        assert_eq!(rest.endpoints.len(), 1);
        let one = Trace::parse("timestamp_s,endpoint\n7,a\n").unwrap();
        assert_eq!(one.split(0.5), Err(TraceError::Empty));
    }
}
