//! What bytes from outside may do to the parsers. Each target takes bytes, hands them to the code that
//! reads such bytes in production, and panics where a promise is broken. `fuzz/run` drives the targets with
//! libFuzzer, `cargo test` replays their corpora; nothing else may call them.

mod callbacks;
mod files;
mod pictures;
mod requests;
mod rows;
mod signatures;
mod tokens;
mod world;

#[cfg(test)]
mod tests;

/// Takes bytes; panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("callbacks", callbacks::run),
    ("files", files::run),
    ("pictures", pictures::run),
    ("requests", requests::run),
    ("rows", rows::run),
    ("signatures", signatures::run),
    ("tokens", tokens::run),
];

/// Runs the target of that name, for the programs of `fuzz/libfuzzer`.
///
/// # Panics
///
/// Where a promise is broken, and for a name that no target has.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(target.is_some(), "there is a target {name}");
    if let Some((_, target)) = target {
        target(data);
    }
}
