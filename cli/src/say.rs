//! Printing: results on standard output, everything else on standard error. A reader that went away
//! (`ryla jobs list | head`) is no error, and text of a server cannot steer the terminal.

use std::fmt::Display;
use std::io::Write;

/// A line of the result.
pub(crate) fn line(text: impl Display) {
    write(&mut std::io::stdout().lock(), &text.to_string());
}

/// A line beside the result.
pub(crate) fn note(text: impl Display) {
    write(&mut std::io::stderr().lock(), &text.to_string());
}

fn write(stream: &mut impl Write, text: &str) {
    // Nobody is left who could be told.
    let _ = writeln!(stream, "{}", tame(text)).and_then(|()| stream.flush());
}

/// The text without control characters other than the line feed.
fn tame(text: &str) -> String {
    let is_control = |c: char| c.is_control() && c != '\n';
    text.replace(is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_in_a_prompt_do_not_reach_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
    }

    #[test]
    fn a_closed_pipe_is_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        write(&mut Closed, "text");
    }
}
