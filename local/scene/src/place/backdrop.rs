//! The far land, in layers that the air turns into the colour of the horizon.

use tiny_skia::{FillRule, Paint, Shader, Transform};

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::mix;
use crate::terrain::{Relief, Ridge, pines};
use crate::view::View;
use crate::vocabulary::{Meaning, Place, Subject, Weather};

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    match view.place {
        Place::Sea => far_coast(canvas, view),
        Place::Lake => ranges(canvas, view, Relief::Jagged, 4, 0.30),
        Place::Hills => ranges(canvas, view, Relief::Jagged, 3, 0.26),
        Place::Field => ranges(canvas, view, Relief::Rolling, 3, 0.15),
        Place::Desert => ranges(canvas, view, Relief::Mesas, 2, 0.20),
        Place::Beach | Place::Street | Place::Space | Place::Underwater => {}
    }
}

/// On some seeds, land on the other side of the sea; low, so that the horizon stays the calm of the picture.
fn far_coast(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("far coast");
    if dice.happens(0.65) {
        let haze = view.light.haze();
        for (tall, air) in [(0.055, 0.75), (0.03, 0.55)] {
            let ridge = Ridge::new(
                view,
                &mut dice,
                Relief::Rolling,
                view.horizon + view.unit * 0.012,
                view.unit * tall,
                1.3,
            );
            let land = view.light.on(Rgb::hex(0x55708a), 0.4).mix(haze, air);
            ridge.fill(canvas, land, land.mix(haze, 0.4), view.unit * tall);
        }
    }
}

fn ranges(canvas: &mut Canvas, view: &View<'_>, relief: Relief, layers: u8, tall: f32) {
    let mut dice = view.chance("ranges");
    let light = &view.light;
    let haze = light.haze();
    // A named mountain must stand out from the land behind it.
    let tall = if view.brief.shows(Subject::Mountain)
        || view.brief.shows(Subject::Volcano)
        || view.brief.shows(Subject::City)
    {
        tall * 0.5
    } else {
        tall
    };
    let wooded = relief != Relief::Mesas
        && !view.brief.lacks(Meaning::Subject(Subject::Forest))
        && !view.brief.lacks(Meaning::Subject(Subject::Tree));
    for layer in 0..layers {
        let near = (f32::from(layer) + 1.0) / f32::from(layers);
        let rock = match relief {
            Relief::Mesas => Rgb::hex(0xc26f4a),
            _ => Rgb::hex(0x6b7fa3).mix(Rgb::hex(0x476b52), near * near),
        };
        let rock = if view.brief.has(Weather::Snow) {
            rock.mix(Rgb::hex(0xe8eff8), 0.6)
        } else {
            rock
        };
        let last = layer + 1 == layers;
        let shape = if last && relief == Relief::Jagged {
            Relief::Rolling
        } else {
            relief
        };
        let rise = view.unit * tall * mix(1.0, 0.32, near);
        let base = view.horizon + view.unit * mix(-0.02, 0.012, near);
        let waves = mix(1.3, 2.6, near) * if shape == Relief::Rolling { 0.8 } else { 1.0 };
        let ridge = Ridge::new(view, &mut dice, shape, base, rise, waves);
        let top = light.on(rock, 0.45).mix(haze, mix(0.78, 0.12, near));
        let foot = top.mix(haze, mix(0.75, 0.35, near));
        if wooded && near > 0.6 {
            let size = view.unit * if last { 0.055 } else { 0.022 };
            let wood = light
                .on(Rgb::hex(0x2f5247), 0.3)
                .mix(haze, mix(0.9, 0.10, near));
            let wood = if view.brief.has(Weather::Snow) {
                wood.mix(top, 0.35)
            } else {
                wood
            };
            if let Some(path) = pines(&mut dice, &ridge, size * 0.34, size, 0.56) {
                let paint = Paint {
                    shader: Shader::SolidColor(wood.ink(1.0)),
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
        ridge.fill(canvas, top, foot, rise.max(view.unit * 0.06) * 1.1);
    }
}
