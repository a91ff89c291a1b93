//! `sortie-agent`: the agent as a slim program of its own. `sortie agent` is the same with the rest of
//! Sortie around it.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use clap::Parser;
use sortie_agent::cli::{AgentCommand, AgentExit, run};
use sortie_agent::{Clock, Entropy};
use sortie_rules::time::Millis;

/// Runs work at a site that nobody can dial into: opens every connection itself
#[derive(Debug, Parser)]
#[command(name = "sortie-agent", version)]
struct Program {
    #[command(subcommand)]
    command: AgentCommand,
}

fn main() -> AgentExit {
    sortie_agent::launch_if_asked();
    run(Program::parse().command, clock(), entropy())
}

#[expect(clippy::disallowed_methods, reason = "the program chooses its clock here")]
fn clock() -> Clock {
    Clock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The operating system's randomness. It does not fail on any system that this program starts on.
fn entropy() -> Entropy {
    let source = SystemRandom::new();
    Entropy::new(move |buffer| {
        if source.fill(buffer).is_err() {
            std::process::abort();
        }
    })
}
