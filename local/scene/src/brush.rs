//! The painter's hand: shapes in a subject's own coordinates, coloured by the light and dimmed by the air.
//!
//! A subject stands on (0, 0), grows towards negative y and is about one unit tall. The light always comes from
//! its left: the frame is mirrored where the sun stands right, so that no subject need know.

use tiny_skia::{
    FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, Point, Shader,
    SpreadMode, Stroke, Transform,
};

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::glow::Glow;
use crate::light::Light;

/// Warm light from inside a house.
pub(crate) const LAMPLIGHT: Rgb = Rgb::hex(0xffd58a);

/// How a shape is coloured. Base colours are what the thing has in white light.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    /// One colour, `facing` the light from 0.0 (shade) to 1.0.
    Flat(Rgb, f32),
    /// Lit on its left, shaded on its right, across its bounds.
    Round(Rgb),
    /// From one lit colour at its top to another at its bottom.
    Fade(Rgb, Rgb),
    /// Not lit: it is as it is, with opacity.
    Raw(Rgb, f32),
}

/// Paints one subject.
pub(crate) struct Brush<'a> {
    pub(crate) canvas: &'a mut Canvas,
    pub(crate) light: &'a Light,
    pub(crate) glows: &'a mut Vec<Glow>,
    pub(crate) frame: Transform,
    /// How much air lies between, 0.0 (near) to 1.0 (lost in the haze).
    pub(crate) air: f32,
}

impl Brush<'_> {
    /// The colour of a surface in this light, through this air.
    pub(crate) fn tone(&self, base: Rgb, facing: f32) -> Rgb {
        self.light.on(base, facing).mix(self.light.haze(), self.air)
    }

    /// The same hand in another frame inside this one: moved to (`x`, `y`), `scale` times as large.
    pub(crate) fn at(&mut self, x: f32, y: f32, scale: f32) -> Brush<'_> {
        self.framed(self.frame.pre_translate(x, y).pre_scale(scale, scale))
    }

    /// Turned by `turns` of a circle around (`x`, `y`).
    pub(crate) fn turned(&mut self, turns: f32, x: f32, y: f32) -> Brush<'_> {
        let (cos, sin) = crate::curve::around(turns);
        let turn = Transform::from_row(cos, sin, -sin, cos, 0.0, 0.0);
        self.framed(
            self.frame
                .pre_translate(x, y)
                .pre_concat(turn)
                .pre_translate(-x, -y),
        )
    }

    /// Left and right swapped.
    pub(crate) fn mirrored(&mut self) -> Brush<'_> {
        self.framed(self.frame.pre_scale(-1.0, 1.0))
    }

    fn framed(&mut self, frame: Transform) -> Brush<'_> {
        Brush {
            canvas: self.canvas,
            light: self.light,
            glows: self.glows,
            frame,
            air: self.air,
        }
    }

    pub(crate) fn polygon(&mut self, points: &[(f32, f32)], fill: Fill) {
        self.fill(crate::shape::polygon(points), fill);
    }

    pub(crate) fn blob(&mut self, points: &[(f32, f32)], fill: Fill) {
        self.fill(crate::shape::blob(points), fill);
    }

    pub(crate) fn oval(&mut self, x: f32, y: f32, rx: f32, ry: f32, fill: Fill) {
        self.fill(crate::shape::oval(x, y, rx, ry), fill);
    }

    /// A rectangle by its left, top, width and height.
    pub(crate) fn slab(&mut self, x: f32, y: f32, width: f32, height: f32, fill: Fill) {
        self.polygon(
            &[
                (x, y),
                (x + width, y),
                (x + width, y + height),
                (x, y + height),
            ],
            fill,
        );
    }

    /// A pane that burns as the lamps do, with a little glow.
    pub(crate) fn window(&mut self, x: f32, y: f32, width: f32, height: f32) {
        let dark = self.tone(Rgb::hex(0x3b4a5c), 0.6);
        let pane = dark.mix(LAMPLIGHT, self.light.lamps.min(1.0) * 0.95);
        self.slab(x, y, width, height, Fill::Raw(pane, 1.0));
        if self.light.lamps > 0.3 {
            let strength = 0.30 * self.light.lamps * (1.0 - self.air);
            self.glow(
                x + width / 2.0,
                y + height / 2.0,
                height.max(width) * 1.6,
                LAMPLIGHT,
                strength,
            );
        }
    }

    /// Leaves light to be added when everything solid is painted.
    pub(crate) fn glow(&mut self, x: f32, y: f32, radius: f32, color: Rgb, strength: f32) {
        let mut centre = Point::from_xy(x, y);
        self.frame.map_point(&mut centre);
        let (scale, _) = self.frame.get_scale();
        self.glows.push(Glow {
            x: centre.x,
            y: centre.y,
            radius: radius * scale,
            color,
            strength,
        });
    }

    /// A polyline with round ends.
    pub(crate) fn line(&mut self, points: &[(f32, f32)], width: f32, fill: Fill) {
        self.stroke(crate::shape::polyline(points), width, fill);
    }

    /// A smooth line through the points.
    pub(crate) fn curve(&mut self, points: &[(f32, f32)], width: f32, fill: Fill) {
        self.stroke(crate::shape::thread(points), width, fill);
    }

    pub(crate) fn fill(&mut self, path: Option<Path>, fill: Fill) {
        if let Some(path) = path {
            let paint = self.paint(&path, fill);
            self.canvas
                .pixels
                .fill_path(&path, &paint, FillRule::Winding, self.frame, None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, fill: Fill) {
        if let Some(path) = path {
            let paint = self.paint(&path, fill);
            let stroke = Stroke {
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            self.canvas
                .pixels
                .stroke_path(&path, &paint, &stroke, self.frame, None);
        }
    }

    fn paint(&self, path: &Path, fill: Fill) -> Paint<'static> {
        let bounds = path.bounds();
        let (shade_width, shade_height) = (bounds.width().max(1e-4), bounds.height().max(1e-4));
        let shader = match fill {
            Fill::Flat(base, facing) => Shader::SolidColor(self.tone(base, facing).ink(1.0)),
            Fill::Raw(color, alpha) => Shader::SolidColor(color.ink(alpha)),
            Fill::Round(base) => gradient(
                (bounds.left(), bounds.top()),
                (bounds.left() + shade_width, bounds.top()),
                &[
                    (0.0, self.tone(base, 0.85)),
                    (0.28, self.tone(base, 1.0)),
                    (0.75, self.tone(base, 0.25)),
                    (1.0, self.tone(base, 0.05)),
                ],
            ),
            Fill::Fade(top, bottom) => gradient(
                (bounds.left(), bounds.top()),
                (bounds.left(), bounds.top() + shade_height),
                &[(0.0, self.tone(top, 0.7)), (1.0, self.tone(bottom, 0.35))],
            ),
        };
        Paint {
            shader,
            anti_alias: true,
            ..Paint::default()
        }
    }
}

fn gradient(from: (f32, f32), to: (f32, f32), stops: &[(f32, Rgb)]) -> Shader<'static> {
    let points = [from, to].map(|(x, y)| Point::from_xy(x, y));
    let stops = stops
        .iter()
        .map(|(place, color)| GradientStop::new(*place, color.ink(1.0)))
        .collect();
    LinearGradient::new(
        points[0],
        points[1],
        stops,
        SpreadMode::Pad,
        Transform::identity(),
    )
    .unwrap_or(Shader::SolidColor(tiny_skia::Color::BLACK))
}
