//! Puts the subjects where they belong: at the horizon, on the ground, in the water or in the air.

use tiny_skia::{Point, Transform};

use crate::SceneError;
use crate::brush::Brush;
use crate::canvas::Canvas;
use crate::chance::Chance;
use crate::curve::mix;
use crate::glow::Glow;
use crate::place::{Afloat, islet, soil};
use crate::subject::{self, LAMP, Role, stance};
use crate::terrain::Ridge;
use crate::view::View;
use crate::vocabulary::{Meaning, Place, Subject, Weather};

/// What the subjects leave for later layers.
#[derive(Default)]
pub(crate) struct Lights {
    pub(crate) glows: Vec<Glow>,
    /// Lamps of lighthouses, in pixels.
    pub(crate) beacons: Vec<(f32, f32)>,
}

/// One drawing of one subject. Lengths in pixels; (`x`, `y`) is where it stands.
struct Spot {
    subject: Subject,
    x: f32,
    y: f32,
    size: f32,
    air: f32,
    under: bool,
}

/// The subjects at the horizon.
pub(crate) fn backdrop(canvas: &mut Canvas, view: &View<'_>, lights: &mut Lights) {
    let alone = !has(view, &[Role::Standing, Role::Floating]);
    for (index, (subject, _)) in of(view, Role::Backdrop).enumerate() {
        let x = if index % 2 == usize::from(alone) {
            view.width - view.hero_x
        } else {
            view.hero_x
        };
        let (_, size) = stance(subject);
        let x = if matches!(subject, Subject::Bridge | Subject::Forest) {
            view.width / 2.0
        } else {
            x
        };
        let foot = if matches!(view.place, Place::Space | Place::Underwater | Place::Street) {
            -0.02
        } else {
            0.004
        };
        let size = view.unit * size * if index == 0 { 1.0 } else { 0.7 };
        let air = if alone { 0.02 } else { 0.16 };
        paint(
            canvas,
            view,
            lights,
            &Spot {
                subject,
                x,
                y: view.horizon + foot * view.unit,
                size,
                air,
                under: false,
            },
        );
    }
}

/// The subjects in the air, and far birds where the prompt leaves the sky empty.
pub(crate) fn flying(canvas: &mut Canvas, view: &View<'_>, lights: &mut Lights) {
    let mut dice = view.chance("flying");
    let free = !has(view, &[Role::Standing]);
    for (index, (subject, many)) in of(view, Role::Flying).enumerate() {
        let (_, size) = stance(subject);
        let opposite = (index % 2 == 1) == free;
        let x = if opposite {
            view.width - view.hero_x
        } else {
            view.hero_x
        };
        let size = view.unit * size * if free && index == 0 { 1.15 } else { 0.8 };
        let companions = if many {
            5_u8
        } else if subject == Subject::Bird {
            2
        } else {
            0
        };
        for companion in 1..=companions {
            let small = size * dice.between(0.28, 0.55);
            let (x, y) = (
                view.width * dice.between(0.06, 0.94),
                view.horizon * dice.between(0.22, 0.80) + small * 0.5,
            );
            paint(
                canvas,
                view,
                lights,
                &Spot {
                    subject,
                    x,
                    y,
                    size: small,
                    air: 0.12 + 0.06 * f32::from(companion),
                    under: false,
                },
            );
        }
        let y = (view.horizon * dice.between(0.40, 0.48) + size * 0.5).max(size * 1.15);
        paint(
            canvas,
            view,
            lights,
            &Spot {
                subject,
                x,
                y,
                size,
                air: 0.03,
                under: false,
            },
        );
    }
    let lone = matches!(view.place, Place::Space | Place::Underwater) || view.light.stars > 0.5;
    if !lone
        && !view.brief.shows(Subject::Bird)
        && !view.brief.lacks(Meaning::Subject(Subject::Bird))
        && !view.brief.has(Weather::Storm)
    {
        flock(canvas, view);
    }
}

/// Strokes of wings, far away.
fn flock(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("flock");
    let mut glows = Vec::new();
    let color = view
        .light
        .on(crate::color::Rgb::hex(0x4a4a5c), 0.3)
        .mix(view.light.haze(), 0.25);
    let centre = (
        view.width * dice.between(0.25, 0.75),
        view.horizon * dice.between(0.36, 0.62),
    );
    let count = 3 + dice.index(5);
    let mut brush = Brush {
        canvas,
        light: &view.light,
        glows: &mut glows,
        frame: Transform::identity(),
        air: 0.0,
    };
    for _ in 0..count {
        let (x, y) = (
            centre.0 + view.unit * dice.between(-0.14, 0.14),
            centre.1 + view.unit * dice.between(-0.05, 0.05),
        );
        let (span, lift) = (
            view.unit * dice.between(0.007, 0.015),
            dice.between(0.35, 0.8),
        );
        let wings = [
            (x - span, y - span * lift * 0.5),
            (x - span * 0.45, y - span * lift),
            (x, y),
            (x + span * 0.45, y - span * lift),
            (x + span, y - span * lift * 0.4),
        ];
        brush.curve(
            &wings,
            (view.unit * 0.0026).max(0.7),
            crate::brush::Fill::Raw(color, 0.9),
        );
    }
}

/// The subjects on solid ground, the farther ones first; swimmers where there is no water hang in the air.
pub(crate) fn grounded(canvas: &mut Canvas, view: &View<'_>, footing: &Ridge, lights: &mut Lights) {
    let mut dice = view.chance("grounded");
    let spots = standing(view, &mut dice, |subject, x| {
        let floor = footing.at(x);
        mix(floor, view.height, nearness(subject)).min(view.height * 0.97)
    });
    for spot in &spots {
        paint(canvas, view, lights, spot);
    }
    let free = !has(view, &[Role::Standing]);
    for (index, (subject, many)) in of(view, Role::Floating).enumerate() {
        let (_, size) = stance(subject);
        let x = if (index % 2 == 1) == free {
            view.second_x()
        } else {
            view.hero_x
        };
        let afloat = view.place == Place::Beach && subject != Subject::Fish;
        let size = view.unit
            * size
            * if afloat {
                0.4
            } else if free {
                1.1
            } else {
                0.8
            };
        let y = if afloat {
            view.horizon + (view.height - view.horizon) * 0.16
        } else {
            view.horizon * 0.55 + size * 0.5
        };
        let under = !afloat;
        for companion in 0..if many || subject == Subject::Fish {
            6_u8
        } else {
            0
        } {
            let small = size * dice.between(0.25, 0.5);
            let (x, y) = (
                view.width * dice.between(0.08, 0.92),
                view.horizon * dice.between(0.2, 0.92),
            );
            paint(
                canvas,
                view,
                lights,
                &Spot {
                    subject,
                    x,
                    y,
                    size: small,
                    air: 0.25 + 0.05 * f32::from(companion),
                    under,
                },
            );
        }
        paint(
            canvas,
            view,
            lights,
            &Spot {
                subject,
                x,
                y,
                size,
                air: 0.0,
                under,
            },
        );
    }
}

/// The subjects in or off the water, on a layer of their own that the water can mirror.
pub(crate) fn afloat(
    view: &View<'_>,
    width: u32,
    height: u32,
    lights: &mut Lights,
) -> Result<Afloat, SceneError> {
    let mut layer = Canvas::clear(width, height)?;
    let mut lines = vec![0.0; layer.columns()];
    let mut dice = view.chance("afloat");
    let below = view.height - view.horizon;
    let earth = soil(view);
    let spots = standing(view, &mut dice, |subject, _| {
        view.horizon + below * mix(0.07, 0.55, nearness(subject))
    });
    for mut spot in spots {
        let (half, tall) = rock(spot.subject);
        let line = spot.y;
        spot.y -= tall * spot.size;
        mark(&mut lines, spot.x, half * spot.size, line);
        let mut brush = hold(&mut layer, view, lights, &spot);
        islet(&mut brush, &mut dice, half, tall, earth);
        paint(&mut layer, view, lights, &spot);
    }
    let free = !has(view, &[Role::Standing]);
    for (index, (subject, many)) in of(view, Role::Floating).enumerate() {
        let (_, size) = stance(subject);
        let x = if (index % 2 == 1) == free {
            view.second_x()
        } else {
            view.hero_x
        };
        let companions = if many { 3_u8 } else { 0 };
        for companion in (0..=companions).rev() {
            let near = if companion == 0 {
                1.0
            } else {
                0.42 / (1.0 + 0.25 * f32::from(companion))
            };
            let size = view.unit * size * near * if free { 1.0 } else { 0.62 };
            let away = if companion == 0 {
                0.0
            } else {
                view.width
                    * (0.17 * f32::from(companion) - 0.04)
                    * if x > view.width / 2.0 { -1.0 } else { 1.0 }
            };
            let y =
                view.horizon + below * (0.04 + 0.34 * near * near) * if free { 1.0 } else { 0.9 };
            let reach = if subject == Subject::Whale { 1.7 } else { 0.6 };
            mark(&mut lines, x + away, reach * size, y);
            paint(
                &mut layer,
                view,
                lights,
                &Spot {
                    subject,
                    x: x + away,
                    y,
                    size,
                    air: 0.30 * (1.0 - near),
                    under: false,
                },
            );
        }
    }
    Ok(Afloat { layer, lines })
}

/// Spots of the standing subjects, the main one last so that it is in front.
fn standing(
    view: &View<'_>,
    dice: &mut Chance,
    mut foot: impl FnMut(Subject, f32) -> f32,
) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (index, (subject, many)) in of(view, Role::Standing).enumerate() {
        let (_, size) = stance(subject);
        let x = match index {
            0 => view.hero_x,
            1 => view.second_x(),
            2 => view.width * 0.5,
            _ => view.width * 0.12,
        };
        let size = view.unit * size * if index == 0 { 1.0 } else { 0.78 };
        if many && subject != Subject::Flower {
            for companion in 0..3_u8 {
                let small = size * dice.between(0.42, 0.6);
                let x = view.width * (0.16 + 0.34 * f32::from(companion))
                    + view.unit * dice.between(-0.06, 0.06);
                if (x - view.hero_x).abs() > size * 0.35 {
                    let y = mix(view.horizon, foot(subject, x), 0.72);
                    spots.push(Spot {
                        subject,
                        x,
                        y,
                        size: small,
                        air: 0.14,
                        under: false,
                    });
                }
            }
        }
        spots.push(Spot {
            subject,
            x,
            y: foot(subject, x),
            size,
            air: 0.0,
            under: false,
        });
    }
    spots.sort_by(|one, other| one.y.total_cmp(&other.y));
    spots
}

/// How far in front of its ground's edge a subject stands: 0.0 on the edge, 1.0 at the picture's foot.
fn nearness(subject: Subject) -> f32 {
    match subject {
        Subject::Flower => 0.78,
        Subject::Cat | Subject::Dog | Subject::Fox | Subject::Rabbit => 0.55,
        Subject::Robot | Subject::Person => 0.42,
        Subject::Rocket | Subject::Cactus | Subject::Tree | Subject::Palm => 0.26,
        _ => 0.10,
    }
}

/// Half width and height of the rock on which a subject stands off shore, as fractions of its own height.
fn rock(subject: Subject) -> (f32, f32) {
    match subject {
        Subject::Lighthouse => (0.62, 0.20),
        Subject::Castle => (0.95, 0.16),
        Subject::Cabin => (1.15, 0.26),
        Subject::Flower => (0.72, 0.10),
        Subject::Rocket => (0.62, 0.08),
        _ => (0.55, 0.12),
    }
}

fn of(view: &View<'_>, role: Role) -> impl Iterator<Item = (Subject, bool)> {
    let wanted = view
        .brief
        .subjects
        .iter()
        .map(|wanted| (wanted.subject, wanted.many));
    wanted
        .filter(move |(subject, _)| stance(*subject).0 == role)
        .collect::<Vec<_>>()
        .into_iter()
}

fn has(view: &View<'_>, roles: &[Role]) -> bool {
    view.brief
        .subjects
        .iter()
        .any(|wanted| roles.contains(&stance(wanted.subject).0))
}

fn mark(lines: &mut [f32], x: f32, half: f32, line: f32) {
    let last = lines.len();
    let (from, to) = (
        (x - half).max(0.0) as usize,
        ((x + half).max(0.0) as usize + 1).min(last),
    );
    for column in lines.get_mut(from.min(to)..to).unwrap_or_default() {
        *column = column.max(line);
    }
}

fn hold<'a>(
    canvas: &'a mut Canvas,
    view: &'a View<'_>,
    lights: &'a mut Lights,
    spot: &Spot,
) -> Brush<'a> {
    let mirror = -view.light_side(spot.x);
    let frame = Transform::from_row(spot.size * mirror, 0.0, 0.0, spot.size, spot.x, spot.y);
    Brush {
        canvas,
        light: &view.light,
        glows: &mut lights.glows,
        frame,
        air: spot.air,
    }
}

fn paint(canvas: &mut Canvas, view: &View<'_>, lights: &mut Lights, spot: &Spot) {
    let mut brush = hold(canvas, view, lights, spot);
    if spot.subject == Subject::Lighthouse {
        let mut lamp = Point::from_xy(LAMP.0, LAMP.1);
        brush.frame.map_point(&mut lamp);
        let mut dice = view.chance("subject");
        subject::draw(spot.subject, &mut brush, &mut dice, spot.under);
        lights.beacons.push((lamp.x, lamp.y));
    } else {
        subject::draw(
            spot.subject,
            &mut brush,
            &mut view.chance("subject"),
            spot.under,
        );
    }
}
