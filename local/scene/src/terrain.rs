//! Lines of land: ridges, hills and dunes, one height per column, filled with an aerial gradient.

use crate::canvas::Canvas;
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{mix, smooth};
use crate::noise::{crests, fractal};
use crate::view::View;

/// The y of the land's top edge in every column of the picture, in pixels.
#[derive(Clone, Debug)]
pub(crate) struct Ridge(pub(crate) Vec<f32>);

/// The character of a line of land.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Relief {
    /// Sharp crests.
    Jagged,
    /// Long soft hills.
    Rolling,
    /// Smooth on one side, sharp at the crest.
    Dunes,
    /// Flat tops with steep sides.
    Mesas,
}

impl Ridge {
    /// A line that rises at most `tall` above `base`, with about `waves` features across one unit of the view.
    pub(crate) fn new(
        view: &View<'_>,
        dice: &mut Chance,
        relief: Relief,
        base: f32,
        tall: f32,
        waves: f32,
    ) -> Self {
        let (key, shift) = (dice.key(), dice.between(0.0, 40.0));
        let columns = view.width.ceil() as usize;
        Self(
            (0..columns)
                .map(|x| {
                    let u = x as f32 / view.unit * waves + shift;
                    let rise = match relief {
                        Relief::Jagged => {
                            (crests(u * 0.8, 0.5, 5, key) * 1.25 - 0.15)
                                * (0.45 + 0.75 * fractal(u * 0.45, 3.0, 2, key))
                        }
                        Relief::Rolling => smooth(0.15, 0.85, fractal(u, 0.5, 3, key)),
                        Relief::Dunes => {
                            crests(u, 0.5, 1, key) * 0.8 + 0.2 * fractal(u * 0.6, 8.0, 2, key)
                        }
                        Relief::Mesas => {
                            smooth(0.52, 0.58, fractal(u, 0.5, 2, key)) * 0.6
                                + smooth(0.60, 0.64, fractal(u, 0.5, 2, key)) * 0.3
                                + 0.1 * fractal(u * 5.0, 2.0, 3, key)
                        }
                    };
                    base - tall * rise
                })
                .collect(),
        )
    }

    /// The height at any x; beyond the edges, that of the edge.
    pub(crate) fn at(&self, x: f32) -> f32 {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get((x.max(0.0) as usize).min(last))
            .copied()
            .unwrap_or(0.0)
    }

    /// Fills from the line to the bottom of the canvas: `top` at the line becoming `foot` after `fall` pixels.
    pub(crate) fn fill(&self, canvas: &mut Canvas, top: Rgb, foot: Rgb, fall: f32) {
        // A steep edge covers its pixels sideways, so the step is spread over the slope.
        let last = self.0.len().saturating_sub(1);
        let slopes: Vec<f32> = (0..=last)
            .map(|x| {
                let rise =
                    (self.at((x + 1).min(last) as f32) - self.at(x.saturating_sub(1) as f32)) / 2.0;
                1.0 / (1.0 + rise * rise).sqrt()
            })
            .collect();
        let first = self
            .0
            .iter()
            .copied()
            .fold(f32::INFINITY, f32::min)
            .max(0.0) as usize;
        for y in first.saturating_sub(1)..canvas.rows() {
            for (x, (edge, slope)) in self.0.iter().zip(&slopes).enumerate() {
                let depth = y as f32 + 0.5 - edge;
                let alpha = depth * slope + 0.5;
                if alpha > 0.0 {
                    let color = top.mix(foot, smooth(0.0, fall.max(1.0), depth));
                    if alpha >= 1.0 {
                        canvas.set(x, y, color);
                    } else {
                        canvas.lay(x, y, color, alpha);
                    }
                }
            }
        }
    }
}

/// The outline of a pine in picture coordinates, its foot at (`x`, `y`).
pub(crate) fn pine(dice: &mut Chance, x: f32, y: f32, tall: f32) -> Vec<(f32, f32)> {
    let half = tall * dice.between(0.17, 0.24);
    let tiers = 5_u8;
    let mut left = Vec::with_capacity(12);
    let mut right = Vec::with_capacity(12);
    for tier in 0..tiers {
        let t = (f32::from(tier) + 1.0) / f32::from(tiers);
        let wide = half * t * dice.between(0.86, 1.1);
        let low = y - tall * (1.0 - 0.92 * t);
        let notch = low - tall * 0.045;
        left.extend([(x - wide, low), (x - wide * 0.52, notch)]);
        right.extend([
            (x + wide * dice.between(0.9, 1.05), low),
            (x + wide * 0.52, notch),
        ]);
    }
    let mut outline = vec![(x, y - tall)];
    outline.extend(right);
    outline.extend([(x + half * 0.12, y), (x - half * 0.12, y)]);
    outline.extend(left.into_iter().rev());
    outline
}

/// A line of pines along a ridge, as one outline. `gap` and `tall` in pixels.
pub(crate) fn pines(
    dice: &mut Chance,
    ridge: &Ridge,
    gap: f32,
    tall: f32,
    density: f32,
) -> Option<tiny_skia::Path> {
    let key = dice.key();
    let width = ridge.0.len() as f32;
    let mut trees = Vec::new();
    let mut x = -gap;
    while x < width + gap {
        let wood = fractal(x / (gap * 9.0), 0.5, 2, key);
        if wood < density {
            let grown = tall * dice.between(0.55, 1.0) * mix(1.0, 0.6, wood / density.max(0.01));
            trees.push(pine(dice, x, ridge.at(x) + tall * 0.08, grown));
        }
        x += gap * dice.between(0.55, 1.25);
    }
    crate::shape::polygons(trees.iter().map(Vec::as_slice))
}
