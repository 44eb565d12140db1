//! Traces as the commands of `ryla warm` are given them.

use crate::failure::Failure;
use crate::say;
use ryla_replay::trace::Trace;
use std::io::Read as _;
use std::path::Path;

/// Reads a file, or standard input where that is `-`. Says how many rows were out of order.
pub(super) fn read(path: &Path) -> Result<Trace, Failure> {
    let told =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let bytes = if path == Path::new("-") {
        let mut all = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut all);
        read.map(|_| all)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| told(&error))?;
    let trace = Trace::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| told(&error))?;
    if trace.unsorted_rows > 0 {
        say::note(format!(
            "{}: {} rows were out of order and have been sorted in",
            path.display(),
            trace.unsorted_rows
        ));
    }
    Ok(trace)
}
