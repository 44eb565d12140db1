//! Columns for people.

/// Rows under a heading, each column as wide as its widest cell, the last one as it is.
pub(crate) fn render<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heading)];
    lines.extend(
        rows.iter()
            .map(|row| line(row.each_ref().map(String::as_str))),
    );
    lines.join("\n")
}

/// At most that many characters of the first line, and an ellipsis where there are more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first == text && first.chars().count() <= most {
        return first.to_owned();
    }
    let kept: String = first.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_alphabet() {
        let rows = [
            ["abc".to_owned(), "Leuchtturm".to_owned()],
            ["äöü-äöü".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            render(["ID", "PROMPT"], &rows),
            "ID       PROMPT\nabc      Leuchtturm\näöü-äöü  x"
        );
    }

    #[test]
    fn long_and_many_lined_prompts_are_shortened() {
        assert_eq!(shortened("a lighthouse", 12), "a lighthouse");
        assert_eq!(shortened("a lighthouse at dusk", 13), "a lighthouse…");
        assert_eq!(shortened("one\ntwo", 12), "one…");
    }
}
