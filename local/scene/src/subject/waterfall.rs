//! A fall between two cliffs, with pines above and spray at its foot.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;
use crate::terrain::pine;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let rock = Rgb::hex(0x7f7c85);
    for row in 0..2_u8 {
        let near = f32::from(row);
        let trees: Vec<_> = (0..46_u8)
            .map(|tree| {
                let x = -2.9 + 0.128 * f32::from(tree) + dice.between(-0.04, 0.04);
                let tall = mix(0.34, 0.26, near) * dice.between(0.6, 1.1);
                pine(dice, x, -0.84 + 0.06 * x.abs() + 0.03 * near, tall)
            })
            .collect();
        let wood = Rgb::hex(0x4d8a70).mix(Rgb::hex(0x2f6350), near);
        brush.fill(
            crate::shape::polygons(trees.iter().map(Vec::as_slice)),
            Fill::Fade(wood.scale(1.15), wood.scale(0.7)),
        );
    }
    let water = Rgb::hex(0xeaf6fb);
    brush.polygon(
        &[(-0.17, -0.87), (0.17, -0.87), (0.23, 0.02), (-0.23, 0.02)],
        Fill::Fade(water, water.scale(0.95)),
    );
    for _ in 0..34 {
        let x = dice.between(-0.16, 0.16);
        let (from, long) = (dice.between(-0.87, -0.2), dice.between(0.12, 0.5));
        let spread = 1.0 + 0.35 * (from + 0.87);
        let tint = [Rgb::hex(0xbfdcea), Rgb::hex(0x9cc7de), Rgb::WHITE][dice.index(3)];
        brush.line(
            &[
                (x * spread, from),
                (x * spread * 1.1, (from + long).min(0.0)),
            ],
            dice.between(0.006, 0.018),
            Fill::Flat(tint, 0.85),
        );
    }
    for side in [-1.0_f32, 1.0] {
        cliff(brush, dice, side, rock);
    }
    let spray = brush.tone(Rgb::WHITE, 0.95);
    for puff in 0..26_u8 {
        let x = mix(-0.36, 0.36, f32::from(puff) / 25.0);
        let size = dice.between(0.04, 0.10);
        brush.oval(
            x,
            -0.01 - dice.between(0.0, 0.05),
            size,
            size * 0.6,
            Fill::Raw(spray, 0.30),
        );
    }
}

/// Columns of rock from the turf to the water, nearer ones lower, so that the gorge opens towards the viewer.
fn cliff(brush: &mut Brush<'_>, dice: &mut Chance, side: f32, rock: Rgb) {
    let columns = 22_u8;
    for column in (0..columns).rev() {
        let t = f32::from(column) / f32::from(columns);
        let (inner, outer) = (
            0.135 + 2.6 * t,
            0.135 + 2.6 * (t + 1.0 / f32::from(columns)) + 0.02,
        );
        let top = -0.90 + 0.20 * t + dice.between(-0.035, 0.035);
        let lit = if side > 0.0 { 0.72 } else { 0.22 };
        let facing = (lit + dice.between(-0.20, 0.20)).clamp(0.0, 1.0);
        let stone = rock.scale(dice.between(0.88, 1.08));
        let flare = 0.05 * (1.0 - t);
        let face = [
            (side * inner, top),
            (side * outer, top + 0.01),
            (side * (outer + flare), 0.05),
            (side * (inner + flare), 0.05),
        ];
        brush.polygon(
            &face,
            Fill::Fade(
                stone.scale(0.85 + 0.4 * facing),
                stone.scale(0.45 + 0.3 * facing),
            ),
        );
        // Ledges and cracks.
        for _ in 0..3 {
            let y = dice.between(top + 0.12, -0.06);
            let (from, to) = (
                mix(inner, outer, dice.between(0.0, 0.4)),
                mix(inner, outer, dice.between(0.6, 1.0)),
            );
            let crack = [
                (side * from, y),
                (side * to, y + 0.015),
                (side * to, y + dice.between(0.06, 0.16)),
            ];
            brush.polygon(&crack, Fill::Flat(stone.scale(0.72), facing * 0.5));
        }
        let turf = Rgb::hex(0x86b05f).scale(dice.between(0.85, 1.05));
        let middle = side * (inner + outer) / 2.0;
        brush.oval(
            middle,
            top + 0.012,
            (outer - inner) * 0.72,
            dice.between(0.030, 0.048),
            Fill::Fade(turf.scale(1.1), turf.scale(0.55)),
        );
    }
}
