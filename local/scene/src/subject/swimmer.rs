//! What swims: a whale, breaching or under water, and a fish.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

const BACK: Rgb = Rgb::hex(0x4c6f95);
const BELLY: Rgb = Rgb::hex(0xdfe7ea);

/// On the surface only back, head and flukes show, with spouting breath; `under` water, all of it.
pub(crate) fn whale(brush: &mut Brush<'_>, under: bool) {
    if under {
        whole(brush);
    } else {
        surfaced(brush);
    }
}

fn surfaced(brush: &mut Brush<'_>) {
    let spray = brush.tone(Rgb::WHITE, 0.95);
    for (reach, lean) in [
        (-0.26_f32, -0.02_f32),
        (0.24, 0.02),
        (-0.12, 0.0),
        (0.11, 0.0),
    ] {
        let x = -0.52;
        let points = [
            (x, -0.56),
            (x + reach * 0.25, -0.84),
            (x + reach * 0.75, -0.97 + reach.abs() * 0.25),
            (x + reach * 1.15 + lean, -0.74),
        ];
        brush.curve(&points, 0.034, Fill::Raw(spray, 0.75));
    }
    for (dx, dy, size) in [
        (-0.2, -0.98, 0.035),
        (0.0, -1.0, 0.045),
        (0.18, -0.97, 0.035),
        (0.3, -0.82, 0.025),
        (-0.32, -0.80, 0.025),
    ] {
        brush.oval(-0.52 + dx, dy, size, size, Fill::Raw(spray, 0.6));
    }
    flukes(brush);
    back(brush);
}

/// The tail's end, apart from the back: what joins them is under water.
fn flukes(brush: &mut Brush<'_>) {
    brush.blob(
        &[
            (0.93, 0.03),
            (1.02, -0.22),
            (1.04, -0.42),
            (1.12, -0.42),
            (1.13, -0.2),
            (1.10, 0.03),
        ],
        Fill::Round(BACK.scale(0.92)),
    );
    brush.blob(
        &[
            (1.08, -0.36),
            (0.96, -0.50),
            (0.76, -0.56),
            (0.68, -0.66),
            (0.90, -0.70),
            (1.04, -0.60),
            (1.09, -0.53),
            (1.16, -0.61),
            (1.32, -0.70),
            (1.52, -0.62),
            (1.40, -0.54),
            (1.22, -0.49),
        ],
        Fill::Round(BACK),
    );
}

fn back(brush: &mut Brush<'_>) {
    brush.blob(
        &[
            (-1.06, 0.04),
            (-1.09, -0.18),
            (-0.98, -0.40),
            (-0.72, -0.54),
            (-0.36, -0.55),
            (0.02, -0.46),
            (0.38, -0.30),
            (0.66, -0.10),
            (0.78, 0.04),
            (0.0, 0.05),
        ],
        Fill::Fade(BACK.scale(1.2), BACK.scale(0.62)),
    );
    brush.blob(
        &[
            (-1.07, 0.04),
            (-1.09, -0.12),
            (-0.90, -0.155),
            (-0.55, -0.10),
            (-0.28, 0.04),
            (-0.6, 0.05),
        ],
        Fill::Flat(BELLY, 0.55),
    );
    for step in 0..5_u8 {
        let x = -0.98 + 0.13 * f32::from(step);
        brush.curve(
            &[(x, -0.115 + 0.012 * f32::from(step)), (x + 0.07, 0.02)],
            0.010,
            Fill::Flat(BACK, 0.3),
        );
    }
    brush.curve(
        &[(-1.085, -0.17), (-0.88, -0.21), (-0.66, -0.17)],
        0.013,
        Fill::Flat(BACK.scale(0.5), 0.3),
    );
    brush.oval(
        -0.63,
        -0.225,
        0.024,
        0.024,
        Fill::Flat(Rgb::hex(0x1d2430), 0.4),
    );
    brush.oval(-0.638, -0.233, 0.008, 0.008, Fill::Raw(Rgb::WHITE, 0.9));
    brush.polygon(
        &[(0.16, -0.41), (0.34, -0.53), (0.36, -0.31)],
        Fill::Flat(BACK.scale(0.85), 0.4),
    );
    let foam = brush.tone(Rgb::hex(0xeef6f8), 0.9);
    for (x, wide) in [(-0.62, 0.62), (0.35, 0.50), (1.02, 0.20)] {
        brush.oval(x, 0.03, wide, 0.028, Fill::Raw(foam, 0.55));
        brush.oval(x - 0.05, 0.055, wide * 1.15, 0.020, Fill::Raw(foam, 0.28));
    }
}

fn whole(brush: &mut Brush<'_>) {
    brush.blob(
        &[
            (0.98, -0.46),
            (1.22, -0.66),
            (1.50, -0.80),
            (1.58, -0.70),
            (1.36, -0.52),
            (1.30, -0.44),
            (1.42, -0.34),
            (1.60, -0.20),
            (1.50, -0.12),
            (1.24, -0.26),
        ],
        Fill::Round(BACK),
    );
    brush.blob(
        &[
            (-1.20, -0.46),
            (-1.12, -0.70),
            (-0.80, -0.90),
            (-0.34, -0.95),
            (0.20, -0.84),
            (0.70, -0.62),
            (1.16, -0.48),
            (1.16, -0.38),
            (0.68, -0.32),
            (0.16, -0.20),
            (-0.40, -0.10),
            (-0.90, -0.16),
            (-1.14, -0.30),
        ],
        Fill::Fade(BACK.scale(1.25), BACK.scale(0.62)),
    );
    brush.blob(
        &[
            (-1.19, -0.43),
            (-0.80, -0.42),
            (-0.40, -0.34),
            (0.10, -0.24),
            (-0.40, -0.105),
            (-0.90, -0.165),
            (-1.14, -0.30),
        ],
        Fill::Fade(BELLY, BELLY.scale(0.8)),
    );
    for step in 0..6_u8 {
        let t = f32::from(step);
        brush.curve(
            &[
                (-1.12 + 0.02 * t, -0.395 + 0.036 * t),
                (-0.72, -0.375 + 0.034 * t),
                (-0.22 - 0.05 * t, -0.27 + 0.020 * t),
            ],
            0.010,
            Fill::Flat(BACK, 0.4),
        );
    }
    brush.curve(
        &[(-1.20, -0.455), (-0.92, -0.445), (-0.70, -0.40)],
        0.013,
        Fill::Flat(BACK.scale(0.5), 0.3),
    );
    brush.oval(
        -0.66,
        -0.47,
        0.028,
        0.028,
        Fill::Flat(Rgb::hex(0x141a24), 0.4),
    );
    brush.oval(-0.668, -0.478, 0.009, 0.009, Fill::Raw(Rgb::WHITE, 0.9));
    brush.blob(
        &[
            (-0.42, -0.30),
            (-0.20, -0.26),
            (-0.02, -0.04),
            (0.10, 0.14),
            (-0.16, 0.04),
            (-0.40, -0.16),
        ],
        Fill::Round(BACK.scale(0.85)),
    );
    brush.polygon(
        &[(0.30, -0.80), (0.52, -0.93), (0.50, -0.70)],
        Fill::Flat(BACK.scale(0.85), 0.4),
    );
}

pub(crate) fn fish(brush: &mut Brush<'_>, dice: &mut Chance) {
    let coat = [
        Rgb::hex(0xf08a3c),
        Rgb::hex(0xe85a4f),
        Rgb::hex(0xf2c14e),
        Rgb::hex(0x4fb0d8),
    ][dice.index(4)];
    let pale = Rgb::hex(0xfdf3e2);
    brush.blob(
        &[
            (0.52, -0.50),
            (0.74, -0.78),
            (1.02, -0.92),
            (0.92, -0.62),
            (0.90, -0.46),
            (0.98, -0.26),
            (1.02, -0.06),
            (0.74, -0.22),
        ],
        Fill::Flat(coat.scale(0.92), 0.5),
    );
    brush.blob(
        &[
            (-0.30, -0.80),
            (-0.08, -1.03),
            (0.22, -1.0),
            (0.42, -0.82),
            (0.40, -0.66),
        ],
        Fill::Flat(coat.scale(0.85), 0.75),
    );
    brush.blob(
        &[
            (-0.05, -0.18),
            (0.06, 0.02),
            (0.26, 0.05),
            (0.28, -0.12),
            (0.20, -0.26),
        ],
        Fill::Flat(coat.scale(0.8), 0.3),
    );
    brush.blob(
        &[
            (-0.90, -0.48),
            (-0.72, -0.68),
            (-0.36, -0.82),
            (0.04, -0.82),
            (0.38, -0.68),
            (0.64, -0.52),
            (0.64, -0.46),
            (0.38, -0.30),
            (0.04, -0.16),
            (-0.36, -0.14),
            (-0.72, -0.28),
        ],
        Fill::Fade(coat.scale(1.12), coat.mix(pale, 0.55)),
    );
    for (x, tall) in [(-0.40, 0.30), (0.06, 0.32)] {
        brush.blob(
            &[
                (x - 0.05, -0.48 - tall),
                (x + 0.05, -0.48 - tall),
                (x + 0.10, -0.48),
                (x + 0.05, -0.48 + tall),
                (x - 0.05, -0.48 + tall),
                (x, -0.48),
            ],
            Fill::Flat(pale, 0.8),
        );
    }
    brush.oval(-0.66, -0.54, 0.070, 0.070, Fill::Flat(pale, 0.95));
    brush.oval(
        -0.675,
        -0.54,
        0.042,
        0.042,
        Fill::Flat(Rgb::hex(0x1c1a20), 0.4),
    );
    brush.oval(-0.69, -0.557, 0.014, 0.014, Fill::Raw(Rgb::WHITE, 0.95));
    brush.curve(
        &[(-0.89, -0.44), (-0.80, -0.40), (-0.74, -0.41)],
        0.014,
        Fill::Flat(coat.scale(0.5), 0.4),
    );
    brush.blob(
        &[(-0.22, -0.44), (0.0, -0.40), (0.06, -0.28), (-0.10, -0.30)],
        Fill::Flat(coat.scale(0.78), 0.6),
    );
    for row in 0..3_u8 {
        for column in 0..4_u8 {
            let (x, y) = (
                -0.20 + 0.13 * f32::from(column),
                -0.66 + 0.15 * f32::from(row),
            );
            brush.curve(
                &[(x, y - 0.045), (x + 0.035, y), (x, y + 0.045)],
                0.010,
                Fill::Flat(coat.scale(0.78), 0.6),
            );
        }
    }
}
