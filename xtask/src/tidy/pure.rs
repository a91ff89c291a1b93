//! `crates/rules` decides and never acts: no files, no network, no threads, nothing to await.

use super::finding::Finding;
use super::source::has_phrase;
use super::tree::Tree;

const ACTING: [&str; 9] =
    ["async", "await", "tokio", "std::fs", "std::net", "std::env", "std::process", "std::thread", "static mut"];

/// Every line of `crates/rules` that could act.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.path.starts_with("crates/rules/src/")) {
        for (line, code) in source.product_lines() {
            if let Some(acting) = ACTING.iter().find(|acting| has_phrase(code, acting)) {
                let reason = format!("`{acting}` in crates/rules, where nothing is done, only decided");
                let remedy = "take what it would bring as an argument, and act in the crate that asks";
                findings.push(Finding::new(&file.path, line, reason, remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_may_not_act_and_others_may() {
        let text = "//! Says async in words.\npub async fn f() { std::fs::read(p).await }\n";
        let tree = Tree::of(&[("crates/rules/src/a.rs", text), ("crates/hub/src/a.rs", text)]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("crates/rules/src/a.rs", 2));
    }
}
