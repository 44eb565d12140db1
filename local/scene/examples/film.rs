//! Writes a film, to be looked at in a player: `cargo run -p ryla-scene --example film -- OUT.mp4`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a tool for people")]

fn main() {
    let out = std::env::args().nth(1).expect("OUT.mp4");
    let picture = ryla_scene::draw("a lighthouse at dusk", "", 7, 576, 768).unwrap();
    let film = ryla_scene::film(&picture, 300, 30, 1.0).unwrap();
    std::fs::write(out, film).unwrap();
}
