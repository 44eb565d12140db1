//! Single plants that stand for a landscape: a broad tree, a palm, a cactus.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{around, mix};

/// A broad crown of leaf clusters over a forked trunk.
pub(crate) fn broadleaf(brush: &mut Brush<'_>, dice: &mut Chance) {
    let bark = Rgb::hex(0x6d4c3d);
    brush.oval(0.06, 0.0, 0.34, 0.022, Fill::Raw(Rgb::BLACK, 0.16));
    brush.polygon(
        &[
            (-0.085, 0.01),
            (-0.045, -0.06),
            (-0.036, -0.36),
            (-0.15, -0.52),
            (-0.13, -0.54),
            (-0.012, -0.43),
            (0.0, -0.60),
            (0.026, -0.60),
            (0.030, -0.42),
            (0.15, -0.55),
            (0.165, -0.53),
            (0.042, -0.34),
            (0.046, -0.06),
            (0.085, 0.01),
        ],
        Fill::Round(bark),
    );
    let leaf = [Rgb::hex(0x5f9a4b), Rgb::hex(0x86ab3f), Rgb::hex(0xd98a3a)][dice.index(3)];
    // From the dark underside to the lit top, left.
    for (layer, count) in [(0_u8, 26_u8), (1, 24), (2, 20)] {
        let t = f32::from(layer) / 2.0;
        for puff in 0..count {
            // The golden angle spreads the leaves evenly over the crown's disc.
            let (dx, dy) = around(f32::from(puff) * 0.382 + 0.1 * t);
            let reach =
                ((f32::from(puff) + 0.5) / f32::from(count)).sqrt() * dice.between(0.9, 1.06);
            let x = dx * 0.30 * reach * mix(1.0, 0.74, t) - 0.060 * t;
            let y = -0.68 + dy * 0.215 * reach * mix(1.0, 0.70, t) - 0.065 * t;
            let size = dice.between(0.070, 0.100) * mix(1.05, 0.70, t);
            let wander = dice.between(-0.06, 0.06);
            brush.oval(
                x,
                y,
                size,
                size * 0.86,
                Fill::Flat(leaf.scale(mix(0.72, 1.10, t) + wander), mix(0.15, 0.95, t)),
            );
        }
    }
    for _ in 0..34 {
        let (dx, dy) = around(dice.unit());
        let reach = dice.between(0.2, 1.0);
        brush.oval(
            dx * 0.30 * reach - 0.03,
            -0.70 + dy * 0.22 * reach,
            0.014,
            0.011,
            Fill::Flat(leaf.scale(1.22), 1.0),
        );
    }
}

/// A leaning trunk and drooping fronds.
pub(crate) fn palm(brush: &mut Brush<'_>, dice: &mut Chance) {
    let lean = 0.22;
    let trunk = Rgb::hex(0x8a6a4c);
    let at = |t: f32| (lean * t * t, -0.84 * t);
    for step in 0..14_u8 {
        let (from, to) = (at(f32::from(step) / 14.0), at(f32::from(step + 1) / 14.0));
        let wide = mix(0.036, 0.020, f32::from(step) / 14.0);
        brush.polygon(
            &[
                (from.0 - wide, from.1),
                (from.0 + wide, from.1),
                (to.0 + wide * 1.15, to.1),
                (to.0 - wide * 1.15, to.1),
            ],
            Fill::Round(trunk),
        );
    }
    brush.oval(0.10, 0.0, 0.24, 0.016, Fill::Raw(Rgb::BLACK, 0.18));
    for (x, tall) in [(-0.06, 0.07), (-0.03, 0.10), (0.03, 0.09), (0.06, 0.065)] {
        brush.blob(
            &[
                (x * 0.4 - 0.012, 0.008),
                (x, -tall),
                (x * 0.4 + 0.012, 0.008),
            ],
            Fill::Flat(Rgb::hex(0x6f9f58), 0.6),
        );
    }
    let crown = at(1.0);
    let green = Rgb::hex(0x4f9a56);
    for (index, turns) in [
        0.60_f32, 0.95, 0.55, 1.02, 0.66, 0.88, 0.50, 1.06, 0.72, 0.82,
    ]
    .into_iter()
    .enumerate()
    {
        let (dx, dy) = around(turns + dice.between(-0.012, 0.012));
        let long = dice.between(0.27, 0.37);
        let tip = (
            crown.0 + dx * long,
            crown.1 + dy * long * 0.55 + 0.16 * dx.abs(),
        );
        let bend = (
            crown.0 + dx * long * 0.55,
            crown.1 + dy * long * 0.75 - 0.055,
        );
        let facing = if dx < 0.0 { 0.95 } else { 0.35 };
        let shade = if index % 2 == 0 { 0.72 } else { 1.0 };
        brush.blob(
            &[
                crown,
                (bend.0, bend.1 - 0.022),
                tip,
                (bend.0, bend.1 + 0.040),
            ],
            Fill::Flat(green.scale(shade), facing),
        );
        for leaf in 1..8_u8 {
            let t = f32::from(leaf) / 8.0;
            let root = (
                quad(crown.0, bend.0, tip.0, t),
                quad(crown.1, bend.1, tip.1, t),
            );
            brush.line(
                &[
                    root,
                    (root.0 + dx * 0.018, root.1 + 0.075 * (1.0 - t * 0.5)),
                ],
                0.012,
                Fill::Flat(green.scale(shade * 0.9), facing),
            );
        }
    }
    for (x, y) in [(-0.025, 0.025), (0.022, 0.030), (0.0, 0.045)] {
        brush.oval(
            crown.0 + x,
            crown.1 + y,
            0.022,
            0.022,
            Fill::Round(Rgb::hex(0x7a5236)),
        );
    }
}

fn quad(a: f32, b: f32, c: f32, t: f32) -> f32 {
    mix(mix(a, b, t), mix(b, c, t), t)
}

/// A saguaro with two arms and pale ribs.
pub(crate) fn cactus(brush: &mut Brush<'_>) {
    let green = Rgb::hex(0x5b9460);
    brush.oval(0.1, 0.0, 0.26, 0.020, Fill::Raw(Rgb::BLACK, 0.18));
    let mut limb = |points: &[(f32, f32)], wide: f32| {
        brush.curve(points, wide, Fill::Round(green));
        for (shift, facing) in [(-0.27, 1.0), (0.0, 0.6), (0.27, 0.2)] {
            let rib: Vec<_> = points.iter().map(|(x, y)| (x + wide * shift, *y)).collect();
            brush.curve(&rib, wide * 0.055, Fill::Flat(Rgb::hex(0xa9cf94), facing));
        }
    };
    limb(
        &[
            (0.0, -0.34),
            (-0.16, -0.37),
            (-0.225, -0.46),
            (-0.23, -0.68),
        ],
        0.105,
    );
    limb(
        &[(0.0, -0.24), (0.15, -0.27), (0.215, -0.36), (0.22, -0.53)],
        0.100,
    );
    limb(&[(0.0, -0.075), (0.0, -0.3), (0.0, -0.92)], 0.165);
    for (x, y) in [
        (-0.03, -1.005),
        (0.035, -1.0),
        (-0.23, -0.735),
        (0.22, -0.58),
    ] {
        brush.oval(x, y, 0.026, 0.022, Fill::Flat(Rgb::hex(0xf07f9a), 0.9));
    }
}
