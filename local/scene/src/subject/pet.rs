//! Sitting animals, seen from the front: cat, dog, fox and rabbit share a body and differ in head and tail.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

const DARK: Rgb = Rgb::hex(0x2b2226);

pub(crate) fn cat(brush: &mut Brush<'_>, dice: &mut Chance) {
    let coat = [
        Rgb::hex(0xe09a52),
        Rgb::hex(0x8c8a92),
        Rgb::hex(0x4a4450),
        Rgb::hex(0xf0e2cc),
    ][dice.index(4)];
    shadow(brush);
    brush.curve(
        &[
            (0.16, -0.05),
            (0.34, -0.06),
            (0.40, -0.20),
            (0.34, -0.34),
            (0.39, -0.44),
        ],
        0.072,
        Fill::Flat(coat.scale(0.85), 0.3),
    );
    body(brush, coat, coat.mix(Rgb::WHITE, 0.55), 1.0);
    for y in [-0.30, -0.23, -0.16] {
        brush.curve(
            &[(0.205, y), (0.15, y - 0.012), (0.12, y + 0.008)],
            0.018,
            Fill::Flat(coat.scale(0.6), 0.3),
        );
    }
    for side in [-1.0, 1.0] {
        ear(
            brush,
            side,
            [(0.060, -0.83), (0.190, -0.99), (0.200, -0.73)],
            coat,
            Rgb::hex(0xe8a0a0),
        );
    }
    brush.blob(
        &[
            (0.0, -0.865),
            (-0.13, -0.83),
            (-0.215, -0.70),
            (-0.17, -0.585),
            (0.0, -0.535),
            (0.17, -0.585),
            (0.215, -0.70),
            (0.13, -0.83),
        ],
        Fill::Round(coat),
    );
    for x in [-0.045, 0.0, 0.045] {
        brush.line(
            &[(x, -0.845), (x * 0.8, -0.785)],
            0.017,
            Fill::Flat(coat.scale(0.6), 0.5),
        );
    }
    brush.blob(
        &[
            (0.0, -0.655),
            (-0.075, -0.625),
            (-0.07, -0.575),
            (0.0, -0.555),
            (0.07, -0.575),
            (0.075, -0.625),
        ],
        Fill::Flat(coat.mix(Rgb::WHITE, 0.6), 0.8),
    );
    eyes(brush, 0.092, -0.705, 0.040, Some(Rgb::hex(0xcfe06a)));
    brush.polygon(
        &[(-0.022, -0.650), (0.022, -0.650), (0.0, -0.625)],
        Fill::Flat(Rgb::hex(0xd87a7a), 0.8),
    );
    mouth(brush, -0.625);
    let whisker = brush.tone(Rgb::WHITE, 0.9);
    for side in [-1.0, 1.0] {
        for (y, drop) in [(-0.625, -0.02), (-0.605, 0.01), (-0.585, 0.035)] {
            brush.line(
                &[(side * 0.065, y), (side * 0.285, y + drop)],
                0.005,
                Fill::Raw(whisker, 0.8),
            );
        }
    }
}

pub(crate) fn fox(brush: &mut Brush<'_>) {
    let coat = Rgb::hex(0xe0732c);
    let cream = Rgb::hex(0xfbf0e0);
    shadow(brush);
    brush.blob(
        &[
            (0.12, -0.03),
            (0.34, -0.01),
            (0.50, -0.12),
            (0.55, -0.32),
            (0.47, -0.48),
            (0.41, -0.38),
            (0.35, -0.24),
            (0.20, -0.16),
        ],
        Fill::Flat(coat.scale(0.92), 0.35),
    );
    brush.blob(
        &[
            (0.545, -0.33),
            (0.47, -0.50),
            (0.40, -0.37),
            (0.45, -0.34),
            (0.48, -0.30),
        ],
        Fill::Flat(cream, 0.55),
    );
    body(brush, coat, cream, 0.9);
    for x in [-0.075, 0.075] {
        brush.blob(
            &[
                (x - 0.045, -0.02),
                (x - 0.042, -0.15),
                (x, -0.20),
                (x + 0.042, -0.15),
                (x + 0.045, -0.02),
                (x, 0.008),
            ],
            Fill::Flat(DARK.scale(1.3), 0.6),
        );
    }
    for side in [-1.0, 1.0] {
        ear(
            brush,
            side,
            [(0.050, -0.83), (0.205, -1.04), (0.225, -0.72)],
            coat,
            DARK,
        );
    }
    brush.polygon(
        &[
            (-0.115, -0.86),
            (0.115, -0.86),
            (0.225, -0.735),
            (0.275, -0.655),
            (0.12, -0.575),
            (0.0, -0.495),
            (-0.12, -0.575),
            (-0.275, -0.655),
            (-0.225, -0.735),
        ],
        Fill::Round(coat),
    );
    for side in [-1.0, 1.0] {
        let facing = if side < 0.0 { 1.0 } else { 0.45 };
        brush.polygon(
            &[
                (side * 0.275, -0.655),
                (side * 0.12, -0.575),
                (0.0, -0.495),
                (side * 0.015, -0.62),
                (side * 0.09, -0.665),
            ],
            Fill::Flat(cream, facing),
        );
    }
    eyes(brush, 0.095, -0.705, 0.026, None);
    brush.oval(0.0, -0.515, 0.034, 0.026, Fill::Flat(DARK, 0.7));
}

pub(crate) fn dog(brush: &mut Brush<'_>, dice: &mut Chance) {
    let coat = [Rgb::hex(0xc9935a), Rgb::hex(0xe8d3ae), Rgb::hex(0x7a5a48)][dice.index(3)];
    let pale = coat.mix(Rgb::WHITE, 0.55);
    shadow(brush);
    brush.curve(
        &[(0.17, -0.08), (0.31, -0.14), (0.37, -0.29)],
        0.060,
        Fill::Flat(coat.scale(0.9), 0.35),
    );
    body(brush, coat, pale, 1.0);
    brush.blob(
        &[
            (0.0, -0.88),
            (-0.13, -0.85),
            (-0.20, -0.74),
            (-0.17, -0.60),
            (0.0, -0.53),
            (0.17, -0.60),
            (0.20, -0.74),
            (0.13, -0.85),
        ],
        Fill::Round(coat),
    );
    for side in [-1.0, 1.0] {
        let facing = if side < 0.0 { 0.75 } else { 0.15 };
        brush.blob(
            &[
                (side * 0.11, -0.86),
                (side * 0.21, -0.86),
                (side * 0.275, -0.70),
                (side * 0.245, -0.56),
                (side * 0.185, -0.60),
                (side * 0.165, -0.74),
            ],
            Fill::Flat(coat.scale(0.68), facing),
        );
    }
    brush.blob(
        &[
            (0.0, -0.86),
            (-0.035, -0.76),
            (-0.105, -0.64),
            (-0.09, -0.555),
            (0.0, -0.525),
            (0.09, -0.555),
            (0.105, -0.64),
            (0.035, -0.76),
        ],
        Fill::Flat(pale, 0.85),
    );
    eyes(brush, 0.098, -0.735, 0.028, None);
    brush.blob(
        &[
            (-0.05, -0.67),
            (0.0, -0.685),
            (0.05, -0.67),
            (0.03, -0.63),
            (0.0, -0.618),
            (-0.03, -0.63),
        ],
        Fill::Flat(DARK, 0.7),
    );
    mouth(brush, -0.615);
    brush.blob(
        &[
            (-0.028, -0.578),
            (0.028, -0.578),
            (0.026, -0.53),
            (0.0, -0.508),
            (-0.026, -0.53),
        ],
        Fill::Flat(Rgb::hex(0xe8838a), 0.8),
    );
    brush.curve(
        &[(-0.145, -0.535), (0.0, -0.495), (0.145, -0.535)],
        0.034,
        Fill::Flat(Rgb::hex(0xc43f3a), 0.8),
    );
    brush.oval(
        0.0,
        -0.465,
        0.028,
        0.028,
        Fill::Flat(Rgb::hex(0xf0c860), 1.0),
    );
}

pub(crate) fn rabbit(brush: &mut Brush<'_>) {
    let coat = Rgb::hex(0xb9a28c);
    let pale = Rgb::hex(0xf4ebe0);
    shadow(brush);
    brush.oval(0.21, -0.10, 0.075, 0.070, Fill::Flat(pale, 0.45));
    for side in [-1.0, 1.0] {
        let facing = if side < 0.0 { 0.9 } else { 0.35 };
        brush.blob(
            &[
                (side * 0.03, -0.64),
                (side * 0.025, -0.84),
                (side * 0.085, -1.0),
                (side * 0.135, -0.84),
                (side * 0.115, -0.64),
            ],
            Fill::Flat(coat, facing),
        );
        brush.blob(
            &[
                (side * 0.055, -0.66),
                (side * 0.053, -0.82),
                (side * 0.085, -0.94),
                (side * 0.108, -0.82),
                (side * 0.092, -0.66),
            ],
            Fill::Flat(Rgb::hex(0xeab4ac), facing),
        );
    }
    body(&mut brush.at(0.0, 0.0, 0.86), coat, pale, 1.1);
    brush.blob(
        &[
            (0.0, -0.71),
            (-0.12, -0.68),
            (-0.175, -0.57),
            (-0.14, -0.47),
            (0.0, -0.425),
            (0.14, -0.47),
            (0.175, -0.57),
            (0.12, -0.68),
        ],
        Fill::Round(coat),
    );
    brush.blob(
        &[
            (0.0, -0.535),
            (-0.065, -0.50),
            (-0.05, -0.45),
            (0.0, -0.435),
            (0.05, -0.45),
            (0.065, -0.50),
        ],
        Fill::Flat(pale, 0.85),
    );
    eyes(brush, 0.088, -0.585, 0.030, None);
    brush.polygon(
        &[(-0.018, -0.527), (0.018, -0.527), (0.0, -0.506)],
        Fill::Flat(Rgb::hex(0xd88a8a), 0.8),
    );
    mouth(brush, -0.507);
}

fn shadow(brush: &mut Brush<'_>) {
    brush.oval(0.06, 0.0, 0.38, 0.030, Fill::Raw(Rgb::BLACK, 0.20));
}

/// Haunches, chest, forelegs and paws.
fn body(brush: &mut Brush<'_>, coat: Rgb, chest: Rgb, stout: f32) {
    let wide = |x: f32| x * stout;
    brush.blob(
        &[
            (wide(-0.08), -0.60),
            (wide(-0.17), -0.42),
            (wide(-0.235), -0.20),
            (wide(-0.22), -0.03),
            (0.0, 0.0),
            (wide(0.22), -0.03),
            (wide(0.235), -0.20),
            (wide(0.17), -0.42),
            (wide(0.08), -0.60),
        ],
        Fill::Round(coat),
    );
    for side in [-1.0, 1.0] {
        let facing = if side < 0.0 { 0.85 } else { 0.2 };
        brush.oval(
            side * wide(0.165),
            -0.105,
            0.085,
            0.10,
            Fill::Flat(coat.scale(0.97), facing),
        );
        brush.oval(
            side * wide(0.175),
            -0.018,
            0.075,
            0.028,
            Fill::Flat(chest, facing * 0.8 + 0.1),
        );
    }
    brush.blob(
        &[
            (0.0, -0.57),
            (-0.085, -0.48),
            (-0.095, -0.33),
            (0.0, -0.24),
            (0.095, -0.33),
            (0.085, -0.48),
        ],
        Fill::Flat(chest, 0.8),
    );
    for side in [-1.0, 1.0] {
        let (x, facing) = (side * 0.062, if side < 0.0 { 0.92 } else { 0.45 });
        brush.blob(
            &[
                (x - 0.046, -0.36),
                (x - 0.048, -0.10),
                (x - 0.050, -0.02),
                (x, 0.006),
                (x + 0.050, -0.02),
                (x + 0.048, -0.10),
                (x + 0.046, -0.36),
            ],
            Fill::Flat(coat, facing),
        );
        brush.oval(x, -0.018, 0.056, 0.030, Fill::Flat(chest, facing));
    }
}

fn ear(
    brush: &mut Brush<'_>,
    side: f32,
    [inner, tip, outer]: [(f32, f32); 3],
    coat: Rgb,
    lining: Rgb,
) {
    let facing = if side < 0.0 { 0.9 } else { 0.25 };
    let flip = |(x, y): (f32, f32)| (side * x, y);
    brush.polygon(&[inner, tip, outer].map(flip), Fill::Flat(coat, facing));
    let middle = (
        (inner.0 + tip.0 + outer.0) / 3.0,
        (inner.1 + tip.1 + outer.1) / 3.0,
    );
    let shrink = |(x, y): (f32, f32)| {
        flip((
            middle.0 + (x - middle.0) * 0.56,
            middle.1 + (y - middle.1) * 0.56,
        ))
    };
    brush.polygon(&[inner, tip, outer].map(shrink), Fill::Flat(lining, facing));
}

/// Two eyes with a highlight; with an `iris`, slit pupils.
fn eyes(brush: &mut Brush<'_>, x: f32, y: f32, size: f32, iris: Option<Rgb>) {
    for side in [-1.0, 1.0] {
        let ink = brush.tone(DARK, 0.5);
        if let Some(iris) = iris {
            let shine = brush.tone(iris, 1.0).mix(iris, 0.4 * brush.light.lamps);
            brush.oval(side * x, y, size, size * 0.95, Fill::Raw(shine, 1.0));
            brush.oval(side * x, y, size * 0.42, size * 0.9, Fill::Raw(ink, 1.0));
        } else {
            brush.oval(side * x, y, size, size * 1.1, Fill::Raw(ink, 1.0));
        }
        brush.oval(
            side * x - size * 0.28,
            y - size * 0.36,
            size * 0.24,
            size * 0.24,
            Fill::Raw(Rgb::WHITE, 0.9),
        );
    }
}

fn mouth(brush: &mut Brush<'_>, y: f32) {
    let ink = brush.tone(DARK, 0.5);
    brush.line(&[(0.0, y), (0.0, y + 0.022)], 0.009, Fill::Raw(ink, 1.0));
    for side in [-1.0, 1.0] {
        brush.curve(
            &[
                (0.0, y + 0.022),
                (side * 0.026, y + 0.040),
                (side * 0.052, y + 0.026),
            ],
            0.009,
            Fill::Raw(ink, 1.0),
        );
    }
}
