//! The report of `ryla accept`, in Markdown. Makes text and judges nothing.

use super::judge::{Verdict, points};
use super::likeness;
use super::seen::Measured;
use std::fmt::Write as _;

/// The whole report; `stopped` where there would have been more.
pub(super) fn markdown(system: &str, samples: u16, measured: &[Measured], stopped: bool) -> String {
    let mut text = format!(
        "# Acceptance\n\nAsked of {system}: {samples} samples of each model one after the other, then \
         five at once. `open` is a point that cannot be told from here, or that only a real GPU \
         decides.\n"
    );
    if stopped {
        text.push_str("\n**Stopped before the end:** this is what was seen until then.\n");
    }
    let mut count = [0, 0, 0];
    for model in measured {
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "\n## {}\n\n| point | verdict | figure |\n|---|---|---|\n",
            model.model
        );
        for point in points(model) {
            let (place, word) = match point.verdict {
                Verdict::Pass => (0, "pass"),
                Verdict::Fail => (1, "**fail**"),
                Verdict::Open => (2, "open"),
            };
            count[place] += 1;
            let figure = point.figure.replace('|', "/").replace('\n', " ");
            let _ = writeln!(text, "| {} | {word} | {figure} |", point.what);
        }
    }
    text.push_str(&likeness::table(measured));
    let [pass, fail, open] = count;
    let _ = write!(text, "\n{pass} pass, {fail} fail, {open} open.");
    text
}
