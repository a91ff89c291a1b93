//! Files and functions that grow past what one can hold in mind. This is a ratchet and not a law:
//! what is larger stands in `xtask/ratchet.txt` with its size, and that number may only shrink.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::finding::Finding;
use super::source::{Source, end_of_item};
use super::tree::Tree;
use crate::programs::Done;

const PATH: &str = "xtask/ratchet.txt";
/// From here on a file is asked which second question it answers.
const FILE_LINES_MAX: usize = 600;
/// From here on a function is asked which part of it has a name of its own.
const FUNCTION_LINES_MAX: usize = 100;

/// What is measured: a file, or with a name a function in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Thing {
    path: String,
    function: Option<String>,
}

/// A large thing's first line and how many lines it has.
struct Size {
    line: usize,
    lines: usize,
}

/// What grew, what shrank without being written down, and what the ratchet lists in vain.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (ratchet, mut findings) = read_ratchet(tree);
    let large = measure(tree);
    for (thing, size) in &large {
        let (max, remedy) = match thing.function {
            None => (FILE_LINES_MAX, "which second question does it answer? Give that one a file of its own"),
            Some(_) => (FUNCTION_LINES_MAX, "give the parts names: branch in the parent, compute in the leaf"),
        };
        match ratchet.get(thing) {
            None => {
                let reason = format!("{} of {} lines; {max} are the most for new ones", thing.noun(), size.lines);
                findings.push(Finding::new(&thing.path, size.line, reason, remedy));
            }
            Some(entry) if size.lines > entry.lines => {
                let reason = format!("{} grew from {} to {} lines", thing.noun(), entry.lines, size.lines);
                findings.push(Finding::new(&thing.path, size.line, reason, remedy));
            }
            Some(entry) if size.lines < entry.lines => {
                let reason = format!("{} of {} shrank to {} lines", thing.noun(), thing.path, size.lines);
                findings.push(Finding::new(PATH, entry.line, reason, "write it down: cargo xtask tidy --ratchet"));
            }
            Some(_) => {}
        }
    }
    for (thing, entry) in ratchet.iter().filter(|(thing, _)| !large.contains_key(thing)) {
        let reason = format!("{} of {} is not large any more", thing.noun(), thing.path);
        findings.push(Finding::new(PATH, entry.line, reason, "write it down: cargo xtask tidy --ratchet"));
    }
    findings
}

/// Lowers the numbers of what has shrunk and drops what is no longer large. Raises none.
pub(super) fn write_ratchet(tree: &Tree, root: &Path) -> Done {
    let text = shrunk(tree);
    fs::write(root.join(PATH), text).map_err(|error| format!("{PATH}: {error}"))
}

fn shrunk(tree: &Tree) -> String {
    let large = measure(tree);
    let (ratchet, _) = read_ratchet(tree);
    let old = tree.file(PATH).map_or("", |file| &file.text);
    let mut text: String = old
        .lines()
        .take_while(|line| line.starts_with('#') || line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    for (thing, entry) in &ratchet {
        if let Some(size) = large.get(thing) {
            text += &format!("{thing} {}\n", size.lines.min(entry.lines));
        }
    }
    text
}

impl Thing {
    fn noun(&self) -> String {
        self.function.as_ref().map_or("the file".into(), |name| format!("the function `{name}`"))
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.function {
            None => write!(f, "file {}", self.path),
            Some(name) => write!(f, "function {} {name}", self.path),
        }
    }
}

/// Lines of the form `file PATH LINES` or `function PATH NAME LINES`.
fn read_ratchet(tree: &Tree) -> (BTreeMap<Thing, Size>, Vec<Finding>) {
    let (mut ratchet, mut findings) = (BTreeMap::new(), Vec::new());
    let text = tree.file(PATH).map_or("", |file| &file.text);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let read = match words.as_slice() {
            ["file", path, lines] => Some((path, None, lines)),
            ["function", path, name, lines] => Some((path, Some((*name).to_owned()), lines)),
            _ => None,
        };
        let read = read.and_then(|(path, function, lines)| {
            Some((Thing { path: (*path).to_owned(), function }, Size { line: index + 1, lines: lines.parse().ok()? }))
        });
        match read {
            Some((thing, size)) => {
                ratchet.insert(thing, size);
            }
            None => {
                let remedy = "write `file PATH LINES` or `function PATH NAME LINES`";
                findings.push(Finding::new(PATH, index + 1, "cannot be read", remedy));
            }
        }
    }
    (ratchet, findings)
}

/// Everything that is larger than it should be. Of several functions of one name in a file, the
/// largest counts.
fn measure(tree: &Tree) -> BTreeMap<Thing, Size> {
    let mut large = BTreeMap::new();
    for (file, source) in tree.rust() {
        let lines = source.code.len();
        if lines > FILE_LINES_MAX {
            large.insert(Thing { path: file.path.clone(), function: None }, Size { line: 1, lines });
        }
        for (name, line, lines) in functions(source).into_iter().filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX) {
            let thing = Thing { path: file.path.clone(), function: Some(name) };
            let size = large.entry(thing).or_insert(Size { line, lines });
            if lines > size.lines {
                *size = Size { line, lines };
            }
        }
    }
    large
}

/// The functions of a file: name, first line from 1, number of lines.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (number, code) in source.lines() {
        for (column, _) in code.match_indices("fn ") {
            let begins_word = !code[..column].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            let name: String = code[column + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if begins_word && !name.is_empty() {
                let end = end_of_item(&source.code, number - 1, column);
                found.push((name, number, end + 2 - number));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    work();\n".repeat(lines - 2))
    }

    fn found(text: &str, ratchet: &str) -> Vec<(String, usize)> {
        let tree = Tree::of(&[("crates/hub/src/a.rs", text), (PATH, ratchet)]);
        check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect()
    }

    #[test]
    fn functions_are_measured_to_their_last_brace() {
        let text = format!("impl X {{\n{}}}\ntrait Y {{ fn f(a: [u8; 4]); fn g() {{}} }}\n", function("long", 7));
        let sizes = functions(&Source::read(&text));
        assert_eq!(sizes, [("long".into(), 2, 7), ("f".into(), 10, 1), ("g".into(), 10, 1)]);
    }

    #[test]
    fn what_is_large_must_stand_in_the_ratchet_and_may_not_grow() {
        let text = function("long", 101);
        let mine = [("crates/hub/src/a.rs".to_owned(), 1)];
        assert_eq!(found(&function("short", 100), ""), []);
        assert_eq!(found(&text, ""), mine);
        assert_eq!(found(&text, "# Why.\nfunction crates/hub/src/a.rs long 101\n"), []);
        assert_eq!(found(&function("long", 102), "function crates/hub/src/a.rs long 101\n"), mine);
        assert_eq!(found(&"// words\n".repeat(601), "file crates/hub/src/a.rs 601\n"), []);
    }

    #[test]
    fn what_shrank_is_written_down_and_never_raised() {
        let ratchet = "# Why.\nfile crates/hub/src/gone.rs 900\nfunction crates/hub/src/a.rs long 140\n";
        assert_eq!(found(&function("long", 120), ratchet).len(), 2);
        let shrink = |lines| shrunk(&Tree::of(&[("crates/hub/src/a.rs", &function("long", lines)), (PATH, ratchet)]));
        assert_eq!(shrink(120), "# Why.\nfunction crates/hub/src/a.rs long 120\n");
        assert_eq!(shrink(150), "# Why.\nfunction crates/hub/src/a.rs long 140\n");
    }
}
