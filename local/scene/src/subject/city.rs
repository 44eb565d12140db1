//! A skyline in three depths, with lit windows.

use crate::brush::{Brush, Fill, LAMPLIGHT};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{bell, mix};

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let air = brush.air;
    for row in 0..3_u8 {
        let near = f32::from(row) / 2.0;
        brush.air = air + mix(0.60, 0.04, near);
        let mut x = -2.9;
        while x < 2.9 {
            let wide = dice.between(0.09, 0.18) * mix(0.9, 1.0, near);
            // Towers gather around the middle, and the near row stays low enough to show those behind.
            let middle = bell(x * 1.25);
            let tall = (0.16 + 0.78 * middle * dice.between(0.35, 1.0)) * mix(1.0, 0.62, near);
            tower(brush, dice, x, wide, tall, row > 0);
            x += wide * dice.between(0.9, 1.35);
        }
    }
    brush.air = air;
}

fn tower(brush: &mut Brush<'_>, dice: &mut Chance, x: f32, wide: f32, tall: f32, windows: bool) {
    let walls = [0x8593ad, 0x9a8f9f, 0x6f86a0, 0xa79a8e].map(Rgb::hex);
    let wall = walls[dice.index(walls.len())];
    let split = wide * 0.62;
    let base = 0.02;
    brush.slab(
        x,
        -tall,
        split + 0.003,
        tall + base,
        Fill::Fade(wall.scale(1.12), wall.scale(0.85)),
    );
    brush.slab(
        x + split,
        -tall,
        wide - split,
        tall + base,
        Fill::Flat(wall.scale(0.78), 0.18),
    );
    match dice.index(5) {
        0 => {
            let roof = [
                (x, -tall),
                (x + split, -tall),
                (x + wide * 0.5, -tall - wide * 0.7),
            ];
            brush.polygon(&roof, Fill::Flat(wall, 0.7));
            brush.line(
                &[
                    (x + wide * 0.5, -tall - wide * 0.6),
                    (x + wide * 0.5, -tall - wide * 1.5),
                ],
                0.008,
                Fill::Flat(wall.scale(0.6), 0.3),
            );
        }
        1 => {
            brush.slab(
                x + wide * 0.2,
                -tall - wide * 0.4,
                wide * 0.55,
                wide * 0.42,
                Fill::Round(wall),
            );
        }
        2 => {
            brush.polygon(
                &[
                    (x, -tall),
                    (x + wide, -tall),
                    (x + wide, -tall - wide * 0.15),
                    (x, -tall - wide * 0.7),
                ],
                Fill::Flat(wall, 0.6),
            );
        }
        _ => {}
    }
    if !windows {
        return;
    }
    let (across, down) = (3_u8, (tall / 0.042) as u8);
    let lamps = brush.light.lamps;
    for row in 0..down.min(30) {
        for column in 0..across {
            let burning = dice.happens(0.48);
            let (wx, wy) = (
                x + split * (0.14 + 0.28 * f32::from(column)),
                -tall + 0.022 + 0.040 * f32::from(row),
            );
            if wy > -0.02 {
                continue;
            }
            let glass = brush.tone(Rgb::hex(0x53647c), 0.5);
            let pane = if burning {
                glass.mix(LAMPLIGHT, 0.92 * lamps * (1.0 - brush.air * 0.7))
            } else {
                glass
            };
            brush.slab(wx, wy, split * 0.17, 0.019, Fill::Raw(pane, 0.9));
        }
    }
    if lamps > 0.3 {
        brush.glow(
            x + split / 2.0,
            -tall * 0.5,
            tall * 0.55,
            LAMPLIGHT,
            0.07 * lamps,
        );
    }
}
