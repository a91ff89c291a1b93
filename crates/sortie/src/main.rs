//! The program `sortie`: hub, agent, demo and every command in one file that one can copy anywhere.

use std::process::ExitCode;

fn main() -> ExitCode {
    sortie_agent::launch_if_asked();
    sortie::run(std::env::args_os())
}
