//! The ground of each place, from the far land at the horizon to what the subjects stand on.

mod backdrop;
mod deep;
mod land;
mod orbit;
mod shore;
mod street;
mod water;

pub(crate) use backdrop::paint as paint_backdrop;
pub(crate) use land::front as paint_front;
pub(crate) use shore::islet;
pub(crate) use water::{Afloat, paint as paint_water};

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::terrain::Ridge;
use crate::view::View;
use crate::vocabulary::{Place, Weather};

/// Paints the ground below the horizon and says where feet touch it. Water is painted later: it mirrors the rest.
pub(crate) fn paint_ground(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    match view.place {
        Place::Sea | Place::Lake => Ridge(vec![view.horizon; canvas.columns()]),
        Place::Beach => shore::paint(canvas, view),
        Place::Field | Place::Hills | Place::Desert => land::paint(canvas, view),
        Place::Street => street::paint(canvas, view),
        Place::Space => orbit::paint(canvas, view),
        Place::Underwater => deep::paint(canvas, view),
    }
}

/// The colour of the ground in white light, under snow where it snows.
pub(crate) fn soil(view: &View<'_>) -> Rgb {
    let bare = match view.place {
        Place::Sea | Place::Lake => Rgb::hex(0x6f8f5c),
        Place::Field => Rgb::hex(0x9dbb55),
        Place::Hills => Rgb::hex(0x86ad5f),
        Place::Beach => Rgb::hex(0xf0d7a6),
        Place::Desert => Rgb::hex(0xe9b56c),
        Place::Street => Rgb::hex(0x8a8c98),
        Place::Space => Rgb::hex(0xa9a4b4),
        Place::Underwater => Rgb::hex(0xcfc9a0),
    };
    if view.brief.has(Weather::Snow) {
        bare.mix(Rgb::hex(0xf3f7fc), 0.85)
    } else {
        bare
    }
}
