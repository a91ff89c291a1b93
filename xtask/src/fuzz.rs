//! `cargo xtask fuzz`: builds the fuzzer so that it counts its branches, and runs it.
//!
//! The compiler's own instrumentation does the counting (LLVM's sanitizer coverage, which stable Rust passes on to
//! LLVM), and a few lines of C say where the counters are: no nightly, no C++ and no other tool is needed.

use std::process::Command;

use crate::programs::{Done, cargo, must, output, target_folder};

/// What has each branch of everything that is built counted.
const COUNTING: [&str; 3] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
];

/// Builds and runs. The words go to the fuzzer.
pub(crate) fn run(args: &[String]) -> Done {
    let folder = target_folder()?.join("fuzz");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let counters = folder.join("counters.o");
    let source = crate::programs::root().join("fuzz/src/counters.c");
    must(Command::new("cc").args(["-O1", "-c", "-o"]).arg(&counters).arg(source))?;
    let host = host()?;
    // Naming the machine keeps build scripts and macros, which run while building, without counters.
    let flags = [&COUNTING[..], &[&format!("-Clink-arg={}", counters.display())]].concat().join(" ");
    let mut build = cargo(&["build", "--profile", "fuzz", "--package", "fuzz", "--target", &host]);
    must(build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", flags))?;
    must(Command::new(folder.join(&host).join("fuzz/fuzz")).args(args))
}

fn host() -> Result<String, String> {
    let told = output(Command::new("rustc").arg("-vV")).ok_or("`rustc -vV` does not answer")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".to_owned())
}
