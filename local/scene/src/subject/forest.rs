//! A wood of pines in three depths, each nearer row taller and darker.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;
use crate::terrain::pine;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let air = brush.air;
    for row in 0..4_u8 {
        let near = f32::from(row) / 3.0;
        brush.air = air + mix(0.62, 0.0, near);
        let tall = mix(0.86, 0.94, near);
        let gap = mix(0.10, 0.19, near);
        let mut trees = Vec::new();
        let mut lit = Vec::new();
        let mut x = -3.4;
        while x < 3.4 {
            let grown = tall * dice.between(0.62, 1.06);
            let foot = mix(-0.10, 0.03, near);
            let outline = pine(dice, x, foot, grown);
            // The half that faces the light.
            lit.push(
                outline
                    .iter()
                    .map(|(px, py)| (px.min(x + 0.004), *py))
                    .collect::<Vec<_>>(),
            );
            trees.push(outline);
            x += gap * dice.between(0.7, 1.3);
        }
        let needle = Rgb::hex(0x3d7560).mix(Rgb::hex(0x2c5a4a), near);
        brush.fill(
            crate::shape::polygons(trees.iter().map(Vec::as_slice)),
            Fill::Fade(needle.scale(0.95), needle.scale(0.55)),
        );
        brush.fill(
            crate::shape::polygons(lit.iter().map(Vec::as_slice)),
            Fill::Fade(needle.scale(1.35), needle.scale(0.75)),
        );
    }
    brush.air = air;
}
