//! The order of the layers, from the sky to the mark in the corner.

use crate::brief::Brief;
use crate::canvas::Canvas;
use crate::stage::{self, Lights};
use crate::view::View;
use crate::vocabulary::{Place, Weather};
use crate::{
    Picture, SceneError, clouds, finish, glow, mark, medium, palette, place, sky, weather,
};

/// Draws what `brief` asks for. `width` and `height` have been checked.
pub(crate) fn paint(
    brief: &Brief,
    seed: u64,
    width: u32,
    height: u32,
) -> Result<Picture, SceneError> {
    let view = View::compose(brief, seed, width, height);
    let mut canvas = Canvas::opaque(width, height)?;
    let mut lights = Lights::default();
    sky::paint(&mut canvas, &view);
    clouds::paint(&mut canvas, &view);
    // Space and the deep have their ground behind everything; elsewhere it hides the foot of what is far.
    let enclosed = matches!(view.place, Place::Space | Place::Underwater);
    let early = enclosed.then(|| place::paint_ground(&mut canvas, &view));
    place::paint_backdrop(&mut canvas, &view);
    stage::backdrop(&mut canvas, &view, &mut lights);
    stage::flying(&mut canvas, &view, &mut lights);
    let footing = early.unwrap_or_else(|| place::paint_ground(&mut canvas, &view));
    if view.on_water() {
        let afloat = stage::afloat(&view, width, height, &mut lights)?;
        place::paint_water(&mut canvas, &view, &afloat);
        canvas.cover_with(&afloat.layer);
    } else {
        stage::grounded(&mut canvas, &view, &footing, &mut lights);
    }
    place::paint_front(&mut canvas, &view);
    shine(&mut canvas, &view, &lights);
    weather::paint(&mut canvas, &view);
    palette::grade(&mut canvas, &brief.palettes);
    medium::render(&mut canvas, &view)?;
    finish::paint(&mut canvas, &view, medium::grain(brief.medium));
    mark::paint(&mut canvas);
    Ok(canvas.finish())
}

/// Lamps, and the beams of a lighthouse wherever it is dark or thick enough to see them.
fn shine(canvas: &mut Canvas, view: &View<'_>, lights: &Lights) {
    for light in &lights.glows {
        glow::shine(canvas, light);
    }
    let thick = view.brief.has(Weather::Fog)
        || view.brief.has(Weather::Storm)
        || view.brief.has(Weather::Rain);
    let strength = if thick {
        view.light.lamps.max(0.7)
    } else {
        view.light.lamps
    };
    if strength < 0.3 {
        return;
    }
    for lamp in &lights.beacons {
        let open = if lamp.0 > view.width / 2.0 { -1.0 } else { 1.0 };
        let warm = crate::brush::LAMPLIGHT.mix(crate::color::Rgb::WHITE, 0.35);
        let reach = view.width.max(view.unit) * 0.78;
        glow::beam(
            canvas,
            *lamp,
            (open * 0.988, -0.155),
            reach,
            warm.scale(0.62 * strength),
        );
        glow::beam(
            canvas,
            *lamp,
            (-open * 0.988, 0.155),
            reach * 0.55,
            warm.scale(0.45 * strength),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::paint;
    use crate::brief::Brief;
    use crate::vocabulary::VOCABULARY;

    /// The mean difference that a word makes to the picture of `base`, with both fingerprints held still.
    fn effect(base: &str, word: &str) -> f32 {
        let without = Brief::read(base, "");
        let with = Brief {
            flavour: without.flavour,
            wording: without.wording,
            ..Brief::read(&format!("{base}, {word}"), "")
        };
        let [one, other] = [without, with].map(|brief| paint(&brief, 8, 72, 72).unwrap());
        let sum: u32 = one
            .as_rgb()
            .iter()
            .zip(other.as_rgb())
            .map(|(a, b)| u32::from(a.abs_diff(*b)))
            .sum();
        sum as f32 / one.as_rgb().len() as f32
    }

    #[test]
    fn every_word_of_the_vocabulary_changes_the_picture_by_its_meaning() {
        for (word, _) in VOCABULARY {
            // A fox stands on hills and a lighthouse by the sea in any case, so each word has two chances.
            let most = effect("a fox", word).max(effect("a lighthouse", word));
            assert!(most > 0.5, "{word} changes the picture by {most} of 255");
        }
    }
}
