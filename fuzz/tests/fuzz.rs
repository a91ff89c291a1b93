//! A short look at every target, the same at each run of a seed. Each commit has a seed of its own, so that CI looks at
//! other inputs from one to the next; `SORTIE_SEED=N` asks for one by its number.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fuzz::{Budget, all, look};

/// Inputs for each target: about a minute of a processor for all of them in a test build.
const INPUTS: u64 = 8_000;

#[test]
fn every_reader_takes_whatever_comes() {
    let given = std::env::var("SORTIE_SEED").ok().map(|seed| seed.parse().expect("SORTIE_SEED is a number"));
    let seed = given.unwrap_or_else(seed_of_commit);
    eprintln_seed(seed);
    let targets = all();
    let next = AtomicUsize::new(0);
    let look_at_what_is_left = || -> Vec<String> {
        let mut found = Vec::new();
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(finding) = look(target, seed, Budget::Inputs(INPUTS)) {
                let input = String::from_utf8_lossy(&finding.input).into_owned();
                found.push(format!(
                    "{}: {}\n  input {input:?}, kept at {:?}",
                    target.name, finding.why, finding.kept_at
                ));
            }
        }
        found
    };
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(look_at_what_is_left);
        let mut found = look_at_what_is_left();
        found.extend(other.join().expect("it does not panic itself"));
        found
    });
    assert!(found.is_empty(), "{}:\n{}", again(seed), found.join("\n"));
}

/// A number that follows from the commit that is looked at; where there is none (an unpacked archive), always the same.
fn seed_of_commit() -> u64 {
    let mut git = Command::new("git");
    git.args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let commit = git.output().ok().filter(|told| told.status.success()).map(|told| told.stdout);
    let digits = commit.and_then(|commit| String::from_utf8(commit).ok()).unwrap_or_default();
    // Small enough to be typed.
    digits.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(1)
}

fn again(seed: u64) -> String {
    format!("seed {seed}; the same once more: SORTIE_SEED={seed} cargo nextest run -p fuzz")
}

#[test]
fn names_of_targets_are_their_own() {
    let mut names: Vec<&str> = all().iter().map(|target| target.name).collect();
    let many = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), many);
}

#[expect(clippy::print_stderr, reason = "the seed of a run that fails is for whoever runs it again")]
fn eprintln_seed(seed: u64) {
    eprintln!("{}", again(seed));
}
