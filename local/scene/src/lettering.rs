//! A small alphabet of single strokes, for the mark on each picture and the captions of the sample sheet.
//!
//! Lower-case letters on a grid: the baseline is y = 7, the tops of small letters 3, ascenders 0, descenders 9.

use tiny_skia::{Path, PathBuilder};

/// The height of a letter from ascender to descender, in grid units.
pub(crate) const TALL: f32 = 9.0;

/// The distance between two letters, in grid units.
const GAP: f32 = 1.9;

const BOWL: &str = "M4 5 Q4 3 2 3 Q0 3 0 5 Q0 7 2 7 Q4 7 4 5";

/// Strokes (`M` x y, `L` x y, `Q` x y x y), with the width of the letter. `*` stands for the round bowl.
fn glyph(letter: char) -> (&'static str, f32) {
    match letter {
        'a' => ("* M4 3 L4 7", 4.0),
        'b' => ("* M0 0 L0 7", 4.0),
        'c' => ("M3.7 3.8 Q3.2 3 2 3 Q0 3 0 5 Q0 7 2 7 Q3.2 7 3.7 6.2", 3.7),
        'd' => ("* M4 0 L4 7", 4.0),
        'e' => ("M0 5 L4 5 Q4 3 2 3 Q0 3 0 5 Q0 7 2 7 Q3.2 7 3.8 6.2", 4.0),
        'f' => ("M2.9 0.3 Q1 -0.4 1 2 L1 7 M0 3 L2.6 3", 2.7),
        'g' => ("* M4 3 L4 7.4 Q4 9 2 9 Q0.9 9 0.3 8.4", 4.0),
        'h' => ("M0 0 L0 7 M0 5 Q0 3 2 3 Q4 3 4 5 L4 7", 4.0),
        'i' => ("M0.3 3 L0.3 7 M0.3 0.9 L0.3 1.1", 0.6),
        'j' => ("M1 3 L1 7.6 Q1 9 0 9 M1 0.9 L1 1.1", 1.0),
        'k' => ("M0 0 L0 7 M3.4 3 L0 5.4 M1.3 4.6 L3.7 7", 3.7),
        'l' => ("M0.3 0 L0.3 7", 0.6),
        'm' => (
            "M0 3 L0 7 M0 5 Q0 3 1.6 3 Q3.2 3 3.2 5 L3.2 7 M3.2 5 Q3.2 3 4.8 3 Q6.4 3 6.4 5 L6.4 7",
            6.4,
        ),
        'n' => ("M0 3 L0 7 M0 5 Q0 3 2 3 Q4 3 4 5 L4 7", 4.0),
        'o' => ("*", 4.0),
        'p' => ("* M0 3 L0 9", 4.0),
        'q' => ("* M4 3 L4 9", 4.0),
        'r' => ("M0 3 L0 7 M0 5 Q0 3 2 3 L2.4 3.1", 2.4),
        's' => (
            "M3.4 3.6 Q2.8 3 1.8 3 Q0.2 3 0.2 4 Q0.2 4.8 1.8 5 Q3.6 5.2 3.6 6 Q3.6 7 1.8 7 Q0.6 7 0 6.3",
            3.6,
        ),
        't' => ("M1 1.2 L1 5.8 Q1 7 2.5 7 M0 3 L2.5 3", 2.5),
        'u' => ("M0 3 L0 5 Q0 7 2 7 Q4 7 4 5 M4 3 L4 7", 4.0),
        'v' => ("M0 3 L1.9 7 L3.8 3", 3.8),
        'w' => ("M0 3 L1.4 7 L2.8 3.4 L4.2 7 L5.6 3", 5.6),
        'x' => ("M0 3 L3.6 7 M3.6 3 L0 7", 3.6),
        'y' => ("M0 3 L1.9 7 M3.8 3 L1.9 7 L1.2 8.5 Q0.9 9 0 9", 3.8),
        'z' => ("M0 3 L3.5 3 L0 7 L3.6 7", 3.6),
        ',' => ("M0.4 6.8 L0 8.1", 0.5),
        '-' => ("M0 5 L2.4 5", 2.4),
        _ => ("", 1.4),
    }
}

/// The width of a line of text in grid units.
pub(crate) fn width(text: &str) -> f32 {
    text.chars()
        .map(|letter| glyph(letter).1 + GAP)
        .sum::<f32>()
        - GAP
}

/// The strokes of a line of text, its ascenders' tops at y = 0. Letters that the alphabet lacks are gaps.
pub(crate) fn line(text: &str) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut left = 0.0;
    for letter in text.chars() {
        let (strokes, width) = glyph(letter);
        write(&mut path, left, strokes);
        left += width + GAP;
    }
    path.finish()
}

fn write(path: &mut PathBuilder, left: f32, strokes: &str) {
    let mut words = strokes.split_whitespace();
    while let Some(word) = words.next() {
        if word == "*" {
            write(path, left, BOWL);
            continue;
        }
        let mut number = || {
            words
                .next()
                .and_then(|word| word.parse::<f32>().ok())
                .unwrap_or(0.0)
        };
        let first = word
            .get(1..)
            .and_then(|rest| rest.parse::<f32>().ok())
            .unwrap_or(0.0);
        match word.as_bytes().first() {
            Some(b'M') => path.move_to(left + first, number()),
            Some(b'L') => path.line_to(left + first, number()),
            Some(b'Q') => {
                let (y, to_x, to_y) = (number(), number(), number());
                path.quad_to(left + first, y, left + to_x, to_y);
            }
            _ => {}
        }
    }
}
