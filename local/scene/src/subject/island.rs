//! An island in the sea: cliffs, a green back, palms and a strip of sand.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let green = Rgb::hex(0x5f9a58);
    let rock = Rgb::hex(0x93857a);
    brush.blob(
        &[
            (-1.15, 0.03),
            (-0.85, -0.05),
            (0.0, -0.08),
            (0.85, -0.05),
            (1.15, 0.03),
            (0.0, 0.06),
        ],
        Fill::Round(Rgb::hex(0xf0dcae)),
    );
    let back = [
        (-0.80, 0.0),
        (-0.62, -0.22),
        (-0.40, -0.42),
        (-0.22, -0.72),
        (-0.02, -0.98),
        (0.14, -0.88),
        (0.30, -0.55),
        (0.52, -0.36),
        (0.72, -0.16),
        (0.86, 0.0),
    ];
    brush.polygon(&back, Fill::Round(green));
    brush.polygon(
        &[
            (-0.02, -0.98),
            (0.14, -0.88),
            (0.30, -0.55),
            (0.52, -0.36),
            (0.72, -0.16),
            (0.86, 0.0),
            (0.22, 0.0),
            (0.30, -0.25),
            (0.12, -0.45),
            (0.10, -0.7),
        ],
        Fill::Flat(green.scale(0.75), 0.15),
    );
    brush.polygon(
        &[
            (-0.02, -0.98),
            (0.05, -0.75),
            (-0.06, -0.62),
            (-0.10, -0.72),
            (-0.20, -0.60),
            (-0.17, -0.78),
        ],
        Fill::Flat(rock, 0.9),
    );
    brush.polygon(
        &[(0.14, -0.88), (0.26, -0.6), (0.18, -0.55), (0.10, -0.7)],
        Fill::Flat(rock.scale(0.85), 0.25),
    );
    for step in 0..22_u8 {
        let x = -0.82 + 0.075 * f32::from(step);
        let size = dice.between(0.05, 0.10);
        brush.oval(
            x,
            -0.05 - dice.between(0.0, 0.07),
            size,
            size * 0.8,
            Fill::Fade(green.scale(1.12), green.scale(0.62)),
        );
    }
    for (x, scale) in [(-0.72, 0.55), (-0.90, 0.42), (0.80, 0.48)] {
        let mut place = brush.at(x, -0.01, scale);
        let mut place = if x > 0.0 { place } else { place.mirrored() };
        super::tree::palm(&mut place, dice);
    }
}
