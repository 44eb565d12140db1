//! Fields, hills and deserts: overlapping swells of ground, the subjects standing on the middle one.

use tiny_skia::{FillRule, Paint, PathBuilder, Shader, Stroke, Transform};

use crate::canvas::Canvas;
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;
use crate::noise::field;
use crate::terrain::{Relief, Ridge, pine, pines};
use crate::view::View;
use crate::vocabulary::{Meaning, Place, Subject, Weather};

use super::soil;

/// Paints the far and the middle swell and returns the middle one.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    let mut dice = view.chance("land");
    let below = view.height - view.horizon;
    let relief = if view.place == Place::Desert {
        Relief::Dunes
    } else {
        Relief::Rolling
    };
    let swell = match view.place {
        Place::Field => 0.04,
        Place::Desert => 0.15,
        _ => 0.17,
    };
    let treeless = view.brief.lacks(Meaning::Subject(Subject::Tree))
        || view.brief.lacks(Meaning::Subject(Subject::Forest));
    let earth = soil(view);
    let haze = view.light.haze();
    let mut footing = Ridge(vec![view.horizon; canvas.columns()]);
    let layers = if view.place == Place::Hills { 4_u8 } else { 3 };
    // Hills are many and short-breathed; a field is one calm sweep.
    let (far_waves, near_waves, lowest) = if view.place == Place::Hills {
        (2.6, 1.15, 0.40)
    } else {
        (1.4, 0.8, 0.42)
    };
    for layer in 0..layers {
        let near = f32::from(layer) / f32::from(layers - 1);
        let base = view.horizon + below * mix(0.12, lowest, near);
        footing = Ridge::new(
            view,
            &mut dice,
            relief,
            base,
            view.unit * swell * mix(0.75, 0.85, near),
            mix(far_waves, near_waves, near),
        );
        let shade = earth.times(Rgb::new(
            mix(0.80, 1.0, near),
            mix(0.90, 1.0, near),
            mix(0.86, 1.0, near),
        ));
        let top = view
            .light
            .on(shade.scale(1.06), mix(0.78, 0.95, near))
            .mix(haze, mix(0.52, 0.05, near));
        let foot = view
            .light
            .on(shade.times(Rgb::new(0.58, 0.66, 0.66)), 0.35)
            .mix(haze, mix(0.34, 0.0, near));
        footing.fill(canvas, top, foot, below * mix(0.22, 0.62, near));
        if view.place == Place::Hills && layer + 1 < layers && !treeless {
            copses(canvas, view, &mut dice, &footing, near);
        }
    }
    if view.place == Place::Field && !view.brief.has(Weather::Snow) {
        furrows(canvas, view, &footing);
    }
    if view.place == Place::Desert {
        ripples(canvas, view, &footing);
    }
    footing
}

/// Small woods on the far hills, which give them their size.
fn copses(canvas: &mut Canvas, view: &View<'_>, dice: &mut Chance, hill: &Ridge, near: f32) {
    let tall = view.unit * mix(0.018, 0.045, near);
    let wood = view
        .light
        .on(Rgb::hex(0x3c6a48), 0.35)
        .mix(view.light.haze(), mix(0.5, 0.12, near));
    let wood = if view.brief.has(Weather::Snow) {
        wood.mix(view.light.haze(), 0.3)
    } else {
        wood
    };
    stamp(canvas, pines(dice, hill, tall * 0.42, tall, 0.40), wood);
}

/// Rows of a crop or mown grass that run towards one vanishing point.
fn furrows(canvas: &mut Canvas, view: &View<'_>, footing: &Ridge) {
    let mut dice = view.chance("furrows");
    let vanishing = (
        view.width * dice.between(0.3, 0.7),
        view.horizon - view.unit * 0.10,
    );
    let bloom = dice.index(3);
    let key = dice.key();
    let row_colors = [Rgb::hex(0xc6cf62), Rgb::hex(0xb58fd0), Rgb::hex(0xe8d06a)];
    let row = view.light.on(row_colors[bloom.min(2)], 0.9);
    let dark = view.light.on(Rgb::hex(0x6f8f45), 0.2);
    for y in 0..canvas.rows() {
        for x in 0..canvas.columns() {
            let depth = y as f32 - footing.at(x as f32);
            if depth <= 0.0 {
                continue;
            }
            let away = (y as f32 - vanishing.1).max(1.0);
            let u = (x as f32 - vanishing.0) / away * 9.0;
            let stripe = (u - u.floor() - 0.5).abs() * 2.0;
            let tuft = field(
                x as f32 / view.unit * 90.0,
                y as f32 / view.unit * 160.0,
                key,
            );
            let fade = (depth / (view.unit * 0.04)).min(1.0);
            canvas.lay(
                x,
                y,
                row,
                (1.0 - stripe) * (0.25 + 0.5 * tuft) * fade * 0.75,
            );
            canvas.lay(
                x,
                y,
                dark,
                stripe * stripe * (0.3 + 0.4 * tuft) * fade * 0.55,
            );
        }
    }
}

/// Wind lines in sand.
fn ripples(canvas: &mut Canvas, view: &View<'_>, footing: &Ridge) {
    let key = view.chance("ripples").key();
    let light = view.light.on(Rgb::hex(0xffdf9e), 1.0);
    for y in 0..canvas.rows() {
        for x in 0..canvas.columns() {
            let depth = (y as f32 - footing.at(x as f32)) / view.unit;
            if depth <= 0.004 {
                continue;
            }
            let bend = field(x as f32 / view.unit * 2.5, y as f32 / view.unit * 3.0, key) * 2.2;
            let line = crate::curve::wave(22.0 * depth / (0.12 + depth * 0.5) + bend);
            canvas.lay(
                x,
                y,
                light,
                (line * 0.5 + 0.5) * 0.14 * (depth / 0.08).min(1.0),
            );
        }
    }
}

/// What is nearest: grass and, at one side, dark pines that frame the picture.
pub(crate) fn front(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("front");
    let wild = matches!(view.place, Place::Field | Place::Hills | Place::Lake);
    if !wild {
        return;
    }
    let dark = view.light.on(Rgb::hex(0x35523f), 0.0).scale(0.72);
    let dark = if view.brief.has(Weather::Snow) {
        dark.mix(view.light.on(Rgb::WHITE, 0.2), 0.35)
    } else {
        dark
    };
    let bank = Ridge::new(
        view,
        &mut dice,
        Relief::Rolling,
        view.height - view.unit * 0.005,
        view.unit * 0.07,
        1.1,
    );
    bank.fill(canvas, dark, dark.scale(0.75), view.unit * 0.08);
    grass(canvas, view, &bank, dark);
    let bare = view.brief.lacks(Meaning::Subject(Subject::Tree))
        || view.brief.lacks(Meaning::Subject(Subject::Forest));
    if view.place != Place::Field && !bare && view.width > view.height * 0.6 {
        let side = if view.hero_x > view.width / 2.0 {
            0.0
        } else {
            view.width
        };
        let inward = if side > 0.0 { -1.0 } else { 1.0 };
        let trees: Vec<_> = (0..4_u8)
            .map(|tree| {
                let x = side + inward * view.unit * (f32::from(tree) * 0.055 - 0.02);
                let tall =
                    view.unit * mix(0.46, 0.16, f32::from(tree) / 3.0) * dice.between(0.85, 1.1);
                pine(&mut dice, x, view.height - view.unit * 0.01, tall)
            })
            .collect();
        stamp(
            canvas,
            crate::shape::polygons(trees.iter().map(Vec::as_slice)),
            dark.scale(0.9),
        );
    }
}

fn grass(canvas: &mut Canvas, view: &View<'_>, bank: &Ridge, color: Rgb) {
    let mut dice = view.detail("grass");
    let lean = if view.brief.has(Weather::Wind) {
        0.9
    } else {
        0.25
    };
    let mut path = PathBuilder::new();
    let blades = (view.width / view.unit * 210.0) as u32;
    for _ in 0..blades {
        let x = dice.between(0.0, view.width);
        let (y, tall) = (
            bank.at(x) + view.unit * 0.006,
            view.unit * dice.between(0.012, 0.045),
        );
        let tip = x + tall * dice.between(-0.3, 0.4 + lean);
        path.move_to(x, y);
        path.quad_to(x, y - tall * 0.6, tip, y - tall);
    }
    let paint = Paint {
        shader: Shader::SolidColor(color.ink(1.0)),
        anti_alias: true,
        ..Paint::default()
    };
    let stroke = Stroke {
        width: (view.unit * 0.0022).max(0.6),
        ..Stroke::default()
    };
    if let Some(path) = path.finish() {
        canvas
            .pixels
            .stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }
}

fn stamp(canvas: &mut Canvas, path: Option<tiny_skia::Path>, color: Rgb) {
    if let Some(path) = path {
        let paint = Paint {
            shader: Shader::SolidColor(color.ink(1.0)),
            anti_alias: true,
            ..Paint::default()
        };
        canvas.pixels.fill_path(
            &path,
            &paint,
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
}
