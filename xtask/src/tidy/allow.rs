//! The exceptions to the rules, each with its reason: `xtask/allow.txt`.

use super::finding::Finding;
use super::tree::Tree;

const PATH: &str = "xtask/allow.txt";

/// One line of the file: a path and why it may do what others may not.
struct Entry {
    line: usize,
    section: String,
    path: String,
}

/// All exceptions.
pub(super) struct Allow {
    entries: Vec<Entry>,
}

impl Allow {
    /// Reads the list, and finds what is wrong with it: a line without a reason, or a line that
    /// names nothing that is there.
    pub(super) fn read(tree: &Tree) -> (Allow, Vec<Finding>) {
        let (mut entries, mut findings) = (Vec::new(), Vec::new());
        let text = tree.file(PATH).map_or("", |file| &file.text);
        let mut section = String::new();
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.to_owned();
                continue;
            }
            let Some((path, why)) = line.split_once(" = ") else {
                findings.push(Finding::new(PATH, number, "not `path = reason`", "write the path, ` = ` and why"));
                continue;
            };
            if why.split_whitespace().count() < 3 {
                findings.push(Finding::new(PATH, number, "no reason is given", "say in a few words why this may be"));
            }
            if !tree.files.iter().any(|file| matches(path, &file.path)) {
                let remedy = "delete the line, or correct the path";
                findings.push(Finding::new(PATH, number, format!("nothing is at `{path}`"), remedy));
            }
            entries.push(Entry { line: number, section: section.clone(), path: path.to_owned() });
        }
        (Allow { entries }, findings)
    }

    /// Whether `path` is allowed what `section` is about.
    pub(super) fn has(&self, section: &str, path: &str) -> bool {
        self.entries.iter().any(|entry| entry.section == section && matches(&entry.path, path))
    }

    /// What to tell someone whose file is not on the list but should be.
    pub(super) fn remedy(section: &str, path: &str) -> String {
        format!("or, if it must be here, add `{path} = why` under [{section}] in {PATH}")
    }

    /// Entries of sections that no rule asks for.
    pub(super) fn strangers(&self, known: &[&str]) -> Vec<Finding> {
        let unknown = self.entries.iter().filter(|entry| !known.contains(&entry.section.as_str()));
        unknown
            .map(|entry| {
                let remedy = format!("the sections are {}", known.join(", "));
                Finding::new(PATH, entry.line, format!("no rule is called `{}`", entry.section), remedy)
            })
            .collect()
    }
}

/// Whether a listed path covers this one: the same file, or below a folder that ends in `/`.
/// A `*` stands for one part of the path.
fn matches(listed: &str, path: &str) -> bool {
    let (listed_folder, is_folder) = match listed.strip_suffix('/') {
        Some(folder) => (folder, true),
        None => (listed, false),
    };
    let (mut wanted, mut given) = (listed_folder.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            (None, Some(_)) => return is_folder,
            (None, None) => return !is_folder,
            (Some(_), _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_covers_what_is_below_it_and_a_star_one_part() {
        assert!(matches("crates/*/tests/", "crates/store/tests/a/b.rs"));
        assert!(!matches("crates/*/tests/", "crates/store/src/a.rs"));
        assert!(!matches("tests/", "tests"));
        assert!(matches("crates/hub/src/clock.rs", "crates/hub/src/clock.rs"));
        assert!(!matches("crates/hub/src/clock.rs", "crates/hub/src/clock.rs/x"));
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_file() {
        let list = "# why\n[clock]\na.rs = it is the clock\nb.rs = yes\nc.rs = it was once the clock\nnonsense\n";
        let tree = Tree::of(&[("a.rs", ""), ("b.rs", ""), (PATH, list)]);
        let (allow, findings) = Allow::read(&tree);
        assert_eq!(findings.iter().map(|f| f.line).collect::<Vec<_>>(), [4, 5, 6]);
        assert!(allow.has("clock", "a.rs") && !allow.has("sleep", "a.rs"));
        assert_eq!(allow.strangers(&["sleep"]).len(), 3);
    }
}
