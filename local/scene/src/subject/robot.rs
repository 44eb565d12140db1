//! A friendly robot: round head, lamp eyes, riveted chest.

use crate::brush::{Brush, Fill};
use crate::color::Rgb;

const SHELL: Rgb = Rgb::hex(0xe6e2da);
const JOINT: Rgb = Rgb::hex(0x5f6776);
const ACCENT: Rgb = Rgb::hex(0xe0733c);

pub(crate) fn draw(brush: &mut Brush<'_>) {
    brush.oval(0.06, 0.0, 0.30, 0.022, Fill::Raw(Rgb::BLACK, 0.22));
    limbs(brush);
    chest(brush);
    head(brush);
}

fn limbs(brush: &mut Brush<'_>) {
    for side in [-1.0, 1.0] {
        let x = side * 0.098;
        brush.slab(x - 0.028, -0.27, 0.056, 0.20, Fill::Round(JOINT));
        brush.slab(x - 0.046, -0.20, 0.092, 0.13, Fill::Round(SHELL));
        brush.blob(
            &[
                (x - 0.068, 0.0),
                (x - 0.064, -0.055),
                (x - 0.02, -0.082),
                (x + 0.03, -0.080),
                (x + 0.066, -0.05),
                (x + 0.070, 0.0),
            ],
            Fill::Round(ACCENT),
        );
        // Arms.
        let shoulder = side * 0.235;
        brush.curve(
            &[
                (shoulder, -0.53),
                (side * 0.292, -0.44),
                (side * 0.285, -0.33),
            ],
            0.046,
            Fill::Round(JOINT),
        );
        brush.oval(shoulder, -0.535, 0.050, 0.052, Fill::Round(ACCENT));
        brush.slab(
            side * 0.287 - 0.043,
            -0.40,
            0.086,
            0.125,
            Fill::Round(SHELL),
        );
        for finger in [-0.026, 0.026] {
            brush.curve(
                &[
                    (side * 0.287 + finger, -0.275),
                    (side * 0.287 + finger * 1.5, -0.235),
                    (side * 0.287 + finger * 0.5, -0.205),
                ],
                0.020,
                Fill::Round(JOINT),
            );
        }
    }
}

fn chest(brush: &mut Brush<'_>) {
    brush.blob(
        &[
            (-0.18, -0.60),
            (0.0, -0.625),
            (0.18, -0.60),
            (0.205, -0.45),
            (0.185, -0.28),
            (0.0, -0.255),
            (-0.185, -0.28),
            (-0.205, -0.45),
        ],
        Fill::Round(SHELL),
    );
    brush.slab(
        -0.10,
        -0.51,
        0.20,
        0.15,
        Fill::Flat(Rgb::hex(0x3d4758), 0.6),
    );
    let lamp = |code: u32| Rgb::hex(code).mix(Rgb::WHITE, 0.1);
    for (index, code) in [0x6fe0c8, 0xf2c14e, 0xe85a4f].into_iter().enumerate() {
        let x = -0.062 + 0.062 * index as f32;
        brush.oval(x, -0.465, 0.018, 0.018, Fill::Raw(lamp(code), 1.0));
        brush.glow(x, -0.465, 0.06, lamp(code), 0.35 * brush.light.lamps);
    }
    for bar in 0..3_u8 {
        brush.slab(
            -0.08,
            -0.425 + 0.019 * f32::from(bar),
            0.16 - 0.04 * f32::from(bar),
            0.008,
            Fill::Raw(lamp(0x9fd8e8), 0.8),
        );
    }
    for (x, y) in [(-0.15, -0.57), (0.15, -0.57), (-0.16, -0.30), (0.16, -0.30)] {
        brush.oval(x, y, 0.010, 0.010, Fill::Flat(JOINT, 0.6));
    }
    brush.slab(-0.045, -0.665, 0.09, 0.055, Fill::Round(JOINT));
}

fn head(brush: &mut Brush<'_>) {
    for side in [-1.0, 1.0] {
        brush.oval(side * 0.205, -0.775, 0.030, 0.056, Fill::Round(ACCENT));
    }
    brush.line(
        &[(0.0, -0.90), (0.0, -0.965)],
        0.013,
        Fill::Flat(JOINT, 0.5),
    );
    let tip = Rgb::hex(0xff6b57);
    brush.oval(0.0, -0.978, 0.022, 0.022, Fill::Raw(tip, 1.0));
    brush.glow(0.0, -0.978, 0.10, tip, 0.3 + 0.4 * brush.light.lamps);
    brush.blob(
        &[
            (-0.175, -0.89),
            (0.0, -0.918),
            (0.175, -0.89),
            (0.208, -0.775),
            (0.175, -0.665),
            (0.0, -0.645),
            (-0.175, -0.665),
            (-0.208, -0.775),
        ],
        Fill::Round(SHELL),
    );
    brush.blob(
        &[
            (-0.125, -0.845),
            (0.0, -0.855),
            (0.125, -0.845),
            (0.148, -0.780),
            (0.125, -0.715),
            (0.0, -0.705),
            (-0.125, -0.715),
            (-0.148, -0.780),
        ],
        Fill::Flat(Rgb::hex(0x2b3342), 0.7),
    );
    let eye = Rgb::hex(0x8ff3ff);
    for x in [-0.066, 0.066] {
        brush.oval(x, -0.790, 0.031, 0.033, Fill::Raw(eye, 1.0));
        brush.oval(x - 0.010, -0.800, 0.010, 0.010, Fill::Raw(Rgb::WHITE, 1.0));
        brush.glow(x, -0.790, 0.12, eye, 0.25 + 0.45 * brush.light.lamps);
    }
    brush.curve(
        &[(-0.035, -0.737), (0.0, -0.726), (0.035, -0.737)],
        0.009,
        Fill::Raw(eye, 1.0),
    );
}
