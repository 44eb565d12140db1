//! A traveller seen from behind, looking into the picture: hat, scarf, coat and staff.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

const SKIN: Rgb = Rgb::hex(0xd9a27c);

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let coat = [
        Rgb::hex(0x3f5f8a),
        Rgb::hex(0xb5483c),
        Rgb::hex(0x4c7560),
        Rgb::hex(0xc98a3f),
    ][dice.index(4)];
    let scarf = [Rgb::hex(0xe8b44a), Rgb::hex(0xd8503f), Rgb::hex(0xf0e2c8)][dice.index(3)];
    brush.oval(0.07, 0.0, 0.22, 0.018, Fill::Raw(Rgb::BLACK, 0.22));
    brush.line(
        &[(-0.205, 0.0), (-0.165, -0.62)],
        0.017,
        Fill::Flat(Rgb::hex(0x7d5a40), 0.8),
    );
    legs(brush);
    cloak(brush, coat, scarf);
    bag(brush);
    head(brush, scarf);
}

fn legs(brush: &mut Brush<'_>) {
    for (x, facing) in [(-0.052, 0.7), (0.050, 0.2)] {
        brush.polygon(
            &[
                (x - 0.040, -0.30),
                (x + 0.040, -0.30),
                (x + 0.032, -0.04),
                (x - 0.032, -0.04),
            ],
            Fill::Flat(Rgb::hex(0x4a4452), facing),
        );
        brush.blob(
            &[
                (x - 0.038, -0.075),
                (x + 0.038, -0.075),
                (x + 0.044, -0.01),
                (x, 0.006),
                (x - 0.044, -0.01),
            ],
            Fill::Flat(Rgb::hex(0x5d3f30), facing),
        );
    }
}

fn cloak(brush: &mut Brush<'_>, coat: Rgb, scarf: Rgb) {
    // The scarf's end flies behind.
    brush.blob(
        &[
            (0.05, -0.745),
            (0.15, -0.755),
            (0.25, -0.715),
            (0.33, -0.745),
            (0.31, -0.665),
            (0.22, -0.640),
            (0.13, -0.685),
        ],
        Fill::Flat(scarf.scale(0.9), 0.5),
    );
    brush.blob(
        &[
            (-0.055, -0.765),
            (-0.118, -0.72),
            (-0.142, -0.55),
            (-0.150, -0.36),
            (-0.175, -0.215),
            (0.0, -0.195),
            (0.178, -0.215),
            (0.150, -0.36),
            (0.142, -0.55),
            (0.118, -0.72),
            (0.055, -0.765),
        ],
        Fill::Round(coat),
    );
    brush.line(
        &[(0.0, -0.66), (0.0, -0.21)],
        0.007,
        Fill::Flat(coat.scale(0.6), 0.4),
    );
    brush.line(
        &[(-0.147, -0.43), (0.147, -0.43)],
        0.026,
        Fill::Flat(Rgb::hex(0x4e3a32), 0.5),
    );
    brush.blob(
        &[
            (-0.108, -0.70),
            (-0.155, -0.60),
            (-0.185, -0.47),
            (-0.160, -0.43),
            (-0.118, -0.48),
            (-0.088, -0.60),
        ],
        Fill::Flat(coat.scale(1.05), 0.98),
    );
    brush.blob(
        &[
            (0.108, -0.70),
            (0.160, -0.58),
            (0.185, -0.42),
            (0.155, -0.37),
            (0.120, -0.42),
            (0.090, -0.60),
        ],
        Fill::Flat(coat.scale(0.85), 0.12),
    );
    brush.oval(-0.166, -0.445, 0.026, 0.026, Fill::Flat(SKIN, 0.9));
    brush.oval(0.160, -0.375, 0.025, 0.026, Fill::Flat(SKIN, 0.3));
}

fn bag(brush: &mut Brush<'_>) {
    brush.blob(
        &[
            (-0.072, -0.665),
            (0.072, -0.665),
            (0.092, -0.56),
            (0.086, -0.455),
            (0.0, -0.442),
            (-0.086, -0.455),
            (-0.092, -0.56),
        ],
        Fill::Round(Rgb::hex(0x9a7350)),
    );
    brush.curve(
        &[(-0.082, -0.575), (0.0, -0.555), (0.082, -0.575)],
        0.010,
        Fill::Flat(Rgb::hex(0x5d4330), 0.4),
    );
}

/// The scarf's knot, hair and hat.
fn head(brush: &mut Brush<'_>, scarf: Rgb) {
    brush.blob(
        &[
            (-0.07, -0.76),
            (0.0, -0.795),
            (0.07, -0.76),
            (0.088, -0.715),
            (0.0, -0.685),
            (-0.088, -0.715),
        ],
        Fill::Round(scarf),
    );
    brush.oval(0.0, -0.835, 0.066, 0.080, Fill::Round(Rgb::hex(0x5d4033)));
    let hat = Rgb::hex(0x8a6a48);
    brush.blob(
        &[
            (-0.165, -0.845),
            (-0.09, -0.872),
            (0.0, -0.880),
            (0.09, -0.872),
            (0.165, -0.845),
            (0.08, -0.838),
            (0.0, -0.834),
            (-0.08, -0.838),
        ],
        Fill::Round(hat),
    );
    brush.blob(
        &[
            (-0.078, -0.858),
            (-0.072, -0.935),
            (-0.035, -0.985),
            (0.0, -0.972),
            (0.035, -0.985),
            (0.072, -0.935),
            (0.078, -0.858),
            (0.0, -0.848),
        ],
        Fill::Round(hat.scale(1.06)),
    );
    brush.curve(
        &[(-0.076, -0.878), (0.0, -0.868), (0.076, -0.878)],
        0.020,
        Fill::Flat(scarf, 0.7),
    );
}
