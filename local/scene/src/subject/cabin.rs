//! A cabin of logs with a steep roof, a lit window and smoke from its chimney.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{mix, wave};

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let wood = Rgb::hex(0xa9714a);
    let roof = Rgb::hex(0x6a4a48);
    let drift = dice.between(0.12, 0.3);
    for puff in 0..14_u8 {
        let t = f32::from(puff) / 14.0;
        let smoke = brush.tone(Rgb::hex(0xe9e4e4), 0.8);
        let x = 0.30 + drift * t * t * 1.6 + 0.035 * wave(t * 1.7);
        brush.oval(
            x,
            -1.06 - t * 0.62,
            mix(0.022, 0.085, t),
            mix(0.020, 0.070, t),
            Fill::Raw(smoke, mix(0.42, 0.05, t)),
        );
    }
    brush.oval(0.05, 0.0, 0.80, 0.035, Fill::Raw(Rgb::BLACK, 0.18));
    brush.slab(0.245, -1.04, 0.11, 0.30, Fill::Round(Rgb::hex(0x9b8c86)));
    brush.slab(0.230, -1.06, 0.14, 0.04, Fill::Round(Rgb::hex(0x847670)));
    // The long side, in shade.
    brush.slab(-0.02, -0.42, 0.64, 0.42, Fill::Flat(wood.scale(0.86), 0.30));
    // The gable, lit.
    brush.polygon(
        &[
            (-0.58, 0.0),
            (-0.58, -0.42),
            (-0.28, -0.88),
            (0.02, -0.42),
            (0.02, 0.0),
        ],
        Fill::Flat(wood, 0.9),
    );
    for log in 1..7_u8 {
        let y = -0.06 * f32::from(log);
        brush.line(
            &[(-0.57, y), (0.62, y)],
            0.008,
            Fill::Flat(wood.scale(0.62), 0.4),
        );
    }
    brush.polygon(
        &[(-0.28, -0.92), (0.40, -0.92), (0.70, -0.38), (0.06, -0.38)],
        Fill::Flat(roof, 0.55),
    );
    for course in 1..5_u8 {
        let t = f32::from(course) / 5.0;
        let (from, to) = (
            (mix(-0.28, 0.06, t), mix(-0.92, -0.38, t)),
            (mix(0.40, 0.70, t), mix(-0.92, -0.38, t)),
        );
        brush.line(&[from, to], 0.010, Fill::Flat(roof.scale(0.7), 0.4));
    }
    brush.polygon(
        &[
            (-0.28, -0.96),
            (-0.66, -0.38),
            (-0.61, -0.35),
            (-0.28, -0.85),
            (0.05, -0.35),
            (0.10, -0.38),
        ],
        Fill::Flat(roof.scale(1.2), 0.8),
    );
    brush.slab(
        -0.365,
        -0.29,
        0.17,
        0.29,
        Fill::Flat(Rgb::hex(0x5d3b2c), 0.6),
    );
    brush.oval(
        -0.225,
        -0.14,
        0.012,
        0.012,
        Fill::Flat(Rgb::hex(0xe8c66a), 1.0),
    );
    windows(brush);
}

fn windows(brush: &mut Brush<'_>) {
    brush.window(-0.335, -0.62, 0.11, 0.13);
    brush.window(0.16, -0.31, 0.14, 0.16);
    brush.window(0.40, -0.31, 0.14, 0.16);
    for (x, y, wide, tall) in [
        (-0.335, -0.62, 0.11, 0.13),
        (0.16, -0.31, 0.14, 0.16),
        (0.40, -0.31, 0.14, 0.16),
    ] {
        let frame = Fill::Flat(Rgb::hex(0x4e3328), 0.5);
        brush.line(
            &[(x + wide / 2.0, y), (x + wide / 2.0, y + tall)],
            0.012,
            frame,
        );
        brush.line(
            &[(x, y + tall / 2.0), (x + wide, y + tall / 2.0)],
            0.012,
            frame,
        );
        brush.line(
            &[
                (x, y),
                (x + wide, y),
                (x + wide, y + tall),
                (x, y + tall),
                (x, y),
            ],
            0.016,
            frame,
        );
    }
}
