//! A short look at every target, the same at each run of a seed: `SORTIE_SEED=N` asks for another one.

use fuzz::{Budget, Target, all, look};

/// Inputs for each target: more than a minute of a processor for all of them in a test build.
const INPUTS: u64 = 12_000;

#[test]
fn every_reader_takes_whatever_comes() {
    let seed = std::env::var("SORTIE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    eprintln_seed(seed);
    let targets = all();
    let (first, second) = targets.split_at(targets.len() / 2);
    let look_at = |targets: &[Target]| -> Vec<String> {
        let found = targets.iter().filter_map(|target| {
            let finding = look(target, seed, Budget::Inputs(INPUTS)).err()?;
            let input = String::from_utf8_lossy(&finding.input).into_owned();
            Some(format!("{}: {}\n  input {input:?}, kept at {:?}", target.name, finding.why, finding.kept_at))
        });
        found.collect()
    };
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(|| look_at(second));
        let mut found = look_at(first);
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
