//! Rules for the tree as a whole: who imports whom, what is linked, how long a file may be.

mod dependencies;
mod imports;
mod shape;

use std::path::{Path, PathBuf};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// The text of a file of the repository.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders of the workspace's members, as Cargo.toml names them.
pub(crate) fn members() -> Vec<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| member.as_str().unwrap().to_owned())
        .collect()
}

/// Our own files with one of these endings, without what tools make.
fn sources(endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root(), endings, &mut found);
    found.sort();
    assert!(found.len() > 20, "the walk finds the tree");
    found
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let made = matches!(name.as_str(), "target" | "node_modules" | "__pycache__");
            // `.ci` and `.cargo` hold no sources; what else begins with a dot, tools have made.
            if !made && !name.starts_with('.') {
                collect(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}
