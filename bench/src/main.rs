//! What Sortie can carry, measured from outside: the real program as a process, real sockets, real
//! TLS, everything durable, the load on the same machine.
//!
//! `cli` says what can be asked; `rows` holds one file per row of figures; `compare` runs them beside
//! other systems; `soak` goes on for an hour. Below them: `hub` is the program as a process, `load` one
//! connection to it, `crowd` many at once, `fleet` its agents, `swarm` thousands of simulated ones, `work`
//! what they are given, `process` what the kernel tells about a process, `machine` the clock and chance of
//! this one, and `figure` how an outcome is written.

mod cli;
mod compare;
mod crowd;
mod figure;
mod fleet;
mod hub;
mod load;
mod machine;
mod process;
mod rows;
mod soak;
mod swarm;
mod work;

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    sortie_client::install_crypto();
    let program = cli::Program::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // As a task among the others: on the main thread every step would wake one thread more.
    runtime.block_on(runtime.spawn(program.run()))?
}
