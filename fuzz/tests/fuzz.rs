//! A short look at every target, the same at each run of a seed: `SORTIE_SEED=N` asks for another one.

use std::sync::atomic::{AtomicUsize, Ordering};

use fuzz::{Budget, all, look};

/// Inputs for each target: about a minute of a processor for all of them in a test build.
const INPUTS: u64 = 8_000;

#[test]
fn every_reader_takes_whatever_comes() {
    let seed = std::env::var("SORTIE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
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
    assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
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
    eprintln!("seed {seed}");
}
