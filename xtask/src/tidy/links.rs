//! A page that points somewhere points to something that is there, and the table of contents of a
//! folder of pages names each of them.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Links that lead nowhere, and pages that no table of contents names.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folders = tree.folders();
    for page in tree.files.iter().filter(|file| file.name().ends_with(".md")) {
        for (line, link) in links(page) {
            let target = resolve(page.folder(), link);
            if tree.file(&target).is_none() && !folders.contains(target.as_str()) && !target.is_empty() {
                let remedy = "correct the link, or write the page";
                findings.push(Finding::new(&page.path, line, format!("nothing is at `{target}`"), remedy));
            }
        }
        let contents = tree.file(&format!("{}/README.md", page.folder()));
        let contents = contents.filter(|_| page.path.starts_with("docs/") && page.name() != "README.md");
        if contents.is_some_and(|contents| !contents.text.contains(&format!("({})", page.name()))) {
            let remedy = format!("add a line with a link to it in {}/README.md", page.folder());
            findings.push(Finding::new(&page.path, 1, "no table of contents names this page", remedy));
        }
    }
    findings
}

/// The targets of links inside the repository, with their lines. Blocks of code have none.
fn links(page: &File) -> Vec<(usize, &str)> {
    let mut in_block = false;
    let mut found = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        in_block ^= line.trim_start().starts_with("```");
        for rest in line.split("](").skip(1) {
            let link = rest.split([')', '#']).next().unwrap_or_default();
            if !in_block && !link.is_empty() && !link.contains(':') {
                found.push((index + 1, link));
            }
        }
    }
    found
}

/// The path from the top folder that a link in `folder` means.
fn resolve(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text = "See [a](a.md), [b](../crates/hub), [c](b.md#part) and [d](https://example.org).\n\
                    ```\n[e](e.md)\n```\n[f](#part)\n";
        let tree = Tree::of(&[
            ("docs/README.md", "[x](x.md) [a](a.md)"),
            ("docs/a.md", ""),
            ("docs/x.md", text),
            ("crates/hub/src/lib.rs", ""),
        ]);
        let findings = check(&tree);
        assert_eq!(
            findings.iter().map(|f| (f.line, f.reason.as_str())).collect::<Vec<_>>(),
            [(1, "nothing is at `docs/b.md`")]
        );
    }

    #[test]
    fn a_page_that_nobody_can_find_is_found() {
        let tree = Tree::of(&[("docs/README.md", "[a](a.md)"), ("docs/a.md", ""), ("docs/b.md", ""), ("STYLE.md", "")]);
        assert_eq!(check(&tree).iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["docs/b.md"]);
    }
}
