//! Imports go one way. The rule is the table of docs/ARCHITECTURE.md; manifests and sources are held
//! against it.

use super::{members, read, root, sources};
use std::collections::{BTreeMap, BTreeSet};

/// What each member may import, by the table of docs/ARCHITECTURE.md. Every crate of ours is written
/// as its folder.
struct Rule {
    rows: Vec<(String, String)>,
    members: Vec<String>,
}

/// One member as its manifest and its sources have it.
struct Member {
    folder: String,
    /// Folders of what `[dependencies]` names.
    imports: BTreeSet<String>,
    /// Folders of what `[dev-dependencies]` names.
    tested_with: BTreeSet<String>,
    /// Folders of what the sources name.
    named: BTreeSet<String>,
}

impl Rule {
    fn read(page: &str, members: Vec<String>) -> Self {
        let mut rows = Vec::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [folder, _, may] = cells[..] else {
                panic!("a row of the table has three cells: {line}");
            };
            rows.push((folder.trim_matches('`').to_owned(), may.to_owned()));
        }
        assert!(rows.len() >= 8, "the table is found: {rows:?}");
        Self { rows, members }
    }

    /// The members that a row's first cell means.
    fn meant(&self, cell: &str) -> BTreeSet<String> {
        let matching = self
            .members
            .iter()
            .filter(|member| match cell.strip_suffix("/*") {
                Some(folder) => member.starts_with(&format!("{folder}/")),
                None => *member == cell,
            });
        matching.cloned().collect()
    }

    fn allowed(&self, folder: &str) -> BTreeSet<String> {
        let row = self
            .rows
            .iter()
            .position(|(cell, _)| self.meant(cell).contains(folder));
        let row = row.unwrap_or_else(|| panic!("docs/ARCHITECTURE.md has no row for {folder}"));
        let mut allowed = BTreeSet::new();
        for word in self.rows[row].1.split(',').map(str::trim) {
            match word {
                "nothing of ours" => {}
                "all of shared" => allowed.extend(self.meant("shared/*")),
                "everything" => allowed.extend(self.members.iter().cloned()),
                "all of the above" => {
                    for (cell, _) in &self.rows[..row] {
                        allowed.extend(self.meant(cell));
                    }
                }
                name => {
                    let meant =
                        [self.meant(name), self.meant(&format!("shared/{name}"))].concat_sets();
                    assert!(
                        !meant.is_empty(),
                        "the table names {name:?}, which is no folder"
                    );
                    allowed.extend(meant);
                }
            }
        }
        allowed
    }

    /// What a member does against the rule, in words.
    fn breaches(&self, member: &Member) -> Vec<String> {
        let allowed = self.allowed(&member.folder);
        let testing = BTreeSet::from(["shared/testing".to_owned()]);
        let in_tests = &allowed | &testing;
        let mut breaches = Vec::new();
        for (what, names, may) in [
            ("depends on", &member.imports, &allowed),
            ("is tested with", &member.tested_with, &in_tests),
            ("names", &member.named, &in_tests),
        ] {
            for name in names.difference(may).filter(|name| **name != member.folder) {
                breaches.push(format!("{} {what} {name}", member.folder));
            }
        }
        breaches
    }
}

trait ConcatSets {
    fn concat_sets(self) -> BTreeSet<String>;
}

impl ConcatSets for [BTreeSet<String>; 2] {
    fn concat_sets(self) -> BTreeSet<String> {
        self.into_iter().flatten().collect()
    }
}

/// Folders of our crates by package name, such as `ryla-aws`.
fn packages() -> BTreeMap<String, String> {
    let name = |folder: &String| {
        let manifest: toml::Table = read(format!("{folder}/Cargo.toml")).parse().unwrap();
        manifest["package"]["name"].as_str().unwrap().to_owned()
    };
    members()
        .into_iter()
        .map(|folder| (name(&folder), folder))
        .collect()
}

fn member(folder: &str, packages: &BTreeMap<String, String>) -> Member {
    let manifest: toml::Table = read(format!("{folder}/Cargo.toml")).parse().unwrap();
    let ours = |table: &str| -> BTreeSet<String> {
        let table = manifest.get(table).and_then(toml::Value::as_table);
        let names = table.into_iter().flat_map(toml::Table::keys);
        names
            .filter_map(|name| packages.get(name).cloned())
            .collect()
    };
    let below = root().join(folder).join("src");
    let mut named = BTreeSet::new();
    for path in sources(&[".rs"])
        .into_iter()
        .filter(|path| path.starts_with(&below))
    {
        let text = std::fs::read_to_string(path).unwrap();
        for package in crates_named_in(&text) {
            named.extend(packages.get(&package).cloned());
        }
    }
    Member {
        folder: folder.to_owned(),
        imports: ours("dependencies"),
        tested_with: ours("dev-dependencies"),
        named,
    }
}

/// Packages of the crates whose paths stand in a source, comments left out.
fn crates_named_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
    {
        for (at, _) in line.match_indices("ryla_") {
            let before = line[..at].chars().next_back();
            let name: String = line[at..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let is_path = line[at + name.len()..].starts_with("::");
            if is_path && before.is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_')) {
                found.insert(name.replace('_', "-"));
            }
        }
    }
    found
}

#[test]
fn every_member_imports_only_what_the_table_allows() {
    let packages = packages();
    let rule = Rule::read(&read("docs/ARCHITECTURE.md"), members());
    let breaches: Vec<String> = members()
        .iter()
        .flat_map(|folder| rule.breaches(&member(folder, &packages)))
        .collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn an_adapter_that_imports_the_api_or_another_adapter_is_found_wherever_it_does_so() {
    let rule = Rule::read(&read("docs/ARCHITECTURE.md"), members());
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let adapters = ["shared/aws", "shared/backends", "shared/testing"];
    for adapter in adapters {
        for other in adapters
            .iter()
            .chain(&["shared/api"])
            .filter(|other| **other != adapter)
        {
            let fine = set(&["shared/domain", "shared/engine"]);
            let honest = |imports, tested_with, named| Member {
                folder: adapter.to_owned(),
                imports,
                tested_with,
                named,
            };
            let breaches = |member| rule.breaches(&member).len();
            assert_eq!(breaches(honest(fine.clone(), set(&[]), fine.clone())), 0);
            assert_eq!(breaches(honest(set(&[other]), set(&[]), fine.clone())), 1);
            if *other != "shared/testing" {
                assert_eq!(breaches(honest(fine.clone(), set(&[other]), set(&[]))), 1);
                assert_eq!(breaches(honest(fine.clone(), set(&[]), set(&[other]))), 1);
            }
        }
    }
}

#[test]
fn paths_are_told_from_words_and_comments() {
    let text = "use ryla_engine::port::Queue; // not ryla_api::Api\nlet my_ryla_aws::x = ryla_domain; ryla_local::start()";
    let found: Vec<String> = crates_named_in(text).into_iter().collect();
    assert_eq!(found, ["ryla-engine", "ryla-local"]);
}

/// The command speaks HTTP: of the engine it takes the log, ids and clocks, and no use case.
#[test]
fn the_command_runs_no_use_case_itself() {
    let use_cases = [
        "cancel", "complete", "delete", "dispatch", "list", "read", "retry", "rewrite", "submit",
        "sweep", "wait", "wiring",
    ];
    let mut breaches = Vec::new();
    for path in sources(&[".rs"])
        .into_iter()
        .filter(|p| p.starts_with(root().join("cli/src")))
    {
        let text = std::fs::read_to_string(&path).unwrap();
        for use_case in use_cases {
            if text.contains(&format!("ryla_engine::{use_case}")) {
                breaches.push(format!("{} uses {use_case}", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}
