//! Turns the finished scene into what the medium would have made of it: paint, print, pencil or pixels.

mod comic;
mod edges;
mod glass;
mod hatching;
mod lens;
mod oil;
mod pixels;
mod print;
mod watercolor;

use crate::SceneError;
use crate::canvas::Canvas;
use crate::view::View;
use crate::vocabulary::Medium;

pub(crate) fn render(canvas: &mut Canvas, view: &View<'_>) -> Result<(), SceneError> {
    match view.brief.medium {
        None => {}
        Some(Medium::Watercolor) => watercolor::paint(canvas, view)?,
        Some(Medium::Oil) => oil::paint(canvas, view)?,
        Some(Medium::PixelArt) => pixels::paint(canvas, view),
        Some(Medium::Ink) => hatching::ink(canvas, view),
        Some(Medium::Pencil) => hatching::pencil(canvas, view),
        Some(Medium::Photo) => lens::paint(canvas, view),
        Some(Medium::Poster) => print::poster(canvas, view),
        Some(Medium::Linocut) => print::linocut(canvas, view),
        Some(Medium::Comic) => comic::paint(canvas, view),
        Some(Medium::StainedGlass) => glass::paint(canvas, view)?,
        Some(Medium::Blueprint) => hatching::blueprint(canvas, view),
    }
    Ok(())
}

/// How much of the ordinary grain the medium leaves.
pub(crate) fn grain(medium: Option<Medium>) -> f32 {
    match medium {
        None | Some(Medium::Poster) => 1.0,
        Some(Medium::Photo) => 1.6,
        Some(Medium::PixelArt | Medium::StainedGlass) => 0.0,
        Some(_) => 0.5,
    }
}
