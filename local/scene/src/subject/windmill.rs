//! A tower mill with four latticed sails.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let wall = Rgb::hex(0xe9dcc6);
    let cap = Rgb::hex(0x8f4a3c);
    let turn = dice.between(0.03, 0.20);
    brush.oval(0.06, 0.0, 0.28, 0.020, Fill::Raw(Rgb::BLACK, 0.20));
    brush.polygon(
        &[(-0.165, 0.0), (-0.095, -0.62), (0.095, -0.62), (0.165, 0.0)],
        Fill::Round(wall),
    );
    brush.polygon(
        &[(-0.165, 0.0), (-0.150, -0.13), (0.150, -0.13), (0.165, 0.0)],
        Fill::Round(Rgb::hex(0xa9876c)),
    );
    brush.polygon(
        &[
            (-0.185, -0.235),
            (0.185, -0.235),
            (0.185, -0.215),
            (-0.185, -0.215),
        ],
        Fill::Round(Rgb::hex(0x6b4a38)),
    );
    for post in 0..9_u8 {
        let x = -0.18 + 0.045 * f32::from(post);
        brush.line(
            &[(x, -0.232), (x, -0.285)],
            0.006,
            Fill::Flat(Rgb::hex(0x6b4a38), 0.5),
        );
    }
    brush.line(
        &[(-0.184, -0.285), (0.184, -0.285)],
        0.008,
        Fill::Flat(Rgb::hex(0x6b4a38), 0.6),
    );
    brush.slab(
        -0.034,
        -0.125,
        0.068,
        0.125,
        Fill::Flat(Rgb::hex(0x5a3b2e), 0.5),
    );
    brush.window(-0.022, -0.355, 0.044, 0.055);
    brush.window(-0.020, -0.515, 0.040, 0.050);
    brush.blob(
        &[
            (-0.112, -0.610),
            (-0.096, -0.690),
            (0.0, -0.745),
            (0.096, -0.690),
            (0.112, -0.610),
            (0.0, -0.602),
        ],
        Fill::Round(cap),
    );
    let hub = (0.0, -0.655);
    let wood = Rgb::hex(0x5d4233);
    let cloth = Rgb::hex(0xf7efe0);
    for sail in 0..4_u8 {
        let mut arm = brush.turned(turn + f32::from(sail) * 0.25, hub.0, hub.1);
        let facing = if sail % 2 == 0 { 0.9 } else { 0.55 };
        arm.slab(0.075, hub.1 - 0.082, 0.30, 0.078, Fill::Flat(cloth, facing));
        for bar in 0..9_u8 {
            let x = 0.075 + 0.0375 * f32::from(bar);
            arm.line(
                &[(x, hub.1 - 0.084), (x, hub.1)],
                0.005,
                Fill::Flat(wood, 0.5),
            );
        }
        arm.line(
            &[(0.075, hub.1 - 0.043), (0.375, hub.1 - 0.043)],
            0.005,
            Fill::Flat(wood, 0.5),
        );
        arm.line(
            &[(0.075, hub.1 - 0.083), (0.375, hub.1 - 0.083)],
            0.006,
            Fill::Flat(wood, 0.5),
        );
        arm.line(&[hub, (0.385, hub.1)], 0.014, Fill::Flat(wood, 0.6));
    }
    brush.oval(hub.0, hub.1, 0.026, 0.026, Fill::Round(wood.scale(1.3)));
}
