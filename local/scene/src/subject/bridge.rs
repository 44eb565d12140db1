//! A suspension bridge from edge to edge of the picture.

use crate::brush::{Brush, Fill};
use crate::color::Rgb;

pub(crate) fn draw(brush: &mut Brush<'_>) {
    let steel = Rgb::hex(0xc04f3c);
    let deck = -0.24;
    let sag = |x: f32| {
        let (nearest, span) = if x.abs() < 0.75 {
            (x.abs() / 0.75, 0.62)
        } else {
            (((1.9 - x.abs()) / 1.15).clamp(0.0, 1.0), 0.66)
        };
        deck - 0.04 - span * nearest * nearest
    };
    for back in [true, false] {
        let shift = if back { 0.018 } else { 0.0 };
        let facing = if back { 0.1 } else { 0.7 };
        let cable: Vec<_> = (0..=76_u8)
            .map(|step| {
                (
                    f32::from(step) * 0.05 - 1.9,
                    sag(f32::from(step) * 0.05 - 1.9) - shift,
                )
            })
            .collect();
        brush.line(&cable, 0.011, Fill::Flat(steel, facing));
        for hanger in 0..=75_u8 {
            let x = f32::from(hanger) * 0.05 - 1.875;
            brush.line(
                &[(x, sag(x) - shift), (x, deck)],
                0.0035,
                Fill::Flat(steel, facing),
            );
        }
    }
    for side in [-1.0, 1.0] {
        let x = side * 0.75;
        brush.slab(
            x - 0.075,
            -0.03,
            0.15,
            0.05,
            Fill::Round(Rgb::hex(0xb0a498)),
        );
        for leg in [x - 0.050, x + 0.018] {
            brush.slab(leg, -0.985, 0.032, 0.965, Fill::Round(steel));
        }
        for y in [-0.96, -0.78, -0.60, -0.42, -0.12] {
            brush.slab(x - 0.05, y, 0.10, 0.030, Fill::Round(steel.scale(0.92)));
        }
        brush.window(x - 0.008, -1.01, 0.016, 0.020);
    }
    brush.slab(-2.6, deck, 5.2, 0.026, Fill::Flat(steel.scale(1.05), 0.8));
    brush.slab(
        -2.6,
        deck + 0.024,
        5.2,
        0.022,
        Fill::Flat(steel.scale(0.6), 0.1),
    );
    for truss in 0..104_u8 {
        let x = -2.6 + f32::from(truss) * 0.05;
        brush.line(
            &[(x, deck + 0.045), (x + 0.025, deck + 0.012)],
            0.006,
            Fill::Flat(steel.scale(0.7), 0.2),
        );
    }
    if brush.light.lamps > 0.3 {
        for lamp in 0..24_u8 {
            let x = -1.84 + f32::from(lamp) * 0.16;
            brush.glow(
                x,
                deck - 0.03,
                0.035,
                crate::brush::LAMPLIGHT,
                0.85 * brush.light.lamps,
            );
        }
    }
}
