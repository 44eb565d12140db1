//! Outlines from lists of points. `None` where the points enclose nothing, which paints nothing.

use tiny_skia::{Path, PathBuilder, Rect};

pub(crate) fn polygon(points: &[(f32, f32)]) -> Option<Path> {
    let mut path = PathBuilder::new();
    trace(&mut path, points);
    path.close();
    path.finish()
}

/// Several polygons as one outline: one pass of the rasteriser for a whole wood.
pub(crate) fn polygons<'a>(all: impl IntoIterator<Item = &'a [(f32, f32)]>) -> Option<Path> {
    let mut path = PathBuilder::new();
    for points in all {
        trace(&mut path, points);
        path.close();
    }
    path.finish()
}

pub(crate) fn polyline(points: &[(f32, f32)]) -> Option<Path> {
    let mut path = PathBuilder::new();
    trace(&mut path, points);
    path.finish()
}

pub(crate) fn oval(x: f32, y: f32, rx: f32, ry: f32) -> Option<Path> {
    PathBuilder::from_oval(Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry)?)
}

/// A closed smooth outline through the points: living things.
pub(crate) fn blob(points: &[(f32, f32)]) -> Option<Path> {
    let count = points.len();
    let at = |index: usize| points.get(index % count.max(1)).copied();
    let mut path = PathBuilder::new();
    let (x, y) = at(0)?;
    path.move_to(x, y);
    for index in 0..count {
        bend(
            &mut path,
            [
                at(index + count - 1)?,
                at(index)?,
                at(index + 1)?,
                at(index + 2)?,
            ],
        );
    }
    path.close();
    path.finish()
}

/// An open smooth line through the points.
pub(crate) fn thread(points: &[(f32, f32)]) -> Option<Path> {
    let last = points.len().checked_sub(1)?;
    let at = |index: usize| points.get(index.min(last)).copied();
    let mut path = PathBuilder::new();
    let (x, y) = at(0)?;
    path.move_to(x, y);
    for index in 0..last {
        bend(
            &mut path,
            [
                at(index.saturating_sub(1))?,
                at(index)?,
                at(index + 1)?,
                at(index + 2)?,
            ],
        );
    }
    path.finish()
}

/// One span of a Catmull-Rom spline, from the second point to the third, as a cubic.
fn bend(path: &mut PathBuilder, [before, from, to, after]: [(f32, f32); 4]) {
    path.cubic_to(
        from.0 + (to.0 - before.0) / 6.0,
        from.1 + (to.1 - before.1) / 6.0,
        to.0 - (after.0 - from.0) / 6.0,
        to.1 - (after.1 - from.1) / 6.0,
        to.0,
        to.1,
    );
}

fn trace(path: &mut PathBuilder, points: &[(f32, f32)]) {
    for (index, (x, y)) in points.iter().enumerate() {
        if index == 0 {
            path.move_to(*x, *y);
        } else {
            path.line_to(*x, *y);
        }
    }
}

/// A rectangle with round corners.
pub(crate) fn pill(left: f32, top: f32, right: f32, bottom: f32, radius: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.quad_to(right, top, right, top + radius);
    path.line_to(right, bottom - radius);
    path.quad_to(right, bottom, right - radius, bottom);
    path.line_to(left + radius, bottom);
    path.quad_to(left, bottom, left, bottom - radius);
    path.line_to(left, top + radius);
    path.quad_to(left, top, left + radius, top);
    path.close();
    path.finish()
}
