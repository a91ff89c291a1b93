//! Where the Python programs and libraries of `requirements.txt` are, and how one of them is run.
//!
//! `cargo xtask test` installs them into a folder of their own under the user's cache.

use std::path::PathBuf;
use std::process::Command;

use crate::folders::cache;

/// What is to be installed, as `pip` reads it.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The folder of the virtual environment, below the user's cache.
///
/// # Panics
/// If there is neither `XDG_CACHE_HOME` nor `HOME`.
pub fn python_folder() -> PathBuf {
    cache().join("python")
}

/// A script with these arguments, to be run by the Python that has the packages.
pub(crate) fn script(text: &str, arguments: &[&str]) -> Command {
    let python = python_folder().join("bin/python");
    assert!(python.is_file(), "this test needs the Python packages of tests/counterparts; run `cargo xtask test`");
    let mut command = Command::new(python);
    command.args(["-c", text]).args(arguments);
    command
}
