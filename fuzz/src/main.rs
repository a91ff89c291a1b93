//! Fuzzing by hand: `cargo xtask fuzz [TARGET…] [--minutes N] [--seed N]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who runs it")]

use std::process::ExitCode;
use std::time::Duration;

use fuzz::{Budget, Target, all, look};

const HELP: &str = "\
Usage: cargo xtask fuzz [TARGET…] [--minutes N] [--seed N]

Feeds each target, or those that are named, with inputs of its own making for N minutes together (one if absent)
and ends at the first that breaks something, which is kept in fuzz/corpus. The same seed makes the same inputs.

Targets:
";

fn main() -> ExitCode {
    let (mut minutes, mut seed, mut named) = (1.0_f64, None, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let good = match word.as_str() {
            "--minutes" => words.next().and_then(|text| text.parse().ok()).map(|number| minutes = number).is_some(),
            "--seed" => words.next().and_then(|text| text.parse().ok()).map(|number| seed = Some(number)).is_some(),
            name => all().into_iter().find(|target| target.name == name).map(|target| named.push(target)).is_some(),
        };
        if !good || !(0.0..=100_000.0).contains(&minutes) {
            eprintln!("`{word}` is not understood.\n\n{HELP}{}", names());
            return ExitCode::from(2);
        }
    }
    let targets = if named.is_empty() { all() } else { named };
    let seed = seed.unwrap_or_else(|| std::process::id().into());
    let each = Duration::from_secs_f64(minutes * 60.0 / targets.len() as f64);
    println!(
        "seed {seed} (--seed {seed} repeats it), {:.1} s for each of {} targets",
        each.as_secs_f64(),
        targets.len()
    );
    let broken = targets.iter().filter(|target| !run(target, seed, each)).count();
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(target: &Target, seed: u64, each: Duration) -> bool {
    match look(target, seed, Budget::Time(each)) {
        Ok(looked) => {
            let branches = looked.branches.map_or(String::new(), |(taken, all)| format!(", {taken} of {all} branches"));
            println!("{:16} {:>10} inputs, {:>4} kept{branches}", target.name, looked.inputs, looked.kept);
            true
        }
        Err(finding) => {
            let shown = String::from_utf8_lossy(&finding.input);
            let kept = finding.kept_at.map(|path| path.display().to_string()).unwrap_or_default();
            println!("{}: {}\n  input: {shown:?}\n  kept at {kept}", target.name, finding.why);
            false
        }
    }
}

fn names() -> String {
    all().iter().map(|target| format!("  {}\n", target.name)).collect()
}
