//! That pictures show what prompts say: time is light, palettes are hue, subjects are form.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::many_single_char_names,
    reason = "measurements on small pictures; a picture that cannot be drawn is a failed test"
)]

use ryla_scene::{Picture, draw};

const SIDE: u32 = 128;

fn picture(prompt: &str, seed: u64) -> Picture {
    draw(prompt, "", seed, SIDE, SIDE).unwrap()
}

fn luma(picture: &Picture) -> Vec<f32> {
    let weigh = |rgb: &[u8]| {
        0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
    };
    picture.as_rgb().chunks_exact(3).map(weigh).collect()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

fn difference(one: &Picture, other: &Picture) -> f32 {
    let distances: Vec<_> = one
        .as_rgb()
        .iter()
        .zip(other.as_rgb())
        .map(|(a, b)| f32::from(a.abs_diff(*b)))
        .collect();
    mean(&distances)
}

/// The mean hue as a vector on the colour circle (red points along x), weighted by saturation.
fn hue(picture: &Picture) -> (f32, f32) {
    let (mut x, mut y) = (0.0, 0.0);
    for rgb in picture.as_rgb().chunks_exact(3) {
        let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(f32::from);
        x += r - f32::midpoint(g, b);
        y += (g - b) * 3.0_f32.sqrt() / 2.0;
    }
    (x, y)
}

/// How far the mean hue lies from red, in radians: 0 is red, pi is cyan.
fn from_red(picture: &Picture) -> f32 {
    let (x, y) = hue(picture);
    y.atan2(x).abs()
}

#[test]
fn night_is_darker_than_noon_by_sixty_of_255() {
    for subject in [
        "lighthouse",
        "mountain",
        "cat",
        "city",
        "boat",
        "forest",
        "robot",
        "castle",
    ] {
        for seed in [1, 2, 3] {
            let noon = mean(&luma(&picture(&format!("a {subject} at noon"), seed)));
            let night = mean(&luma(&picture(&format!("a {subject} at night"), seed)));
            assert!(
                noon - night >= 60.0,
                "{subject}, seed {seed}: noon {noon}, night {night}"
            );
        }
    }
}

#[test]
fn red_moves_the_mean_hue_towards_red() {
    for subject in ["lighthouse", "mountain", "cat", "whale"] {
        for seed in [1, 2, 3] {
            let plain = from_red(&picture(&format!("a {subject} at noon"), seed));
            let red = from_red(&picture(&format!("a red {subject} at noon"), seed));
            let blue = from_red(&picture(&format!("a blue {subject} at noon"), seed));
            assert!(
                red < 0.5 && red < plain - 0.5 && red < blue - 1.5,
                "{subject}: {red}, plain {plain}, blue {blue}"
            );
        }
    }
}

/// The strongest tenth of a picture's outlines, from luma stretched to its own mean and spread.
fn outlines(picture: &Picture) -> Vec<bool> {
    let tones = luma(picture);
    let centre = mean(&tones);
    let spread = mean(
        &tones
            .iter()
            .map(|tone| (tone - centre) * (tone - centre))
            .collect::<Vec<_>>(),
    )
    .sqrt();
    let side = SIDE as usize;
    let at = |x: usize, y: usize| (tones[y * side + x] - centre) / spread;
    let mut strengths = vec![0.0; side * side];
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let across = at(x + 1, y - 1) + 2.0 * at(x + 1, y) + at(x + 1, y + 1)
                - at(x - 1, y - 1)
                - 2.0 * at(x - 1, y)
                - at(x - 1, y + 1);
            let down = at(x - 1, y + 1) + 2.0 * at(x, y + 1) + at(x + 1, y + 1)
                - at(x - 1, y - 1)
                - 2.0 * at(x, y - 1)
                - at(x + 1, y - 1);
            strengths[y * side + x] = across.hypot(down);
        }
    }
    let mut order = strengths.clone();
    order.sort_by(f32::total_cmp);
    let limit = order[order.len() * 9 / 10];
    strengths.iter().map(|strength| *strength > limit).collect()
}

/// The share of the outlines of two pictures that lie on each other, to within one pixel.
fn shared_outlines(one: &Picture, other: &Picture) -> f32 {
    let (one, other) = (outlines(one), outlines(other));
    let side = SIDE as usize;
    let covered = |from: &[bool], by: &[bool]| {
        let points: Vec<_> = (0..side * side).filter(|index| from[*index]).collect();
        let near = |index: &&usize| {
            let (x, y) = (**index % side, **index / side);
            (y.saturating_sub(1)..(y + 2).min(side))
                .any(|y| (x.saturating_sub(1)..(x + 2).min(side)).any(|x| by[y * side + x]))
        };
        points.iter().filter(near).count() as f32 / points.len() as f32
    };
    f32::midpoint(covered(&one, &other), covered(&other, &one))
}

#[test]
fn two_subjects_differ_in_their_outlines_and_two_palettes_do_not() {
    let subjects = ["castle", "cat", "robot", "cabin", "fox", "person"];
    for (index, subject) in subjects.into_iter().enumerate() {
        let other = subjects[(index + 1) % subjects.len()];
        for seed in [1, 2] {
            let here = |words: &str| picture(&format!("{words} on hills at noon"), seed);
            let recoloured = shared_outlines(
                &here(&format!("a red {subject}")),
                &here(&format!("a blue {subject}")),
            );
            let replaced = shared_outlines(
                &here(&format!("a red {subject}")),
                &here(&format!("a red {other}")),
            );
            assert!(
                recoloured > 0.9,
                "{subject}: only {recoloured} of the outlines survive a change of colour"
            );
            assert!(
                1.0 - replaced > 0.08 + 3.0 * (1.0 - recoloured),
                "{subject} and {other} share {replaced}, two palettes {recoloured}"
            );
        }
    }
}

#[test]
fn the_negative_prompt_removes_what_it_names() {
    let bare = draw("a tree in a field at noon", "", 4, SIDE, SIDE).unwrap();
    for (prompt, negative) in [
        ("a tree and a robot in a field at noon", "robots"),
        ("a tree in a field at noon, rain", "rain"),
        ("a tree in a red field at noon", "red"),
    ] {
        let with = draw(prompt, "", 4, SIDE, SIDE).unwrap();
        let without = draw(prompt, negative, 4, SIDE, SIDE).unwrap();
        let (kept, left) = (difference(&with, &bare), difference(&without, &bare));
        // What remains is the wording's own small variation.
        assert!(
            left < kept * 0.7 && left < 7.0,
            "{prompt} without {negative}: {left} from the bare one, {kept} with it"
        );
    }
}

#[test]
fn clouds_in_the_negative_prompt_leave_a_clear_sky() {
    for seed in 1..4 {
        let draw = |words: &str, negative: &str| {
            draw(
                &format!("hills at noon, {words}"),
                negative,
                seed,
                SIDE,
                SIDE,
            )
            .unwrap()
        };
        let clear = draw("clear", "");
        let (with, without) = (
            difference(&draw("clouds", ""), &clear),
            difference(&draw("clouds", "clouds"), &clear),
        );
        assert!(
            without < with * 0.6,
            "seed {seed}: {without} from a clear sky, {with} with the clouds"
        );
        // The few that nobody asked for go as well.
        assert!(difference(&draw("", "clouds"), &clear) < with * 0.6);
    }
}

#[test]
fn a_palette_word_keeps_the_composition_and_an_unknown_word_moves_it() {
    let plain = picture("a cabin at noon", 6);
    let same = shared_outlines(&plain, &picture("a teal cabin at noon", 6));
    let moved = shared_outlines(&plain, &picture("a quixotic cabin at noon", 6));
    assert!(
        same > 0.8 && moved < same - 0.2,
        "{same} shared with the palette, {moved} with the unknown word"
    );
}

#[test]
fn two_prompts_never_give_the_same_picture() {
    let prompts = [
        "",
        "quiet",
        "serendipity",
        "a fox",
        "the fox",
        "fox, fox",
        "dusk",
        "evening",
        "a fox and a cat",
        "a cat and a fox",
    ];
    for (index, one) in prompts.iter().enumerate() {
        for other in &prompts[..index] {
            assert!(
                difference(&picture(one, 5), &picture(other, 5)) > 0.5,
                "{one:?} and {other:?} look the same"
            );
        }
    }
}

#[test]
fn two_subjects_of_one_prompt_both_appear() {
    let both = picture("a cat and a balloon on hills at noon", 3);
    for lone in ["a cat on hills at noon", "a balloon on hills at noon"] {
        let shared = shared_outlines(&both, &picture(lone, 3));
        assert!(shared > 0.4, "{lone}: {shared}");
        assert!(difference(&both, &picture(lone, 3)) > 2.0, "{lone}");
    }
}
