//! Every folder says at its door what lives in it and why: Rust folders in the first lines of
//! `lib.rs`, `main.rs` or `mod.rs`, other rooms in a `README.md`. A `mod.rs` is a door plate and a
//! list of modules, nothing else.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::source::has_phrase;
use super::tree::{File, Tree};

/// Fewer words than this do not make a paragraph.
const WORDS_MIN: usize = 8;
/// Folders of the builders' tools, known to the tools by name.
const ROOMS_OF_TOOLS: [&str; 3] = [".cargo", ".ci", ".config"];

/// Every folder without its plate and every `mod.rs` with more than one.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(tree.rust().filter(|(file, _)| is_door(file, tree)).filter_map(|(file, _)| unmarked(file)));
    findings.extend(rust_folders_without_door(tree));
    findings.extend(rooms_without_plate(tree));
    findings.extend(logic_in_doors(tree));
    findings
}

/// Whether people come in here: the root of a crate or of a test, or the `mod.rs` of a folder.
fn is_door(file: &File, tree: &Tree) -> bool {
    matches!(file.name(), "lib.rs" | "main.rs" | "mod.rs") || holds_programs(file.folder(), tree)
}

/// Folders in which each file is a program of its own: `tests/`, `examples/`, `benches/` beside a
/// Cargo.toml, and `src/bin/`.
fn holds_programs(folder: &str, tree: &Tree) -> bool {
    let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let beside_manifest = || tree.file(&format!("{parent}/Cargo.toml")).is_some();
    match name {
        "tests" | "examples" | "benches" => !parent.is_empty() && beside_manifest(),
        "bin" => parent.ends_with("src"),
        _ => false,
    }
}

/// A door whose first lines are not a paragraph.
fn unmarked(file: &File) -> Option<Finding> {
    let plate = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    let words: usize = plate.map(|line| line.split_whitespace().count()).sum();
    (words < WORDS_MIN).then(|| {
        let remedy = "begin the file with a paragraph of `//!` lines: what lives here, and why";
        Finding::new(&file.path, 1, "the door has no plate", remedy)
    })
}

fn rust_folders_without_door(tree: &Tree) -> Vec<Finding> {
    let folders: BTreeSet<&str> = tree.rust().map(|(file, _)| file.folder()).collect();
    let doorless = folders.into_iter().filter(|folder| {
        let has = |name: &str| tree.file(&format!("{folder}/{name}")).is_some();
        !holds_programs(folder, tree) && !has("lib.rs") && !has("main.rs") && !has("mod.rs")
    });
    doorless
        .map(|folder| {
            let remedy = "add mod.rs: one paragraph of `//!` on what lives here, and the list of modules";
            Finding::new(folder, 1, "a folder of Rust files without a door", remedy)
        })
        .collect()
}

/// The rooms of the house: top folders, crates, packs, and the folders of the documentation.
fn rooms_without_plate(tree: &Tree) -> Vec<Finding> {
    let is_room = |folder: &&str| {
        let parts: Vec<&str> = folder.split('/').collect();
        match parts.as_slice() {
            ["crates" | "packs"] => false,
            [top] => !ROOMS_OF_TOOLS.contains(top),
            ["crates" | "packs", _] => true,
            ["docs", ..] => true,
            _ => false,
        }
    };
    let marked = |folder: &&str| {
        ["README.md", "src/lib.rs", "src/main.rs"].iter().any(|name| tree.file(&format!("{folder}/{name}")).is_some())
    };
    let bare = tree.folders().into_iter().filter(is_room).filter(|folder| !marked(folder));
    let remedy = "add README.md: one paragraph on what lives here, and why";
    bare.map(|folder| Finding::new(folder, 1, "a room without a plate at its door", remedy)).collect()
}

fn logic_in_doors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.name() == "mod.rs") {
        for (line, code) in source.lines() {
            if let Some(word) = ["fn", "impl", "macro_rules!"].iter().find(|word| has_phrase(code, word)) {
                let remedy = "move it to a file whose name says what it does; mod.rs lists the modules";
                findings.push(Finding::new(&file.path, line, format!("`{word}` in a mod.rs"), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATE: &str = "//! Where tasks are claimed, finished and handed out again.\nmod a;\n";

    fn found(files: &[(&str, &str)]) -> Vec<(String, String)> {
        check(&Tree::of(files)).into_iter().map(|finding| (finding.path, finding.reason)).collect()
    }

    #[test]
    fn a_marked_house_is_in_order() {
        let files = [
            ("README.md", ""),
            ("crates/hub/Cargo.toml", ""),
            ("crates/hub/src/lib.rs", PLATE),
            ("crates/hub/src/tasks/mod.rs", PLATE),
            ("crates/hub/src/tasks/claim.rs", "fn f() {}"),
            ("crates/hub/tests/stories.rs", PLATE),
            ("docs/README.md", ""),
            (".ci/run", ""),
        ];
        assert_eq!(found(&files), []);
    }

    #[test]
    fn a_folder_without_a_plate_is_found() {
        let doorless = found(&[("crates/hub/src/lib.rs", PLATE), ("crates/hub/src/tasks/claim.rs", "")]);
        assert_eq!(doorless, [("crates/hub/src/tasks".into(), "a folder of Rust files without a door".into())]);
        let unmarked = found(&[("crates/hub/src/lib.rs", "//! Hub.\nmod a;\n")]);
        assert_eq!(unmarked, [("crates/hub/src/lib.rs".into(), "the door has no plate".into())]);
        let rooms = found(&[("docs/a.md", ""), ("packs/base/pack.toml", "")]);
        assert_eq!(rooms.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["docs", "packs/base"]);
        let program = found(&[
            ("crates/hub/Cargo.toml", ""),
            ("crates/hub/tests/a.rs", "fn x() {}"),
            ("crates/hub/README.md", ""),
        ]);
        assert_eq!(program, [("crates/hub/tests/a.rs".into(), "the door has no plate".into())]);
    }

    #[test]
    fn logic_in_a_mod_rs_is_found() {
        let text = format!("{PLATE}// fn in a comment\npub fn f() {{}}\n");
        let findings = check(&Tree::of(&[("xtask/src/main.rs", PLATE), ("xtask/src/a/mod.rs", &text)]));
        assert_eq!(findings.iter().map(|f| (f.path.as_str(), f.line)).collect::<Vec<_>>(), [("xtask/src/a/mod.rs", 4)]);
    }
}
