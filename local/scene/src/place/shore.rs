//! Where land meets the sea: the beach, and the rock or headland that carries a subject off shore.

use crate::brush::{Brush, Fill};
use crate::canvas::Canvas;
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{mix, smooth, wave};
use crate::noise::{field, speck};
use crate::terrain::Ridge;
use crate::view::View;

use super::soil;

/// A strip of sea, lines of surf, and sand on which subjects stand.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    let mut dice = view.chance("beach");
    let below = view.height - view.horizon;
    let (key, phase, tilt) = (dice.key(), dice.unit(), dice.between(-0.10, 0.10));
    let light = &view.light;
    let sea = [
        light.haze().mix(light.on(Rgb::hex(0x3fa3b5), 0.9), 0.5),
        light.on(Rgb::hex(0x55c4bf), 0.95).mix(light.sky[2], 0.38),
    ];
    let edge = |x: f32| {
        let u = x / view.unit;
        view.horizon
            + below
                * (0.40
                    + tilt * (x / view.width - 0.5) * 2.0
                    + 0.05 * wave(u * 0.55 + phase)
                    + 0.012 * wave(u * 1.9))
    };
    let sand = light.on(soil(view), 0.9);
    let wet = light
        .on(soil(view).times(Rgb::new(0.66, 0.62, 0.62)), 0.6)
        .mix(light.sky[2], 0.25);
    let foam = light.on(Rgb::hex(0xffffff), 0.95);
    let footing = Ridge(
        (0..canvas.columns())
            .map(|x| edge(x as f32) + below * 0.16)
            .collect(),
    );
    for y in view.horizon as usize..canvas.rows() {
        for x in 0..canvas.columns() {
            let (across, down) = (x as f32, y as f32);
            let shore = edge(across)
                + view.unit * 0.012 * (field(across / view.unit * 14.0, 0.0, key) - 0.5);
            let depth = (down - view.horizon) / (shore - view.horizon).max(1.0);
            let color = if depth < 1.0 {
                let tone = sea[0].mix(sea[1], depth);
                let ripple = field(
                    across / view.unit * mix(40.0, 12.0, depth),
                    60.0 / (depth + 0.15),
                    key,
                );
                let bright = tone.mix(light.sky[3], 0.35 * smooth(0.55, 0.85, ripple));
                let torn = field(across / view.unit * 24.0, depth * 9.0, key ^ 3);
                let line = |at: f32, wide: f32| {
                    1.0 - smooth(0.0, wide, (depth - at - 0.03 * (torn - 0.5)).abs())
                };
                let surf = line(0.985, 0.035)
                    .max(0.75 * line(0.84, 0.03) * torn)
                    .max(0.5 * line(0.66, 0.02) * torn);
                bright.mix(foam, surf)
            } else {
                let dry = smooth(0.0, below * 0.14, down - shore);
                let grain = 0.96 + 0.08 * speck(x as i32, y as i32, key);
                let dune = field(across / view.unit * 3.0, down / view.unit * 9.0, key ^ 7);
                wet.mix(sand, dry).scale(grain * (0.94 + 0.10 * dune))
            };
            canvas.set(x, y, color);
        }
    }
    footing
}

/// A rock with grass on it, its top near (0, 0) in the brush's frame, `half` wide to each side, `tall` above the
/// water. Its foot is flat, at y = `tall`.
pub(crate) fn islet(brush: &mut Brush<'_>, dice: &mut Chance, half: f32, tall: f32, soil: Rgb) {
    let rock = Rgb::hex(0x8d8179);
    let steps = 14_u8;
    let top: Vec<(f32, f32)> = (0..=steps)
        .map(|step| {
            let t = f32::from(step) / f32::from(steps) * 2.0 - 1.0;
            let shoulder = smooth(0.40, 1.0, t.abs());
            (
                half * t * 0.95,
                tall * (shoulder * 0.80 + dice.between(-0.07, 0.07) * shoulder.min(0.5)),
            )
        })
        .collect();
    // Slabs of rock from the turf to the water, each with its own facing, leaning out from the middle.
    let foot: Vec<(f32, f32)> = top
        .iter()
        .map(|(x, _)| (x * 1.06 + half * dice.between(-0.02, 0.02), tall))
        .collect();
    for (upper, lower) in top.windows(2).zip(foot.windows(2)) {
        if let ([a, b], [c, d]) = (upper, lower) {
            let across = f32::midpoint(a.0, b.0) / half;
            let facing = (0.55 - 0.5 * across + dice.between(-0.22, 0.22)).clamp(0.0, 1.0);
            let low = (mix(c.0, d.0, dice.unit()), tall * dice.between(0.62, 0.9));
            // A hair of overlap hides the seam between neighbours.
            let d = (d.0 + half * 0.01, d.1);
            brush.polygon(
                &[*a, (b.0 + half * 0.006, b.1), d, *c],
                Fill::Flat(rock, facing),
            );
            let ledge = [(mix(a.0, b.0, 0.5), mix(a.1, b.1, 0.5)), *b, d, low];
            brush.polygon(
                &ledge,
                Fill::Flat(rock.scale(0.9), (facing - 0.22).max(0.0)),
            );
        }
    }
    // Boulders at the waterline break the straight foot.
    for _ in 0..9 {
        let x = half * dice.between(-1.04, 1.0);
        let size = half * dice.between(0.03, 0.075);
        let stone = [
            (x - size, tall),
            (x - size * 0.7, tall - size * 0.8),
            (x + size * 0.1, tall - size * 1.1),
            (x + size * 0.8, tall - size * 0.6),
            (x + size, tall),
        ];
        brush.polygon(&stone, Fill::Round(rock.scale(0.92)));
    }
    let mut turf: Vec<_> = top.iter().map(|(x, y)| (*x, *y - tall * 0.10)).collect();
    turf.extend(top.iter().rev().enumerate().map(|(index, (x, y))| {
        let hang = if index % 2 == 0 { 0.26 } else { 0.10 };
        (*x, y + tall * hang * (1.0 - 0.75 * (x / half).abs()))
    }));
    brush.polygon(&turf, Fill::Round(soil));
    let mut lip: Vec<_> = top.iter().map(|(x, y)| (*x, *y - tall * 0.10)).collect();
    lip.extend(top.iter().rev().map(|(x, y)| (*x, y - tall * 0.03)));
    brush.polygon(&lip, Fill::Flat(soil.scale(1.18), 0.95));
}
