//! When a job got where, in lines.

use crate::prediction::Timeline;
use std::fmt::Write as _;

/// Four lines, milliseconds aligned at their right; `-` where the job never got.
pub(crate) fn render(timeline: &Timeline) -> String {
    let steps = [
        ("accepted", timeline.accepted_ms),
        ("dispatched", timeline.dispatched_ms),
        ("running", timeline.running_ms),
        ("done", timeline.done_ms),
    ];
    let figures = steps.map(|(_, ms)| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")));
    let width = figures.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for ((name, _), figure) in steps.iter().zip(&figures) {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name:<10}  {figure:>width$}");
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_stands_on_its_line_in_milliseconds() {
        let timeline = Timeline {
            accepted_ms: Some(0),
            dispatched_ms: Some(41),
            running_ms: Some(88),
            done_ms: Some(1204),
        };
        assert_eq!(
            render(&timeline),
            "accepted       0 ms\ndispatched    41 ms\nrunning       88 ms\ndone        1204 ms"
        );
    }

    #[test]
    fn a_step_that_was_never_reached_is_a_dash() {
        let timeline = Timeline {
            accepted_ms: Some(0),
            done_ms: Some(7),
            ..Timeline::default()
        };
        assert_eq!(
            render(&timeline),
            "accepted    0 ms\ndispatched     -\nrunning        -\ndone        7 ms"
        );
    }
}
