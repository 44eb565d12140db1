//! Pushes the finished picture towards the colours that the prompt names.

use crate::canvas::Canvas;
use crate::color::{Rgb, ramp};
use crate::curve::smooth;
use crate::vocabulary::Palette;

/// How far a named hue replaces the picture's own colours.
const HUE_STRENGTH: f32 = 0.78;

/// Grades the whole canvas. Two hues share it: the first takes the shadows, the last the lights.
pub(crate) fn grade(canvas: &mut Canvas, palettes: &[Palette]) {
    let hues: Vec<[Rgb; 5]> = palettes
        .iter()
        .filter_map(|palette| tones(*palette))
        .collect();
    if let (Some(first), Some(last)) = (hues.first(), hues.last()) {
        let stops = [
            first[0],
            first[1],
            first[2].mix(last[2], 0.5),
            last[3],
            last[4],
        ];
        tint(canvas, &stops, HUE_STRENGTH);
    }
    for palette in palettes {
        manner(canvas, *palette);
    }
}

/// From its shadow to its light, for the palettes that are one hue.
fn tones(palette: Palette) -> Option<[Rgb; 5]> {
    let stops = match palette {
        Palette::Red => [0x1c0509, 0x641019, 0xc2252a, 0xf0644e, 0xffe0cc],
        Palette::Orange => [0x1e0d05, 0x6e2a0c, 0xd2661c, 0xf7a54b, 0xffedcf],
        Palette::Gold => [0x1c1405, 0x664a0c, 0xc79a1e, 0xf3cf57, 0xfff6d3],
        Palette::Green => [0x06160d, 0x11472c, 0x2f8f4e, 0x86c96f, 0xeaf9d6],
        Palette::Teal => [0x03161a, 0x0a454d, 0x188c8f, 0x66c9bd, 0xdcf8ee],
        Palette::Blue => [0x040b22, 0x0f2f74, 0x2466c4, 0x73aef0, 0xe0f0ff],
        Palette::Purple => [0x100722, 0x3a1b6e, 0x7540bd, 0xb48ae8, 0xf0e4ff],
        Palette::Pink => [0x22081a, 0x7a1d56, 0xd9468f, 0xf791bb, 0xffe6ef],
        Palette::Brown => [0x140c08, 0x4a2e1e, 0x8f6242, 0xc79d74, 0xf3e4cf],
        Palette::Pastel
        | Palette::Monochrome
        | Palette::Neon
        | Palette::Sepia
        | Palette::Warm
        | Palette::Cold
        | Palette::Vivid
        | Palette::Muted => return None,
    };
    Some(stops.map(Rgb::hex))
}

/// The palettes that are a manner rather than a hue.
fn manner(canvas: &mut Canvas, palette: Palette) {
    match palette {
        Palette::Pastel => {
            let milk = Rgb::hex(0xfff4f2);
            canvas.map(|_, _, color| color.saturate(0.85).mix(milk, 0.38));
        }
        Palette::Monochrome => canvas.map(|_, _, color| Rgb::gray(contrast(color.luma(), 0.35))),
        Palette::Neon => {
            let stops = [0x07031c, 0x180a4a, 0x3a1590, 0x9a22b4, 0xff3fa4, 0x86f6ff].map(Rgb::hex);
            // A ramp this dark needs its middle lifted, or a night would be black.
            canvas.map(|_, _, color| color.screen(color.scale(0.4)));
            tint(canvas, &stops, 0.82);
            canvas.map(|_, _, color| color.saturate(1.12));
        }
        Palette::Sepia => {
            let stops = [0x1d120a, 0x54381f, 0x9a7248, 0xd6b588, 0xf8ead0].map(Rgb::hex);
            tint(canvas, &stops, 0.94);
        }
        Palette::Warm => canvas.map(|_, _, color| {
            color
                .times(Rgb::new(1.12, 1.0, 0.78))
                .plus(Rgb::new(0.03, 0.012, 0.0))
        }),
        Palette::Cold => canvas.map(|_, _, color| {
            color
                .saturate(0.85)
                .times(Rgb::new(0.82, 0.97, 1.12))
                .plus(Rgb::new(0.0, 0.01, 0.035))
        }),
        Palette::Vivid => canvas.map(|_, _, color| {
            let strong = color.saturate(1.55);
            Rgb::new(
                contrast(strong.r, 0.3),
                contrast(strong.g, 0.3),
                contrast(strong.b, 0.3),
            )
        }),
        Palette::Muted => {
            canvas.map(|_, _, color| color.saturate(0.48).mix(Rgb::hex(0x9a958e), 0.16));
        }
        _ => {}
    }
}

fn contrast(level: f32, amount: f32) -> f32 {
    level + (smooth(0.0, 1.0, level) - level) * amount
}

/// Replaces colours by those of a ramp at the same luma.
fn tint(canvas: &mut Canvas, stops: &[Rgb], strength: f32) {
    let table: Vec<Rgb> = (0..=255_u8)
        .map(|level| ramp(stops, f32::from(level) / 255.0))
        .collect();
    canvas.map(|_, _, color| {
        let level = (color.luma().clamp(0.0, 1.0) * 255.0) as usize;
        table
            .get(level)
            .map_or(color, |tone| color.mix(*tone, strength))
    });
}
