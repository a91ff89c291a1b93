//! The model check by hand, as far as somebody wants it to look:
//! `cargo run --release --package model -- waits=4 agent_crashes=2 idempotent=no,yes`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who runs it")]

use std::process::ExitCode;
use std::str::FromStr;

use model::{CLAIMS, Line, Plan};
use stateright::report::WriteReporter;
use stateright::{Checker, Model};

const HELP: &str = "\
Looks through every world that can come of a plan, and says which claim does not hold, and how.

Usage: cargo run --release --package model -- [KEY=VALUE…]

  idempotent=no,yes   the tasks, and whether each may be repeated
  hubs=2              hubs on one database
  waits=4             waits that the agent may send
  agent_crashes=1     crashes of the agent
  hub_crashes=1       crashes of the hub
  retries=1           retries of each task
  failures=1          runs that may fail and ask for another
  cancels=1           wishes to cancel
  requeues=1          requeues by a person
  beats=1             heartbeats
  forgotten=1         runs that the ledger forgets after their receipt
  heals=yes           also ask of each world whether it would come to its end
";

fn main() -> ExitCode {
    let mut line = Line { plan: Plan::small(), heals: true };
    for word in std::env::args().skip(1) {
        if let Err(why) = set(&mut line, &word) {
            eprint!("{why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    println!("{:?}", line.plan);
    let checker = line.checker().threads(threads).spawn_bfs().report(&mut WriteReporter::new(&mut std::io::stdout()));
    let found = checker.discoveries();
    let broken: Vec<_> = CLAIMS.iter().filter(|claim| claim.always && found.contains_key(claim.name)).collect();
    println!("{} worlds; {} claims do not hold", checker.unique_state_count(), broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn set(line: &mut Line, word: &str) -> Result<(), String> {
    fn number<T: FromStr>(text: &str) -> Result<T, String> {
        text.parse().map_err(|_| format!("`{text}` is no number of that size"))
    }
    fn yes(text: &str) -> Result<bool, String> {
        match text {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("`{other}` is neither yes nor no")),
        }
    }
    let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no KEY=VALUE"))?;
    let plan = &mut line.plan;
    match key {
        "idempotent" => plan.idempotent = value.split(',').map(yes).collect::<Result<_, _>>()?,
        "hubs" => plan.hubs = number(value)?,
        "waits" => plan.waits = number(value)?,
        "agent_crashes" => plan.agent_crashes = number(value)?,
        "hub_crashes" => plan.hub_crashes = number(value)?,
        "retries" => plan.retries = number(value)?,
        "failures" => plan.failures = number(value)?,
        "cancels" => plan.cancels = number(value)?,
        "requeues" => plan.requeues = number(value)?,
        "beats" => plan.beats = number(value)?,
        "forgotten" => plan.forgotten = number(value)?,
        "heals" => line.heals = yes(value)?,
        other => return Err(format!("there is no `{other}`")),
    }
    Ok(())
}
