//! A trace as it stands in a CSV file: `timestamp_s` and `endpoint`, any other columns. Read by
//! `ryla warm simulate`, written by `ryla warm export`. Opens no file.

use crate::trace::{Times, Trace, TraceError};
use csv::{ReaderBuilder, StringRecord, Trim, Writer};
use std::collections::BTreeMap;

/// Times beyond this are not seconds (a trace in milliseconds, say): past it a minute is no longer exact.
const LATEST_S: f64 = 1e11;

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

/// Where the columns are.
struct Columns {
    timestamp_s: usize,
    endpoint: usize,
    service_s: Option<usize>,
    boot_s: Option<usize>,
}

impl Trace {
    /// Reads CSV text. Rows out of order are sorted in and counted.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut rows = Rows::of(text);
        let heading = rows.next().ok_or(TraceError::Empty)??.cells;
        let columns = Columns::of(&heading)?;
        let mut by_name: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let (mut last, mut unsorted_rows) = (f64::NEG_INFINITY, 0);
        let (mut services, mut boots) = (Vec::new(), Vec::new());
        for row in rows {
            let row = row?;
            let seconds = row.time(columns.timestamp_s)?;
            let endpoint = row.cell(columns.endpoint, "endpoint")?;
            services.extend(row.measured(columns.service_s));
            boots.extend(row.measured(columns.boot_s));
            unsorted_rows += usize::from(seconds < last);
            last = seconds;
            match by_name.get_mut(endpoint) {
                Some(arrivals) => arrivals.push(seconds),
                None => {
                    by_name.insert(endpoint.to_owned(), vec![seconds]);
                }
            }
        }
        let times = Times {
            service_s: median(services),
            boot_s: median(boots),
        };
        let trace = Self::of(by_name, unsorted_rows)?;
        Ok(Self { times, ..trace })
    }

    /// The trace as CSV.
    pub fn csv(&self) -> String {
        let mut rows: Vec<(f64, &str)> = self
            .endpoints
            .iter()
            .flat_map(|endpoint| {
                let name = endpoint.name.as_str();
                endpoint.arrivals.iter().map(move |t| (*t, name))
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let rows = rows
            .into_iter()
            .map(|(t, name)| [t.to_string(), name.to_owned()]);
        written(["timestamp_s", "endpoint"], rows)
    }
}

/// A history as CSV, oldest first: a trace that [`Trace::parse`] reads, with two columns more.
pub fn history_csv(mut requests: Vec<Request>) -> String {
    requests.sort_by(|a, b| a.timestamp_s.total_cmp(&b.timestamp_s));
    let cell = |seconds: Option<f64>| seconds.map_or_else(String::new, |s| format!("{s:.3}"));
    let rows = requests.into_iter().map(|request| {
        [
            format!("{:.3}", request.timestamp_s),
            request.endpoint,
            cell(request.service_s),
            cell(request.boot_s),
        ]
    });
    written(["timestamp_s", "endpoint", "service_s", "boot_s"], rows)
}

fn written<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    // A vector takes whatever is written, and every row has as many cells as the heading.
    let _ = writer.write_record(heading);
    for row in rows {
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

impl Columns {
    fn of(heading: &StringRecord) -> Result<Self, TraceError> {
        let column = |name: &str| heading.iter().position(|cell| cell == name);
        let needed = |name: &'static str| column(name).ok_or(TraceError::NoColumn(name));
        Ok(Self {
            timestamp_s: needed("timestamp_s")?,
            endpoint: needed("endpoint")?,
            service_s: column("service_s"),
            boot_s: column("boot_s"),
        })
    }
}

/// The rows of a text that have something in them.
struct Rows<'a> {
    text: &'a str,
    records: csv::StringRecordsIntoIter<&'a [u8]>,
    /// Where the last row begins.
    last: usize,
}

impl<'a> Rows<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        Self {
            text,
            records: reader.into_records(),
            last: 0,
        }
    }

    /// A quote that nobody closes goes on to the end, and so it lies in the last row. Said once.
    fn open_quote(&mut self) -> Option<TraceError> {
        let row = self
            .text
            .get(std::mem::replace(&mut self.last, self.text.len())..)?;
        let quotes = row.bytes().filter(|byte| *byte == b'"').count();
        let opens = row.starts_with('"') || row.contains(",\"");
        let line = line_of(self.text, self.text.len() - row.len());
        (opens && quotes % 2 == 1).then_some(TraceError::OpenQuote { line })
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let cells = match self.records.next() {
                Some(Ok(cells)) => cells,
                Some(Err(error)) => return Some(Err(TraceError::NoCsv(error.to_string()))),
                None => return self.open_quote().map(Err),
            };
            let row = Row {
                text: self.text,
                cells,
            };
            self.last = row.begin();
            if row.cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Ok(row));
            }
        }
    }
}

/// One row of a text.
struct Row<'a> {
    text: &'a str,
    cells: StringRecord,
}

impl Row<'_> {
    /// Where it begins: the reader's own position is before the empty lines that it passes over.
    fn begin(&self) -> usize {
        let read = self.cells.position().map_or(0, csv::Position::byte);
        let read = usize::try_from(read).unwrap_or(usize::MAX);
        let rest = self.text.get(read..).unwrap_or_default();
        self.text.len() - rest.trim_start_matches(['\r', '\n']).len()
    }

    fn line(&self) -> usize {
        line_of(self.text, self.begin())
    }

    fn cell(&self, at: usize, column: &'static str) -> Result<&str, TraceError> {
        let cell = self.cells.get(at).ok_or_else(|| TraceError::NoCell {
            line: self.line(),
            column,
        })?;
        if cell.contains('\n') {
            // No time and no name goes over two lines: another row's quote has closed this one's.
            return Err(TraceError::OpenQuote { line: self.line() });
        }
        Ok(cell)
    }

    fn time(&self, at: usize) -> Result<f64, TraceError> {
        let text = self.cell(at, "timestamp_s")?;
        let seconds = text.parse().ok().filter(|s: &f64| s.abs() < LATEST_S);
        seconds.ok_or_else(|| TraceError::NoTime {
            line: self.line(),
            text: text.to_owned(),
        })
    }

    /// What was measured, where anything was: a container that was there did not boot.
    fn measured(&self, at: Option<usize>) -> Option<f64> {
        let seconds: f64 = self.cells.get(at?)?.parse().ok()?;
        (seconds.is_finite() && seconds > 0.0).then_some(seconds)
    }
}

/// On which line of a text a byte lies, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    1 + before.filter(|byte| *byte == b'\n').count()
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_rows_out_of_order_are_sorted_in() {
        let text =
            "\u{feff}tenant, endpoint ,timestamp_s\r\nx,b,5\r\n\r\ny,a,3.5\n , ,\n\"z, z\",b,4\n";
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
    fn requests_of_which_no_endpoint_was_noted_are_one_more() {
        let trace = Trace::parse("timestamp_s,endpoint\n1,\n2,a\n3,\n").unwrap();
        let first = &trace.endpoints[0];
        assert_eq!((first.name.as_str(), first.arrivals.len()), ("", 2));
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "timestamp_s,endpoint\n1,\"a,\"\"b\"\"\"\n2.25,c\n";
        let trace = Trace::parse(text).unwrap();
        assert_eq!(trace.endpoints[0].name, "a,\"b\"");
        assert_eq!(trace.csv(), text);
    }

    #[test]
    fn a_quoted_cell_may_go_over_several_lines() {
        let text = "timestamp_s,prompt,endpoint\n1,\"a castle\n5,b\",flux\n2,\"a \"\"big\"\" one\",flux\n3,5\" wide,flux\n";
        let trace = Trace::parse(text).unwrap();
        assert_eq!((trace.endpoints.len(), trace.requests()), (1, 3));
    }

    #[test]
    fn a_history_is_written_oldest_first_and_reads_as_a_trace_with_its_times() {
        let request = |timestamp_s, boot_s| Request {
            timestamp_s,
            endpoint: "flux".to_owned(),
            service_s: Some(6.25),
            boot_s,
        };
        let text = history_csv(vec![
            request(1_763_718_310.5, None),
            request(2.0, Some(0.0)),
            request(3.0, Some(31.5)),
        ]);
        assert_eq!(
            text,
            "timestamp_s,endpoint,service_s,boot_s\n2.000,flux,6.250,0.000\n3.000,flux,6.250,31.500\n1763718310.500,flux,6.250,\n"
        );
        let trace = Trace::parse(&text).unwrap();
        assert_eq!((trace.requests(), trace.unsorted_rows), (3, 0));
        let times = Times {
            service_s: Some(6.25),
            boot_s: Some(31.5),
        };
        assert_eq!(trace.times, times, "a boot of 0 s is none");
        assert_eq!(trace.pooled().times, times);
    }

    #[test]
    fn each_fault_of_a_file_is_said_with_its_line() {
        let told = |text: &str| Trace::parse(text).unwrap_err().to_string();
        assert_eq!(told(""), "the trace has no arrivals");
        assert_eq!(told("timestamp_s,endpoint\n"), "the trace has no arrivals");
        assert!(told("time,endpoint\n1,a\n").contains("no \"timestamp_s\" in it"));
        for (text, fault) in [
            (
                "endpoint,timestamp_s\na,1\nb\n",
                "line 3 has no timestamp_s",
            ),
            ("timestamp_s,endpoint\n\r\n1\n", "line 3 has no endpoint"),
            (
                "timestamp_s,endpoint\n1,a\n2,\"b\n3,a\n",
                "line 3 has a quote that is not closed",
            ),
            (
                "timestamp_s,endpoint\n1,a\n2,\"b\n",
                "line 3 has a quote that is not closed",
            ),
            (
                "timestamp_s,endpoint\n1,a\n2,\"b\n3,a\n4,\"c\n5,a\n",
                "line 3 has a quote that is not closed",
            ),
        ] {
            assert_eq!(told(text), fault);
        }
        for time in ["", "noon", "NaN", "inf", "1e300", "1763718310500"] {
            let fault = told(&format!("timestamp_s,endpoint\n{time},a\n"));
            let begin = format!("line 2: {time:?} is not a time in seconds");
            assert!(fault.starts_with(&begin), "{fault}");
        }
    }
}
