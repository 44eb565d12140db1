//! A cone with a burning crater, streams of lava, and a column of smoke.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{mix, wave};

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let rock = Rgb::hex(0x6d5a5e);
    let lean = dice.between(0.2, 0.5);
    for puff in (0..16_u8).rev() {
        let t = f32::from(puff) / 15.0;
        let ash = Rgb::hex(0x8d8490).mix(Rgb::hex(0xd8ccc8), t);
        let x = lean * t * t + 0.05 * wave(t * 2.3) + dice.between(-0.03, 0.03);
        let size = mix(0.06, 0.26, t) * dice.between(0.8, 1.1);
        brush.oval(
            x,
            -0.97 - t * 0.75,
            size,
            size * 0.82,
            Fill::Fade(ash.scale(1.1), ash.scale(0.7)),
        );
    }
    let left = [
        (-0.11, -0.98),
        (-0.20, -0.80),
        (-0.36, -0.56),
        (-0.62, -0.28),
        (-1.05, 0.04),
    ];
    let right = [
        (0.13, -0.97),
        (0.22, -0.78),
        (0.40, -0.54),
        (0.68, -0.26),
        (1.12, 0.04),
    ];
    let crater = [(-0.04, -0.95), (0.02, -0.965), (0.08, -0.945)];
    let spine = [
        (0.05, -0.95),
        (0.10, -0.75),
        (0.05, -0.5),
        (0.16, -0.25),
        (0.10, 0.04),
    ];
    let lit: Vec<_> = left
        .iter()
        .rev()
        .copied()
        .chain(crater)
        .chain(spine)
        .collect();
    let dark: Vec<_> = right
        .iter()
        .rev()
        .copied()
        .chain([(0.08, -0.945)])
        .chain(spine)
        .collect();
    brush.polygon(&lit, Fill::Fade(rock.scale(1.15), rock));
    brush.polygon(&dark, Fill::Flat(rock.scale(0.8), 0.1));
    let hot = Rgb::hex(0xff7a2e);
    let core = Rgb::hex(0xffd66b);
    for (stream, wide) in [
        (
            &[
                (0.0, -0.95),
                (-0.04, -0.80),
                (0.02, -0.64),
                (-0.08, -0.46),
                (-0.05, -0.30),
            ][..],
            0.034,
        ),
        (
            &[(0.05, -0.95), (0.12, -0.80), (0.10, -0.66), (0.21, -0.50)][..],
            0.024,
        ),
        (&[(-0.03, -0.95), (-0.13, -0.78), (-0.19, -0.66)][..], 0.018),
    ] {
        brush.curve(stream, wide, Fill::Raw(hot, 1.0));
        brush.curve(stream, wide * 0.4, Fill::Raw(core, 1.0));
    }
    brush.oval(
        0.01,
        -0.965,
        0.12,
        0.022,
        Fill::Raw(core.mix(hot, 0.4), 1.0),
    );
    brush.glow(0.01, -1.0, 0.42, hot, 0.75);
    brush.glow(-0.02, -0.6, 0.38, hot, 0.30);
    let haze = brush.light.haze();
    for step in 0..6_u8 {
        brush.oval(
            0.0,
            0.05,
            1.5 - 0.1 * f32::from(step),
            0.20 - 0.025 * f32::from(step),
            Fill::Raw(haze, 0.06),
        );
    }
}
