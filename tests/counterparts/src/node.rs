//! Where the Node programs and libraries of `node/package.json` are, and how a script with them is run.
//!
//! `cargo xtask test` installs them into a folder of their own under the user's cache, as the lock says.

use std::path::PathBuf;
use std::process::Command;

use crate::folders::cache;

/// What is to be installed, by the names that npm reads them under.
pub const NODE_FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../node/package.json")),
    ("package-lock.json", include_str!("../node/package-lock.json")),
    (".npmrc", include_str!("../node/.npmrc")),
];

/// The folder of the packages, below the user's cache.
///
/// # Panics
/// If there is neither `XDG_CACHE_HOME` nor `HOME`.
pub fn node_folder() -> PathBuf {
    cache().join("node")
}

/// A script (an ES module) with these arguments, to be run by Node where it finds the packages.
pub(crate) fn script(text: &str, arguments: &[&str]) -> Command {
    let folder = node_folder();
    assert!(
        folder.join("node_modules").is_dir(),
        "this test needs the Node packages of tests/counterparts; run `cargo xtask test`"
    );
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", text, "--"]).args(arguments).current_dir(folder);
    command
}
