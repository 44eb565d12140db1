//! Draws the sheet of sample pictures that the README shows: `cargo run -p ryla-scene --example sheet -- OUT.png`.
//!
//! Twelve prompts in a grid of four by three, each with its prompt below it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "pixel maths: sizes below 4097 and sums of bytes divided back into a byte"
)]

use std::path::PathBuf;

use image::{ImageEncoder, Rgb, RgbImage, codecs::png};
use tiny_skia::{LineCap, LineJoin, Paint, Pixmap, Shader, Stroke, Transform};

#[path = "../src/lettering.rs"]
mod lettering;

/// The prompts, each with the seed that shows it well.
const PROMPTS: [(&str, u64); 12] = [
    ("a lighthouse at dusk", 3),
    ("a fox in a forest, golden hour", 4),
    ("mountains by a lake, morning fog", 2),
    ("a neon city at dusk, rain", 5),
    ("a castle on the hills, oil painting", 6),
    ("hot air balloons at dawn, pastel", 1),
    ("a cabin in the snow under the aurora", 9),
    ("a sailboat at sunset, watercolor", 8),
    ("a whale underwater, teal", 12),
    ("a robot in a field, poster", 11),
    ("a rocket and a planet in space", 2),
    ("a windmill, linocut, red", 14),
];

const COLUMNS: u32 = 4;
/// The side of one picture, in pixels.
const SIDE: u32 = 368;
/// How many times larger than shown each picture is drawn.
const FINER: u32 = 3;
const GAP: u32 = 20;
/// The height of a caption with its margins.
const CAPTION: u32 = 34;
const PAPER: Rgb<u8> = Rgb([250, 248, 244]);
const INK: [u8; 3] = [62, 60, 68];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("say where to write: sheet OUT.png")?;
    let rows = (PROMPTS.len() as u32).div_ceil(COLUMNS);
    let (width, height) = (
        GAP + COLUMNS * (SIDE + GAP),
        GAP + rows * (SIDE + CAPTION + GAP / 2),
    );
    let mut sheet = RgbImage::from_pixel(width, height, PAPER);
    for (index, (prompt, seed)) in (0_u32..).zip(PROMPTS) {
        let (left, top) = (
            GAP + index % COLUMNS * (SIDE + GAP),
            GAP + index / COLUMNS * (SIDE + CAPTION + GAP / 2),
        );
        let picture = ryla_scene::draw(prompt, "", seed, SIDE * FINER, SIDE * FINER)?;
        for y in 0..SIDE {
            for x in 0..SIDE {
                sheet.put_pixel(left + x, top + y, reduced(&picture, x, y));
            }
        }
        caption(&mut sheet, prompt, left, top + SIDE);
    }
    let mut file = Vec::new();
    png::PngEncoder::new_with_quality(
        &mut file,
        png::CompressionType::Best,
        png::FilterType::Adaptive,
    )
    .write_image(&sheet, width, height, image::ExtendedColorType::Rgb8)?;
    std::fs::write(out, file)?;
    Ok(())
}

/// The mean of a block of pixels: drawn larger than shown, a picture loses its grain, most of a PNG's bytes.
fn reduced(picture: &ryla_scene::Picture, x: u32, y: u32) -> Rgb<u8> {
    let block = (0..FINER)
        .flat_map(|row| (0..FINER).map(move |column| (x * FINER + column, y * FINER + row)));
    let pixels: Vec<_> = block.filter_map(|(x, y)| picture.pixel(x, y)).collect();
    Rgb([0, 1, 2].map(|channel| {
        let sum: u32 = pixels.iter().map(|pixel| u32::from(pixel[channel])).sum();
        // The lowest bit is the noise that is left; without it the file is a fifth smaller.
        (sum / (FINER * FINER)) as u8 & 0xfe
    }))
}

/// Writes one line of text, centred below its picture.
fn caption(sheet: &mut RgbImage, text: &str, left: u32, top: u32) {
    let grid = 1.62_f32.min((SIDE as f32 - 4.0) / lettering::width(text));
    let (Some(path), Some(mut line)) = (lettering::line(text), Pixmap::new(SIDE, CAPTION)) else {
        return;
    };
    let ink = tiny_skia::Color::from_rgba8(INK[0], INK[1], INK[2], 255);
    let paint = Paint {
        shader: Shader::SolidColor(ink),
        anti_alias: true,
        ..Paint::default()
    };
    let stroke = Stroke {
        width: 0.92,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    let lower = (CAPTION as f32 - lettering::TALL * grid) / 2.0;
    let start = (SIDE as f32 - lettering::width(text) * grid) / 2.0;
    line.stroke_path(
        &path,
        &paint,
        &stroke,
        Transform::from_row(grid, 0.0, 0.0, grid, start, lower),
        None,
    );
    for (index, pixel) in (0_u32..).zip(line.pixels()) {
        let (x, y) = (left + index % SIDE, top + index / SIDE);
        let cover = u32::from(pixel.alpha());
        if cover > 0 && y < sheet.height() {
            let Rgb(under) = *sheet.get_pixel(x, y);
            let over = |paper: u8, ink: u8| {
                ((u32::from(ink) * cover + u32::from(paper) * (255 - cover)) / 255) as u8
            };
            sheet.put_pixel(
                x,
                y,
                Rgb([
                    over(under[0], INK[0]),
                    over(under[1], INK[1]),
                    over(under[2], INK[2]),
                ]),
            );
        }
    }
}
