//! CHANGELOG.md keeps the form of "Keep a Changelog", so that people and programs can read it.

use super::finding::Finding;
use super::tree::Tree;

const PATH: &str = "CHANGELOG.md";
const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/// Where the changelog leaves its form.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(PATH) else {
        return Vec::new(); // Made-up trees have none; that the real one has it is seen by its reader.
    };
    let mut findings = Vec::new();
    let mut say = |line: usize, reason: &str, remedy: &str| findings.push(Finding::new(PATH, line, reason, remedy));
    let lines: Vec<&str> = file.text.lines().collect();
    if lines.first() != Some(&"# Changelog") {
        say(1, "does not begin with `# Changelog`", "begin with that line");
    }
    let mut versions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        if let Some(heading) = line.strip_prefix("## ") {
            match version(heading) {
                Some(version) => versions.push((number, version)),
                None => say(number, "not a version", "write `## [Unreleased]` or `## [1.2.3] - 2027-01-31`"),
            }
        } else if let Some(kind) = line.strip_prefix("### ") {
            if !KINDS.contains(&kind) {
                say(number, "not a kind of change", &format!("the kinds are {}", KINDS.join(", ")));
            }
        } else if line.starts_with("- ") {
            let entry: Vec<&str> = lines[index..]
                .iter()
                .enumerate()
                .take_while(|(i, l)| *i == 0 || l.starts_with("  "))
                .map(|(_, l)| *l)
                .collect();
            if !entry.last().is_some_and(|last| last.trim_end().ends_with('.')) {
                say(number, "not a sentence", "tell in whole sentences what changed for the reader");
            }
        }
    }
    match versions.first() {
        Some((_, Version::Unreleased)) => {}
        other => {
            let line = other.map_or(1, |(number, _)| *number);
            say(line, "no `## [Unreleased]` on top", "add it; what is not released yet stands there");
        }
    }
    for pair in versions.windows(2) {
        if pair[0].1 <= pair[1].1 {
            say(pair[1].0, "versions are not in order", "put the newest on top, each once");
        }
    }
    findings
}

/// A heading's version; the unreleased one is newer than all others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Released([u32; 3]),
    Unreleased,
}

fn version(heading: &str) -> Option<Version> {
    if heading == "[Unreleased]" {
        return Some(Version::Unreleased);
    }
    let (number, date) = heading.strip_prefix('[')?.split_once("] - ")?;
    let parts: Vec<u32> = number.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let is_date = date.len() == 10 && date.split('-').map(str::len).eq([4, 2, 2]);
    let is_digits = date.chars().all(|c| c.is_ascii_digit() || c == '-');
    (is_date && is_digits).then_some(Version::Released(parts.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        check(&Tree::of(&[(PATH, text)])).into_iter().map(|finding| (finding.line, finding.reason)).collect()
    }

    #[test]
    fn a_changelog_in_form_is_left_alone() {
        let text = "# Changelog\n\nWords.\n\n## [Unreleased]\n\n### Added\n\n- A thing that\n  is new.\n\n\
                    ## [0.2.0] - 2027-01-31\n\n### Fixed\n- A fault.\n\n## [0.1.9] - 2026-12-01\n";
        assert_eq!(found(text), []);
    }

    #[test]
    fn what_leaves_the_form_is_found() {
        let text =
            "# Changes\n## [0.1.0] - today\n### News\n- something\n## [0.2.0] - 2027-01-31\n## [0.3.0] - 2027-02-01\n";
        let reasons: Vec<String> = found(text).into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(
            reasons,
            [
                "does not begin with `# Changelog`",
                "not a version",
                "not a kind of change",
                "not a sentence",
                "no `## [Unreleased]` on top",
                "versions are not in order"
            ]
        );
    }
}
