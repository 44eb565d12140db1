//! What every picture is, whatever it shows: exact in size, the same each time, readable in each format.

#![expect(
    clippy::unwrap_used,
    reason = "a picture that cannot be drawn is a failed test"
)]

use ryla_scene::{Format, Picture, SceneError, draw, encode};

const FORMATS: [Format; 3] = [Format::Jpeg, Format::Png, Format::WebP];

fn fox(seed: u64) -> Picture {
    draw("a fox in the snow at dusk, watercolor", "", seed, 160, 120).unwrap()
}

#[test]
fn sizes_are_exact_in_every_format_odd_ones_too() {
    for (width, height) in [(256, 2048), (1040, 272), (16, 16), (33, 517), (512, 512)] {
        let picture = draw("a lighthouse and a fox by the sea", "", 3, width, height).unwrap();
        assert_eq!(picture.as_rgb().len(), (width * height * 3) as usize);
        for format in FORMATS {
            let file = encode(&picture, format).unwrap();
            let read = image::load_from_memory(&file).unwrap();
            assert_eq!((read.width(), read.height()), (width, height), "{format:?}");
        }
    }
}

#[test]
fn every_medium_and_place_bears_the_smallest_and_the_narrowest_picture() {
    let media = [
        "oil",
        "watercolor",
        "pixel art",
        "ink",
        "pencil",
        "photo",
        "poster",
        "linocut",
        "comic",
        "mosaic",
        "blueprint",
    ];
    let places = [
        "sea",
        "lake",
        "beach",
        "field",
        "hills",
        "desert",
        "street",
        "space",
        "underwater",
    ];
    for (index, medium) in media.into_iter().enumerate() {
        let prompt = format!(
            "a whale, a castle and birds, {}, storm, snow, aurora, fog, {medium}",
            places[index % places.len()]
        );
        for (width, height) in [(16, 16), (16, 300), (300, 16)] {
            let picture = draw(&prompt, "", 1, width, height).unwrap();
            assert_eq!((picture.width, picture.height), (width, height), "{prompt}");
        }
    }
}

#[test]
fn lossless_formats_keep_every_pixel() {
    let picture = fox(5);
    for format in [Format::Png, Format::WebP] {
        let read = image::load_from_memory(&encode(&picture, format).unwrap())
            .unwrap()
            .to_rgb8();
        assert_eq!(read.as_raw(), picture.as_rgb(), "{format:?}");
    }
}

#[test]
fn formats_name_themselves() {
    let names: Vec<_> = FORMATS
        .iter()
        .map(|format| (format.content_type(), format.extension()))
        .collect();
    assert_eq!(
        names,
        [
            ("image/jpeg", "jpg"),
            ("image/png", "png"),
            ("image/webp", "webp")
        ]
    );
}

#[test]
fn one_seed_gives_the_same_bytes_alone_and_among_eight_threads() {
    let alone: Vec<_> = (0..8).map(fox).collect();
    let again: Vec<_> = (0..8).map(fox).collect();
    let threads: Vec<_> = (0..8)
        .map(|seed| std::thread::spawn(move || fox(seed)))
        .collect();
    let together: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(alone, again);
    assert_eq!(alone, together);
    for format in FORMATS {
        assert_eq!(
            encode(&alone[0], format).unwrap(),
            encode(&together[0], format).unwrap()
        );
    }
}

#[test]
fn different_seeds_give_different_pictures() {
    let pictures: Vec<_> = (0..12).map(fox).collect();
    for (index, one) in pictures.iter().enumerate() {
        for other in &pictures[..index] {
            let changed = one
                .as_rgb()
                .iter()
                .zip(other.as_rgb())
                .filter(|(a, b)| a.abs_diff(**b) > 6)
                .count();
            assert!(
                changed > one.as_rgb().len() / 10,
                "two seeds look alike: {changed} bytes differ"
            );
        }
    }
}

#[test]
fn a_side_out_of_bounds_is_refused_with_the_limits() {
    for (width, height) in [(15, 512), (512, 4097), (0, 0), (u32::MAX, 64)] {
        let refused = draw("a fox", "", 1, width, height).unwrap_err();
        assert!(matches!(refused, SceneError::Size { .. }));
        let text = refused.to_string();
        assert!(
            text.contains("16")
                && text.contains("4096")
                && text.contains(&format!("{width}x{height}")),
            "{text}"
        );
    }
}

#[test]
fn pixels_outside_the_picture_are_none() {
    let picture = fox(1);
    assert!(picture.pixel(159, 119).is_some());
    assert!(picture.pixel(160, 0).is_none() && picture.pixel(0, 120).is_none());
}

#[test]
fn the_corner_bears_the_mark() {
    // White strokes on a dark pill: the brightest and the darkest of a small patch are far apart.
    for side in [256, 512] {
        let picture = draw("a fox at noon", "", 1, side, side).unwrap();
        let patch = (side * 4 / 5..side).flat_map(|x| (side * 23 / 25..side).map(move |y| (x, y)));
        let bright = patch
            .filter(|(x, y)| {
                picture
                    .pixel(*x, *y)
                    .unwrap()
                    .iter()
                    .all(|channel| *channel > 200)
            })
            .count();
        assert!(bright > 20, "{bright} bright pixels at {side}");
    }
}
