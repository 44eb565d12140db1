//! A rocket lifting off: body, fins, flame, and a bank of smoke at the ground.

use crate::brush::{Brush, Fill};
use crate::color::Rgb;
use crate::curve::{mix, wave};

/// Where the body ends and the flame begins.
const BASE: f32 = -0.42;

pub(crate) fn draw(brush: &mut Brush<'_>) {
    let hot = Rgb::hex(0xff9a3c);
    let smoke = Rgb::hex(0xe6dfe2);
    for puff in 0..20_u8 {
        let t = f32::from(puff) / 19.0 * 2.0 - 1.0;
        let size = 0.055 + 0.055 * (1.0 - t * t) + 0.02 * wave(f32::from(puff) * 0.37);
        brush.oval(
            t * 0.46,
            -0.01 - 0.03 * (1.0 - t.abs()),
            size,
            size * 0.75,
            Fill::Fade(smoke.scale(1.05), smoke.scale(0.72)),
        );
    }
    for puff in 0..9_u8 {
        let t = f32::from(puff) / 8.0;
        let size = mix(0.05, 0.085, t);
        brush.oval(
            0.04 * wave(t * 1.6),
            mix(-0.22, -0.03, t),
            size,
            size,
            Fill::Fade(smoke.mix(hot, 0.35 * (1.0 - t)), smoke.scale(0.8)),
        );
    }
    brush.blob(
        &[
            (-0.055, BASE),
            (-0.075, BASE + 0.10),
            (-0.03, BASE + 0.20),
            (0.0, BASE + 0.30),
            (0.03, BASE + 0.20),
            (0.075, BASE + 0.10),
            (0.055, BASE),
        ],
        Fill::Raw(hot, 0.95),
    );
    brush.blob(
        &[
            (-0.032, BASE),
            (-0.042, BASE + 0.07),
            (0.0, BASE + 0.20),
            (0.042, BASE + 0.07),
            (0.032, BASE),
        ],
        Fill::Raw(Rgb::hex(0xfff2c0), 1.0),
    );
    brush.glow(0.0, BASE + 0.12, 0.42, hot, 0.65);
    brush.glow(0.0, BASE + 0.06, 0.14, Rgb::hex(0xfff6d8), 0.8);
    body(brush);
}

fn body(brush: &mut Brush<'_>) {
    let shell = Rgb::hex(0xf3efe9);
    let red = Rgb::hex(0xd0433a);
    for side in [-1.0, 1.0] {
        let facing = if side < 0.0 { 0.95 } else { 0.12 };
        brush.polygon(
            &[
                (side * 0.072, BASE - 0.16),
                (side * 0.185, BASE + 0.01),
                (side * 0.180, BASE + 0.07),
                (side * 0.06, BASE - 0.01),
            ],
            Fill::Flat(red, facing),
        );
    }
    brush.slab(
        -0.050,
        BASE - 0.012,
        0.10,
        0.026,
        Fill::Round(Rgb::hex(0x4a4c58)),
    );
    let outline = [
        (0.0, -1.0),
        (-0.042, -0.925),
        (-0.082, -0.80),
        (-0.096, -0.66),
        (-0.088, -0.52),
        (-0.062, BASE),
        (0.062, BASE),
        (0.088, -0.52),
        (0.096, -0.66),
        (0.082, -0.80),
        (0.042, -0.925),
    ];
    brush.polygon(&outline, Fill::Round(shell));
    brush.polygon(
        &[
            (0.0, -1.0),
            (-0.042, -0.925),
            (-0.073, -0.835),
            (0.073, -0.835),
            (0.042, -0.925),
        ],
        Fill::Round(red),
    );
    brush.polygon(
        &[
            (-0.0885, -0.525),
            (-0.077, -0.475),
            (0.077, -0.475),
            (0.0885, -0.525),
        ],
        Fill::Round(red),
    );
    brush.oval(0.0, -0.725, 0.046, 0.046, Fill::Round(Rgb::hex(0x70747f)));
    brush.oval(
        0.0,
        -0.725,
        0.033,
        0.033,
        Fill::Flat(Rgb::hex(0x7fd0e8), 0.9),
    );
    brush.oval(-0.010, -0.737, 0.011, 0.009, Fill::Raw(Rgb::WHITE, 0.85));
    brush.oval(
        0.0,
        -0.605,
        0.020,
        0.020,
        Fill::Flat(Rgb::hex(0x5a6270), 0.5),
    );
    brush.polygon(
        &[
            (-0.014, BASE - 0.12),
            (0.014, BASE - 0.12),
            (0.018, BASE + 0.05),
            (-0.018, BASE + 0.05),
        ],
        Fill::Flat(red.scale(0.9), 0.6),
    );
}
