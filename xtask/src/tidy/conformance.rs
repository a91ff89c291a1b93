//! One SQL text for two engines holds only while both are asked: every public verb of the store
//! must be called by name in the suite that runs on both. The verbs are free functions; methods
//! are the means that they share.

use super::finding::Finding;
use super::source::has_phrase;
use super::tree::{File, Tree};

const STORE: &str = "crates/store/src/";
const SUITE: &str = "crates/store/tests/";

/// Every free `pub async fn` of the store that its suite does not call.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let suite: Vec<&str> = tree
        .rust()
        .filter(|(file, _)| file.path.starts_with(SUITE))
        .flat_map(|(_, source)| source.code.iter().map(String::as_str))
        .collect();
    let mut findings = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.path.starts_with(STORE)) {
        for (line, code) in source.product_lines() {
            let Some(name) = code.strip_prefix("pub async fn ") else { continue };
            let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let calls: Vec<String> = modules(file).map(|module| format!("{module}::{name}")).collect();
            if !suite.iter().any(|code| calls.iter().any(|call| has_phrase(code, call))) {
                let reason = format!("the conformance suite never calls `{}`", calls.join("` or `"));
                let remedy = format!("call it in {SUITE}, where every test runs on both engines");
                findings.push(Finding::new(&file.path, line, reason, remedy));
            }
        }
    }
    findings
}

/// The module that a file is and the one that it is in, since a verb's file is often named after it
/// and its caller writes only the folder: `tasks::claim` for `tasks/claim.rs`.
fn modules(file: &File) -> impl Iterator<Item = &str> {
    let inside = file.path.strip_prefix(STORE).unwrap_or(&file.path);
    let parts = inside.strip_suffix(".rs").unwrap_or(inside).rsplit('/');
    parts.filter(|part| *part != "mod").take(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_that_the_suite_never_calls_is_found() {
        let table = "/// Adds.\npub async fn insert(tx: &mut Tx) {}\npub async fn list(tx: &mut Tx) {}\n\
                     async fn own() {}\nimpl Tx {\n    pub async fn query(&mut self) {}\n}\n";
        let tree = Tree::of(&[
            ("crates/store/src/nodes.rs", table),
            ("crates/store/src/tasks.rs", "pub async fn insert(tx: &mut Tx) {}\n"),
            ("crates/store/src/tasks/claim.rs", "pub async fn claim(tx: &mut Tx) {}\n"),
            ("crates/store/tests/conformance/nodes.rs", "nodes::insert(tx); tasks::claim(tx); // nodes::list"),
        ]);
        let places: Vec<(String, usize)> = check(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        assert_eq!(places, [("crates/store/src/nodes.rs".into(), 3), ("crates/store/src/tasks.rs".into(), 1)]);
    }
}
