//! Time, randomness and ids come in as arguments. Only the few files that are a clock or a source
//! of randomness ask the machine for them, and `xtask/allow.txt` names those. Tests may choose a
//! clock of their own.

use super::allow::Allow;
use super::finding::Finding;
use super::source::has_phrase;
use super::tree::Tree;

/// The ways to ask the machine for the time or for chance.
const ASKING: [(&str, &str); 18] = [
    ("SystemTime::now", "the time"),
    ("Instant::now", "the time"),
    ("Timestamp::now", "the time"),
    ("Zoned::now", "the time"),
    ("Utc::now", "the time"),
    ("Local::now", "the time"),
    ("OffsetDateTime::now_utc", "the time"),
    ("UNIX_EPOCH.elapsed", "the time"),
    ("clock_gettime", "the time"),
    ("Uuid::now_v7", "the time and chance"),
    ("Uuid::new_v4", "chance"),
    ("SystemRandom", "chance"),
    ("rand::", "chance"),
    ("OsRng", "chance"),
    ("thread_rng", "chance"),
    ("fastrand", "chance"),
    ("getrandom", "chance"),
    ("RandomState", "chance"),
];

/// Every file that asks without being allowed to.
pub(super) fn check(tree: &Tree, allow: &Allow) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| !allow.has("clock", &file.path)) {
        for (line, code) in source.product_lines() {
            if let Some((asking, what)) = ASKING.iter().find(|(asking, _)| has_phrase(code, asking)) {
                let reason = format!("`{asking}` asks the machine for {what}");
                let remedy = format!("take it as an argument, {}", Allow::remedy("clock", &file.path));
                findings.push(Finding::new(&file.path, line, reason, remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<usize> {
        let tree = Tree::of(files);
        check(&tree, &Allow::read(&tree).0).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_file_that_asks_for_the_time_is_found_at_its_line() {
        let text = "// Instant::now\nfn f() {\n    let t = std::time::Instant::now();\n}\n";
        assert_eq!(found(&[("crates/hub/src/tasks/claim.rs", text)]), [3]);
        assert_eq!(found(&[("crates/hub/src/a.rs", "use aws_lc_rs::rand::SystemRandom;\n")]), [1]);
    }

    #[test]
    fn tests_and_listed_files_may_ask() {
        let asks = "fn f() { Uuid::now_v7() }\n";
        let list = "[clock]\ncrates/hub/src/clock.rs = it is the hub's clock\n";
        assert_eq!(found(&[("crates/hub/src/clock.rs", asks), ("xtask/allow.txt", list)]), [0; 0]);
        let in_tests = "#[cfg(test)]\nmod tests {\n    fn f() { Uuid::now_v7(); }\n}\n";
        assert_eq!(found(&[("crates/hub/src/a.rs", in_tests)]), [0; 0]);
    }
}
