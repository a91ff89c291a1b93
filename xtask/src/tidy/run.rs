//! Asks every rule and tells what was found.

use super::allow::Allow;
use super::tree::Tree;
use super::{arrows, banned, changelog, clock, conformance, facts, links, one_way, plates, pure, sizes};
use crate::programs::{Done, root};

/// `cargo xtask tidy [--ratchet]`.
pub(crate) fn run(args: &[String]) -> Done {
    let tree = Tree::read(&root())?;
    match args {
        [] => {}
        [flag] if flag == "--ratchet" => return sizes::write_ratchet(&tree, &root()),
        _ => return Err("takes nothing or `--ratchet`".into()),
    }
    let (allow, mut findings) = Allow::read(&tree);
    findings.extend(allow.strangers(&["clock", "sleep", "unsafe"]));
    findings.extend(arrows::check(&tree));
    findings.extend(banned::check(&tree, &allow));
    findings.extend(changelog::check(&tree));
    findings.extend(clock::check(&tree, &allow));
    findings.extend(conformance::check(&tree));
    findings.extend(facts::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(one_way::check(&tree));
    findings.extend(plates::check(&tree));
    findings.extend(pure::check(&tree));
    findings.extend(sizes::check(&tree));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files, nothing to find", tree.files.len());
            Ok(())
        }
        1 => Err("one thing to put right".into()),
        n => Err(format!("{n} things to put right")),
    }
}
