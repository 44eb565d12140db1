//! How long files may be: mains only wire, and nobody has to scroll through a thousand lines.

use super::{members, read, root, sources};

const LONGEST_MAIN: usize = 40;
const LONGEST_FILE: usize = 500;

#[test]
fn the_mains_of_the_functions_are_wiring_of_forty_lines_at_most() {
    let functions: Vec<String> = members()
        .into_iter()
        .filter(|folder| folder.starts_with("functions/"))
        .collect();
    assert_eq!(functions.len(), 6, "{functions:?}");
    for folder in functions {
        let main = read(format!("{folder}/src/main.rs"));
        let lines = main.lines().count();
        assert!(
            lines <= LONGEST_MAIN,
            "{folder}/src/main.rs has {lines} lines"
        );
        let branches = ["match ", "loop ", "while ", "for "];
        let logic: Vec<&str> = main
            .lines()
            .filter(|line| {
                branches
                    .iter()
                    .any(|word| line.trim_start().starts_with(word))
            })
            .collect();
        assert!(
            logic.is_empty(),
            "{folder}/src/main.rs decides something: {logic:?}"
        );
    }
}

#[test]
fn no_source_file_is_longer_than_five_hundred_lines() {
    let mut long = Vec::new();
    for path in sources(&[".rs", ".py", ".ts", ".tsx", ".js", ".css", ".html"]) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        if lines > LONGEST_FILE {
            let path = path.strip_prefix(root()).unwrap().display();
            long.push(format!("{path}: {lines}"));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
