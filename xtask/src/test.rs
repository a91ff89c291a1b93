//! `cargo xtask test`: everything that must hold before a commit, cheapest first, one step after
//! another, and the tests last so that the output ends with the runner's own summary.

use std::time::Instant;

use crate::programs::{Done, cargo, must, target_folder};
use crate::{api, install, tidy};

/// Runs every step and stops at the first that fails. Words after `--` go to nextest.
pub(crate) fn run(args: &[String]) -> Done {
    let for_nextest = match args.split_first() {
        None => &[] as &[String],
        Some((dashes, rest)) if dashes == "--" => rest,
        Some(_) => return Err("arguments for the test runner stand after `--`".into()),
    };
    step("what this machine lacks", install::all_for_tests)?;
    step("formatting", || must(&mut cargo(&["fmt", "--all", "--check"])).map_err(with_remedy("cargo fmt --all")))?;
    step("tidy", || tidy::run(&[]))?;
    step("clippy", || must(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))?;
    // All targets in one build: then libraries have one set of features and are built once, and the
    // stories find the real programs beside them.
    step("build", || must(&mut cargo(&["build", "--workspace", "--all-targets"])))?;
    step("the API description", || api::run(&["--check".into()]))?;
    step("documentation examples", || must(&mut cargo(&["test", "--workspace", "--doc", "--quiet"])))?;
    step("tests", || {
        let mut nextest = cargo(&["nextest", "run", "--workspace"]);
        must(nextest.args(for_nextest).env("SORTIE_BIN_DIR", target_folder()?.join("debug")))
    })
}

fn with_remedy(remedy: &str) -> impl Fn(String) -> String {
    move |reason| format!("{reason}\nRun `{remedy}` and look at what it changed.")
}

/// Says what is being done before it and how long it took after it. Nothing is said after the last
/// step but by the runner itself: its summary is the end of the output.
fn step(name: &str, act: impl FnOnce() -> Done) -> Done {
    println!("── {name}");
    let begun = Instant::now();
    act()?;
    if name != "tests" {
        println!("   {name}: in order ({:.1} s)\n", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
