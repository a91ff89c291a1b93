//! Intent flows down, facts flow up, and facts never become intent. What hears facts calls nothing that writes what is
//! meant; what writes what is meant, and the statements that do, read no facts.

use super::finding::Finding;
use super::source::has_phrase;
use super::tree::Tree;

/// What hears and keeps facts.
const HEARS: [&str; 4] = [
    "crates/hub/src/reports/",
    "crates/hub/src/desired/observe.rs",
    "crates/store/src/reports.rs",
    "crates/store/src/desired/observed.rs",
];

/// What writes what is meant, and what carries it out at the edge.
const MEANS: [&str; 8] = [
    "crates/hub/src/desired/publish.rs",
    "crates/hub/src/desired/draft.rs",
    "crates/hub/src/secrets/",
    "crates/hub/src/enforcement/",
    "crates/store/src/enforcements.rs",
    "crates/store/src/desired/publications.rs",
    "crates/store/src/desired/drafts.rs",
    "crates/store/src/desired/pins.rs",
];

/// Verbs and tables of what is meant, none of which somebody who hears facts may name.
const WRITES_INTENT: [&str; 11] = [
    "pins::put",
    "pins::give",
    "pins::take_back",
    "pins::raise_to",
    "pins::raise_all",
    "publications::insert",
    "publications::set_status",
    "drafts::put",
    "into node_desired",
    "update node_desired",
    "into drafts",
];

/// Rooms and tables of facts, none of which somebody who writes what is meant may name.
const FACTS: [&str; 6] = ["observed::", "reports::", "node_observed", "from reports", "join reports", "node_facts"];

/// Every place where a fact could become intent.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_in = |path: &str, places: &[&str]| places.iter().any(|place| path.starts_with(place));
    for (file, source) in tree.rust() {
        let (hears, means) = (is_in(&file.path, &HEARS), is_in(&file.path, &MEANS));
        if !hears && !means {
            continue;
        }
        // Statements are texts, so the lines are looked at as they are; what is only said of them is left out.
        let lines = source.product_lines().filter_map(|(line, _)| Some((line, file.text.lines().nth(line - 1)?)));
        for (line, code) in lines.filter(|(_, code)| !code.trim_start().starts_with("//")) {
            if let Some(word) = WRITES_INTENT.iter().find(|word| hears && has_phrase(code, word)) {
                let remedy = "keep what was heard, and let people decide what is meant";
                findings.push(Finding::new(&file.path, line, format!("`{word}`: facts never become intent"), remedy));
            }
            if let Some(word) = FACTS.iter().find(|word| means && has_phrase(code, word)) {
                let remedy = "decide by what people published alone";
                findings.push(Finding::new(&file.path, line, format!("`{word}`: intent reads no facts"), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn facts_never_become_intent() {
        let writes = "async fn f() { pins::put(tx, &row).await }\n";
        assert_eq!(found("crates/hub/src/reports/receive.rs", writes), 1);
        assert_eq!(found("crates/hub/src/desired/observe.rs", writes), 1);
        assert_eq!(found("crates/hub/src/desired/pins.rs", writes), 0);
        let reads = "async fn f() { observed::standing(tx, node).await }\n";
        assert_eq!(found("crates/hub/src/desired/publish.rs", reads), 1);
        assert_eq!(found("crates/hub/src/desired/node.rs", reads), 0, "what is shown may show both");
        assert_eq!(found("crates/store/src/desired/pins.rs", "const SQL: &str = \"select node from reports\";\n"), 1);
        assert_eq!(found("crates/hub/src/desired/publish.rs", "//! It reads no reports.\n"), 0);
    }
}
