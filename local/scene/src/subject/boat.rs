//! A sailing boat: hull, mainsail and jib bellied by the wind.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let hull = [Rgb::hex(0x9a3b34), Rgb::hex(0x2f5d7a), Rgb::hex(0x7d5a40)][dice.index(3)];
    let sail = Rgb::hex(0xfaf3e3);
    brush.line(
        &[(0.02, -0.10), (0.02, -1.0)],
        0.016,
        Fill::Round(Rgb::hex(0x7a5a42)),
    );
    // The mainsail, with seams.
    let main = [
        (0.045, -0.96),
        (0.20, -0.70),
        (0.33, -0.42),
        (0.40, -0.175),
        (0.045, -0.165),
    ];
    brush.polygon(&main, Fill::Round(sail));
    for seam in 1..5_u8 {
        let t = f32::from(seam) / 5.0;
        let bulge = 0.045 + 0.355 * t + 0.075 * t * (1.0 - t);
        let (left, right) = ((0.045, -0.96 + 0.79 * t), (bulge, -0.96 + 0.77 * t));
        brush.curve(
            &[
                left,
                (f32::midpoint(left.0, right.0), left.1 + 0.025),
                right,
            ],
            0.005,
            Fill::Flat(sail.scale(0.78), 0.5),
        );
    }
    brush.blob(
        &[
            (-0.005, -0.92),
            (-0.10, -0.66),
            (-0.23, -0.40),
            (-0.37, -0.17),
            (-0.17, -0.20),
            (-0.02, -0.175),
            (-0.03, -0.5),
        ],
        Fill::Flat(sail.scale(0.97), 0.95),
    );
    brush.line(
        &[(0.02, -0.155), (0.42, -0.165)],
        0.014,
        Fill::Flat(Rgb::hex(0x7a5a42), 0.6),
    );
    brush.polygon(
        &[(0.02, -1.0), (0.13, -0.975), (0.02, -0.945)],
        Fill::Flat(Rgb::hex(0xd8503f), 0.9),
    );
    let body = [
        (-0.46, -0.135),
        (-0.30, -0.105),
        (0.0, -0.095),
        (0.30, -0.105),
        (0.43, -0.13),
        (0.38, -0.03),
        (0.32, 0.0),
        (-0.27, 0.0),
        (-0.38, -0.06),
    ];
    brush.polygon(&body, Fill::Fade(hull.scale(1.1), hull.scale(0.7)));
    brush.polygon(
        &[
            (-0.46, -0.138),
            (-0.30, -0.108),
            (0.0, -0.098),
            (0.30, -0.108),
            (0.43, -0.133),
            (0.425, -0.105),
            (0.30, -0.082),
            (0.0, -0.072),
            (-0.30, -0.082),
            (-0.44, -0.112),
        ],
        Fill::Flat(Rgb::hex(0xf2e8d6), 0.85),
    );
    brush.slab(0.08, -0.155, 0.17, 0.055, Fill::Round(Rgb::hex(0xe8dcc6)));
    brush.window(0.105, -0.142, 0.035, 0.025);
    brush.window(0.165, -0.142, 0.035, 0.025);
}
