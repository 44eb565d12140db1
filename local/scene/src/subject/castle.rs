//! A castle on its hill: curtain wall, round towers with pointed roofs, a keep and a gate.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;

const STONE: Rgb = Rgb::hex(0xcfc3b4);
const SLATE: Rgb = Rgb::hex(0x5a6b94);

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let roof = [SLATE, Rgb::hex(0xb0584a), Rgb::hex(0x4f7f83)][dice.index(3)];
    brush.blob(
        &[
            (-0.75, 0.05),
            (-0.52, -0.03),
            (-0.28, -0.11),
            (0.0, -0.14),
            (0.3, -0.11),
            (0.54, -0.03),
            (0.75, 0.05),
            (0.0, 0.09),
        ],
        Fill::Round(Rgb::hex(0x7f9a64)),
    );
    tower(brush, -0.13, 0.062, -0.05, -0.66, roof);
    tower(brush, 0.16, 0.050, -0.05, -0.58, roof);
    // The keep.
    brush.slab(-0.115, -0.56, 0.25, 0.50, Fill::Round(STONE));
    battlements(brush, -0.125, 0.145, -0.56, 7);
    tower(brush, 0.02, 0.055, -0.5, -0.80, roof);
    for (x, y) in [
        (-0.07, -0.46),
        (0.0, -0.46),
        (0.07, -0.46),
        (-0.035, -0.36),
        (0.045, -0.36),
    ] {
        brush.window(x, y, 0.020, 0.045);
    }
    // The wall, before the keep.
    brush.slab(-0.40, -0.26, 0.80, 0.24, Fill::Round(STONE.scale(0.94)));
    battlements(brush, -0.41, 0.41, -0.26, 19);
    tower(brush, -0.40, 0.068, 0.0, -0.44, roof);
    tower(brush, 0.40, 0.068, 0.0, -0.40, roof);
    tower(brush, -0.115, 0.052, -0.02, -0.33, roof);
    tower(brush, 0.115, 0.052, -0.02, -0.33, roof);
    let gate = brush.tone(Rgb::hex(0x4a3830), 0.2);
    brush.blob(
        &[
            (-0.048, -0.02),
            (-0.048, -0.10),
            (0.0, -0.16),
            (0.048, -0.10),
            (0.048, -0.02),
        ],
        Fill::Raw(gate, 1.0),
    );
    brush.window(-0.27, -0.19, 0.018, 0.04);
    brush.window(0.26, -0.19, 0.018, 0.04);
}

/// A round tower from `foot` to `eaves` with a pointed roof and a pennant.
fn tower(brush: &mut Brush<'_>, x: f32, half: f32, foot: f32, eaves: f32, roof: Rgb) {
    brush.slab(
        x - half,
        eaves,
        half * 2.0,
        foot - eaves,
        Fill::Round(STONE),
    );
    brush.slab(
        x - half * 1.18,
        eaves - half * 0.1,
        half * 2.36,
        half * 0.42,
        Fill::Round(STONE.scale(1.05)),
    );
    let tip = eaves - half * 2.9;
    brush.polygon(
        &[
            (x - half * 1.3, eaves - half * 0.08),
            (x, tip),
            (x + half * 1.3, eaves - half * 0.08),
        ],
        Fill::Round(roof),
    );
    let pole = tip - half * 0.9;
    brush.line(
        &[(x, tip + 0.01), (x, pole)],
        0.005,
        Fill::Flat(Rgb::hex(0x4b4048), 0.4),
    );
    brush.polygon(
        &[
            (x, pole),
            (x + half * 1.1, pole + half * 0.25),
            (x, pole + half * 0.5),
        ],
        Fill::Flat(Rgb::hex(0xd8503f), 0.85),
    );
    brush.window(
        x - half * 0.18,
        eaves + half * 0.95,
        half * 0.36,
        half * 0.85,
    );
}

fn battlements(brush: &mut Brush<'_>, from: f32, to: f32, y: f32, count: u8) {
    let step = (to - from) / (f32::from(count) - 0.5);
    for merlon in 0..count {
        let x = from + f32::from(merlon) * step;
        let facing = 0.9 - 0.7 * f32::from(merlon) / f32::from(count);
        brush.slab(
            x,
            y - step * 0.6,
            step * 0.56,
            step * 0.62,
            Fill::Flat(STONE, facing),
        );
    }
}
