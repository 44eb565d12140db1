//! A gull in flight with spread wings.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let white = Rgb::hex(0xf6f4ef);
    let gray = Rgb::hex(0x8d97a8);
    let lift = dice.between(-0.15, 0.25);
    // The far wing, then body, then the near wing.
    brush.blob(
        &[
            (0.05, -0.42),
            (0.24, -0.76 - lift),
            (0.60, -0.98 - lift),
            (1.06, -0.92 - lift * 0.4),
            (0.66, -0.78 - lift),
            (0.36, -0.50),
            (0.20, -0.34),
        ],
        Fill::Flat(gray, 0.35),
    );
    brush.polygon(
        &[
            (0.72, -0.965 - lift),
            (1.06, -0.92 - lift * 0.4),
            (0.76, -0.83 - lift),
        ],
        Fill::Flat(Rgb::hex(0x33343c), 0.3),
    );
    brush.blob(
        &[
            (-0.36, -0.34),
            (-0.20, -0.44),
            (0.08, -0.43),
            (0.38, -0.30),
            (0.62, -0.20),
            (0.40, -0.17),
            (0.10, -0.19),
            (-0.18, -0.23),
        ],
        Fill::Fade(white, Rgb::hex(0xb9c0cc)),
    );
    brush.oval(-0.36, -0.355, 0.115, 0.095, Fill::Flat(white, 0.95));
    brush.polygon(
        &[(-0.455, -0.375), (-0.455, -0.325), (-0.585, -0.325)],
        Fill::Flat(Rgb::hex(0xf0a53c), 0.9),
    );
    brush.oval(
        -0.395,
        -0.380,
        0.017,
        0.017,
        Fill::Flat(Rgb::hex(0x201c22), 0.5),
    );
    brush.blob(
        &[
            (-0.14, -0.40),
            (-0.38, -0.78 - lift),
            (-0.74, -1.0 - lift),
            (-1.16, -0.90 - lift * 0.4),
            (-0.72, -0.82 - lift),
            (-0.34, -0.52),
            (0.16, -0.28),
        ],
        Fill::Flat(white.scale(0.94), 0.95),
    );
    brush.blob(
        &[
            (-0.24, -0.58),
            (-0.44, -0.80 - lift),
            (-0.76, -0.975 - lift),
            (-0.80, -0.93 - lift),
            (-0.42, -0.66),
        ],
        Fill::Flat(gray.scale(1.1), 0.85),
    );
    brush.polygon(
        &[
            (-0.82, -0.985 - lift),
            (-1.16, -0.90 - lift * 0.4),
            (-0.82, -0.86 - lift),
        ],
        Fill::Flat(Rgb::hex(0x33343c), 0.6),
    );
}
