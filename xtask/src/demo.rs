//! `cargo xtask demo`: the quickest way from a clone to a fleet at work.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::install;
use crate::programs::{Done, cargo, must, target_folder};

/// Builds `sortie` and becomes `sortie demo ARGS`, so that signals and the exit code are its own.
pub(crate) fn run(args: &[String]) -> Done {
    install::c_compiler()?;
    let folder = target_folder()?.join("demo");
    let program = folder.join("sortie");
    if program.is_file() {
        eprintln!("Building `sortie` (only what has changed).");
    } else {
        eprintln!(
            "Building `sortie` for the first time. This takes some minutes, most of them for libraries\n\
             that are built once and kept. Cargo tells below how far it is; the demo follows by itself."
        );
    }
    must(&mut cargo(&["build", "--profile", "demo", "--package", "sortie", "--bin", "sortie"]))?;
    let error = Command::new(&program).arg("demo").args(args).exec();
    Err(format!("{} was built but could not be started: {error}", program.display()))
}
