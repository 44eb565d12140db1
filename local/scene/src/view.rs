//! The composition: where the horizon, the light and the subjects stand, before anything is painted.

use crate::brief::Brief;
use crate::chance::{Chance, scramble};
use crate::curve::mix;
use crate::light::Light;
use crate::vocabulary::{Place, Subject, Weather};

/// Everything that the layers agree on. Lengths are pixels, y grows downwards.
pub(crate) struct View<'a> {
    pub(crate) brief: &'a Brief,
    pub(crate) place: Place,
    pub(crate) light: Light,
    pub(crate) width: f32,
    pub(crate) height: f32,
    /// The length that strokes, stars and discs are measured in: a thousandth of it is "one pixel at 1024".
    pub(crate) unit: f32,
    pub(crate) horizon: f32,
    /// The centre of the sun or moon.
    pub(crate) body: (f32, f32),
    /// Where the main subject stands.
    pub(crate) hero_x: f32,
    /// Stream of the composition: seed and unknown words.
    chance: Chance,
    /// Stream of small things: seed and every word.
    detail: Chance,
}

impl<'a> View<'a> {
    pub(crate) fn compose(brief: &'a Brief, seed: u64, width: u32, height: u32) -> Self {
        let chance = Chance::new(scramble(seed) ^ brief.flavour);
        let detail = Chance::new(scramble(seed ^ 0x5eed) ^ brief.wording);
        let (width, height) = (width as f32, height as f32);
        let mut dice = chance.stream("composition");
        let place = place(brief, &mut dice);
        let light = light(brief, place, &chance);
        let level = match place {
            Place::Sea | Place::Lake => dice.between(0.62, 0.68),
            Place::Street => dice.between(0.56, 0.62),
            Place::Space => dice.between(0.82, 0.86),
            Place::Underwater => 0.84,
            Place::Beach | Place::Field | Place::Hills | Place::Desert => dice.between(0.58, 0.65),
        };
        let side = dice.side();
        let off_centre = dice.between(0.10, 0.19);
        let hero_x = width * (0.5 + side * off_centre);
        let sun_x = width * (0.5 - side * dice.between(0.12, 0.26));
        let horizon = (height * level).round();
        let body_y = horizon * (1.0 - mix(0.0, 0.9, light.body_height))
            - if light.body_height > 0.0 {
                0.004 * height
            } else {
                0.0
            };
        Self {
            brief,
            place,
            light,
            width,
            height,
            unit: width.min(height).max(height * 0.4).min(width * 1.25),
            horizon,
            body: (sun_x, body_y),
            hero_x,
            chance,
            detail,
        }
    }

    /// The stream of a layer; it does not depend on words that the vocabulary knows.
    pub(crate) fn chance(&self, layer: &str) -> Chance {
        self.chance.stream(layer)
    }

    /// The stream of a layer's small things, which differs between any two prompts.
    pub(crate) fn detail(&self, layer: &str) -> Chance {
        self.detail.stream(layer)
    }

    /// -1.0 where the light comes from the left of `x`, 1.0 where from its right.
    pub(crate) fn light_side(&self, x: f32) -> f32 {
        if self.body.0 < x { -1.0 } else { 1.0 }
    }

    /// Where a second subject stands: across the middle from the main one, and farther out.
    pub(crate) fn second_x(&self) -> f32 {
        let edge = if self.hero_x < self.width / 2.0 {
            self.width
        } else {
            0.0
        };
        mix(self.width - self.hero_x, edge, 0.32)
    }

    pub(crate) fn on_water(&self) -> bool {
        matches!(self.place, Place::Sea | Place::Lake)
    }
}

/// The place that the prompt names, or the one where its first subject belongs.
fn place(brief: &Brief, dice: &mut Chance) -> Place {
    let wild = [Place::Lake, Place::Hills, Place::Field, Place::Lake][dice.index(4)];
    if let Some(place) = brief.place {
        let floats = brief.subjects.iter().any(|wanted| {
            matches!(
                wanted.subject,
                Subject::Boat | Subject::Whale | Subject::Fish
            )
        });
        return match place {
            Place::Field | Place::Hills if floats => Place::Lake,
            named => named,
        };
    }
    let Some(first) = brief.subjects.first() else {
        return wild;
    };
    match first.subject {
        Subject::Lighthouse | Subject::Boat | Subject::Whale | Subject::Island => Place::Sea,
        Subject::Palm => Place::Beach,
        Subject::Fish => Place::Underwater,
        Subject::Cactus => Place::Desert,
        Subject::Mountain
        | Subject::City
        | Subject::Bridge
        | Subject::Volcano
        | Subject::Waterfall => Place::Lake,
        Subject::Flower | Subject::Tree | Subject::Windmill => Place::Field,
        Subject::Planet => Place::Space,
        _ if brief.shows(Subject::Boat) || brief.shows(Subject::Whale) => Place::Sea,
        Subject::Moon | Subject::Sun | Subject::Bird => wild,
        _ => Place::Hills,
    }
}

fn light(brief: &Brief, place: Place, chance: &Chance) -> Light {
    use crate::vocabulary::Time;
    let dark_sky =
        brief.has(Weather::Aurora) || brief.has(Weather::Stars) || brief.shows(Subject::Moon);
    let time = brief.time.or(dark_sky.then_some(Time::Night));
    let mut light = Light::at(time, Some(place), chance.stream("hour"));
    if brief.shows(Subject::Moon) && !light.moon {
        light.moon = true;
        light.body_height = light.body_height.max(0.5);
    } else if brief.shows(Subject::Moon) {
        light.body_height = 0.5;
    }
    if brief.has(Weather::Clear) {
        // Air without haze: deeper colours, not only fewer clouds.
        light.sky = light.sky.map(|stop| stop.saturate(1.2));
    }
    if brief.shows(Subject::Sun) {
        light.moon = false;
        light.body_height = light.body_height.clamp(0.2, 0.6);
    }
    light
}
