//! What developers run: `cargo xtask COMMAND`.
//!
//! Everything here is the standard library and the programs that cargo brings, so that this crate
//! builds in a second on a machine that has built nothing else. `cargo xtask test` is all that
//! CI runs, and `cargo xtask demo` is how a newcomer meets Sortie.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to the person who runs them")]

use std::process::ExitCode;

mod api;
mod demo;
mod fuzz;
mod install;
mod partition;
mod programs;
mod test;
mod tidy;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  demo [ARGS…]       Build `sortie` quickly and run `sortie demo ARGS…`: a hub and three agents on
                     this machine, doing real tasks. Try `cargo xtask demo --help` for its options.
  test [-- ARGS…]    Everything that must hold before a commit: formatting, tidy, clippy with
                     warnings as errors, the committed API description, documentation examples and
                     all tests. Installs what a fresh Debian machine lacks, or names it. ARGS go to
                     `cargo nextest run`, for example `cargo xtask test -- a_lapsed_lease`.
  fuzz [TARGET…] [--minutes N] [--seed N]
                     Feed every reader of strangers' bytes, or those named, with what nobody would
                     send, for N minutes; what breaks one is kept in fuzz/corpus. A wrong name lists
                     the targets. `test` looks for a short while, too.
  partition [--minutes N] [--seed N]
                     A fleet in a network that breaks, for N minutes (10 if none is said): roads between
                     database, hubs and agents are closed, lossy or late as the seed draws it, and
                     whenever they are open again everything must be in order. `test` does the same
                     for half a minute.
  tidy [--ratchet]   Only the house rules (STYLE.md says which). With --ratchet, write down the
                     sizes in xtask/ratchet.txt that have shrunk.
  api [--check]      Write openapi/ anew from the hub's code. With --check, write nothing and fail
                     if what is committed differs.
  help               This text.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[] as &[String]),
    };
    let done = match command {
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "fuzz" => fuzz::run(rest),
        "partition" => partition::run(rest),
        "tidy" => tidy::run(rest),
        "api" => api::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprint!("There is no command `{other}`.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\nxtask {command}: {reason}");
            ExitCode::FAILURE
        }
    }
}
