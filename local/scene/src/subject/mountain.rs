//! A great peak: a lit face, a shaded one, gullies, and snow down to a torn line.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;

const ROCK: Rgb = Rgb::hex(0x74809c);
const SNOW: Rgb = Rgb::hex(0xf8fbff);

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    brush.air += 0.26;
    for (x, scale) in [(-0.78, 0.56), (0.74, 0.66), (1.45, 0.42), (-1.4, 0.36)] {
        let (x, scale) = (x + dice.between(-0.1, 0.1), scale * dice.between(0.85, 1.1));
        peak(&mut brush.at(x, 0.02, scale), dice);
    }
    brush.air = (brush.air - 0.12).max(0.0);
    peak(brush, dice);
    brush.air = (brush.air - 0.14).max(0.0);
    foot(brush);
}

fn peak(brush: &mut Brush<'_>, dice: &mut Chance) {
    let top = (dice.between(-0.05, 0.05), -1.0);
    let left = flank(dice, top, (-1.15, 0.05), 16);
    let right = flank(dice, top, (1.15, 0.05), 16);
    let spine = spine(dice, top);
    let face = |edge: &[(f32, f32)]| -> Vec<(f32, f32)> {
        edge.iter()
            .copied()
            .chain(spine.iter().rev().copied())
            .collect()
    };
    brush.polygon(&face(&left), Fill::Fade(ROCK.scale(1.2), ROCK.scale(1.05)));
    brush.polygon(&face(&right), Fill::Flat(ROCK.scale(0.82), 0.10));
    for _ in 0..9 {
        gully(brush, dice, top);
    }
    snow(brush, dice, &left, &spine, Fill::Flat(SNOW, 0.95));
    snow(
        brush,
        dice,
        &right,
        &spine,
        Fill::Flat(SNOW.scale(0.86), 0.30),
    );
}

/// An edge from the top to a foot, rough, steeper near the top.
fn flank(dice: &mut Chance, top: (f32, f32), foot: (f32, f32), steps: u8) -> Vec<(f32, f32)> {
    (0..=steps)
        .map(|step| {
            let t = f32::from(step) / f32::from(steps);
            let rough = 0.028 * (t * (1.0 - t) * 4.0) + 0.008;
            let x = mix(top.0, foot.0, t.powi(2) * 0.42 + t * 0.58);
            let y = mix(top.1, foot.1, t);
            if step == 0 {
                top
            } else {
                (
                    x + dice.between(-rough, rough),
                    y + dice.between(-rough, rough),
                )
            }
        })
        .collect()
}

/// The ridge that parts light from shade, wandering down towards the viewer.
fn spine(dice: &mut Chance, top: (f32, f32)) -> Vec<(f32, f32)> {
    let drift = dice.between(-0.02, 0.16);
    (0..=10_u8)
        .map(|step| {
            let t = f32::from(step) / 10.0;
            let zigzag = if step % 2 == 0 { 0.045 } else { -0.03 };
            (
                top.0 + drift * t + zigzag * (t * 1.6).min(1.0) + dice.between(-0.012, 0.012),
                top.1 + 1.05 * t,
            )
        })
        .collect()
}

fn gully(brush: &mut Brush<'_>, dice: &mut Chance, top: (f32, f32)) {
    let t = dice.between(0.3, 0.8);
    let side = dice.side();
    let x = top.0 + side * dice.between(0.08, 0.62) * t;
    let y = top.1 + t * 1.02;
    let (wide, tall) = (dice.between(0.03, 0.08), dice.between(0.12, 0.26));
    let drift = side * tall * 0.35;
    let fill = if side < 0.0 {
        Fill::Flat(ROCK.scale(0.9), 0.32)
    } else {
        Fill::Flat(ROCK, 0.42)
    };
    brush.polygon(
        &[
            (x, y),
            (x + drift + wide, y + tall),
            (x + drift - wide * 0.4, y + tall * 0.86),
        ],
        fill,
    );
}

/// The part of a face above a torn line.
fn snow(
    brush: &mut Brush<'_>,
    dice: &mut Chance,
    edge: &[(f32, f32)],
    spine: &[(f32, f32)],
    fill: Fill,
) {
    let line = dice.between(-0.62, -0.55);
    let mut outline: Vec<_> = edge.iter().copied().filter(|(_, y)| *y < line).collect();
    let mut inner: Vec<_> = spine
        .iter()
        .copied()
        .filter(|(_, y)| *y < line + 0.06)
        .collect();
    let (Some(from), Some(to)) = (outline.last().copied(), inner.last().copied()) else {
        return;
    };
    let mut t = 0.0;
    let mut low = true;
    while t < 0.9 {
        t += dice.between(0.05, 0.16);
        let hang = if low {
            dice.between(0.02, 0.16)
        } else {
            dice.between(-0.10, 0.0)
        };
        outline.push((mix(from.0, to.0, t.min(0.96)), mix(from.1, to.1, t) + hang));
        low = !low;
    }
    inner.reverse();
    outline.extend(inner);
    brush.polygon(&outline, fill);
}

/// Mist in which the mountain's foot is lost.
fn foot(brush: &mut Brush<'_>) {
    let haze = brush.light.haze();
    for step in 0..22_u8 {
        let t = f32::from(step) / 22.0;
        brush.oval(
            0.0,
            0.05,
            2.6 - 0.8 * t,
            0.30 * (1.0 - t * 0.85),
            Fill::Raw(haze, 0.026),
        );
    }
}
