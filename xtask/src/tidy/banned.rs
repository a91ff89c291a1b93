//! Words that must not stand in the code, each with what to do in their place.

use super::allow::Allow;
use super::finding::Finding;
use super::source::{Source, has_phrase};
use super::tree::{File, Tree};

/// Longest line of a Rust file, in characters. rustfmt keeps to it where it can; it leaves long
/// strings and comments to us.
const LINE_CHARS_MAX: usize = 120;

/// Never, nowhere.
const NEVER: [(&str, &str); 4] = [
    ("todo!", "write it, or leave out what would call it"),
    ("unimplemented!", "write it, or leave out what would call it"),
    ("dbg!", "delete it; what is worth knowing is logged with `tracing`"),
    ("#[ignore", "let the test run always, or delete it"),
];

/// In tests only: what waits for a time and not for a state.
const SLEEPING: [&str; 4] = ["thread::sleep", "time::sleep", "time::sleep_until", "time::{sleep"];

/// Every banned word, and every line that is too long.
pub(super) fn check(tree: &Tree, allow: &Allow) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        findings.extend(banned(file, source, allow));
        findings.extend(too_long(file));
    }
    findings
}

fn banned(file: &File, source: &Source, allow: &Allow) -> Vec<Finding> {
    let test_file = ["tests", "bench"].iter().any(|folder| file.path.starts_with(&format!("{folder}/")))
        || file.path.contains("/tests/");
    let may_sleep = file.path.starts_with("bench/") || allow.has("sleep", &file.path);
    let may_be_unsafe = allow.has("unsafe", &file.path);
    let mut findings = Vec::new();
    for (line, code) in source.lines() {
        let mut say = |reason: String, remedy: String| findings.push(Finding::new(&file.path, line, reason, remedy));
        for (word, remedy) in NEVER.iter().filter(|(word, _)| has_phrase(code, word)) {
            say(format!("`{word}`"), (*remedy).to_owned());
        }
        let in_tests = test_file || source.in_tests[line - 1];
        if let Some(word) = SLEEPING.iter().find(|word| in_tests && !may_sleep && has_phrase(code, word)) {
            let remedy = format!("wait for the state that the test is about, {}", Allow::remedy("sleep", &file.path));
            say(format!("`{word}` in a test"), remedy);
        }
        if has_phrase(code, "unsafe") && !may_be_unsafe {
            let remedy = format!("use the safe wrapper in rustix, {}", Allow::remedy("unsafe", &file.path));
            say("`unsafe`".into(), remedy);
        }
    }
    findings
}

fn too_long(file: &File) -> Vec<Finding> {
    let long = file.text.lines().enumerate().map(|(index, line)| (index + 1, line.chars().count()));
    long.filter(|(_, chars)| *chars > LINE_CHARS_MAX)
        .map(|(line, chars)| {
            let reason = format!("a line of {chars} characters; {LINE_CHARS_MAX} are the most");
            Finding::new(&file.path, line, reason, "break the sentence, or end the string with `\\` and go on below")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let list = "[sleep]\ntests/src/poll.rs = it is how stories wait for a state\n";
        let tree = Tree::of(&[(path, text), ("tests/src/poll.rs", ""), ("xtask/allow.txt", list)]);
        let (allow, _) = Allow::read(&tree);
        check(&tree, &allow).into_iter().map(|finding| (finding.line, finding.reason)).collect()
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_not_in_words() {
        let text =
            "// todo! in words\nfn f() { todo!(\"todo!\") }\n#[test]\n#[ignore = \"slow\"]\nfn g() { dbg!(1); }\n";
        let words = found("crates/hub/src/a.rs", text);
        assert_eq!(words, [(2, "`todo!`".into()), (4, "`#[ignore`".into()), (5, "`dbg!`".into())]);
    }

    #[test]
    fn tests_may_not_sleep_but_for_the_one_file_that_waits_for_states() {
        let text = "async fn f() { tokio::time::sleep(d).await }\n";
        assert_eq!(found("tests/src/story.rs", text), [(1, "`time::sleep` in a test".into())]);
        assert_eq!(found("crates/hub/tests/a.rs", text).len(), 1);
        assert_eq!(found("crates/agent/src/handlers/sleep.rs", text), []);
        assert_eq!(found("crates/agent/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}}}\n")).len(), 1);
        let list = "[sleep]\ntests/src/poll.rs = it is how stories wait for a state\n";
        let tree = Tree::of(&[("tests/src/poll.rs", text), ("xtask/allow.txt", list)]);
        assert_eq!(check(&tree, &Allow::read(&tree).0), []);
    }

    #[test]
    fn unsafe_code_and_long_lines_are_found() {
        assert_eq!(found("crates/hub/src/a.rs", "#![forbid(unsafe_code)]\nfn f() { unsafe { g() } }\n").len(), 1);
        let long = format!("// {}\n", "é".repeat(118));
        assert_eq!(found("crates/hub/src/a.rs", &long), [(1, "a line of 121 characters; 120 are the most".into())]);
    }
}
