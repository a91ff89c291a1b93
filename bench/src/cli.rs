//! What can be asked of the bench.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::compare::{self, Compare};
use crate::rows;
use crate::soak::{self, Soak};

/// Measures what Sortie can carry. Each figure is one line of JSON on standard output.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub(crate) struct Program {
    #[command(subcommand)]
    ask: Ask,
    #[command(flatten)]
    setup: Setup,
}

/// Where things are and how long they are measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Setup {
    /// The program `sortie`; the one beside the bench if absent
    #[arg(long, global = true, value_name = "FILE")]
    sortie: Option<PathBuf>,
    /// The program `sortie-agent`; the one of the profile `agent`, or the one beside the bench, if absent
    #[arg(long, global = true, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Where temporary data folders are made; the machine's own folder for such things if absent
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Keep everything in a private PostgreSQL server, which commits to the disk (p1 to p4, p10, alarms, soak)
    #[arg(long, global = true)]
    pub(crate) postgres: bool,
    /// How long a submitting phase lasts at most
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 4.0)]
    pub(crate) seconds: f64,
    /// How many nodes there are
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 32)]
    pub(crate) nodes: usize,
    /// How many simulated agents `jobs`, `desired` and `p6` have
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 10_000)]
    pub(crate) swarm: usize,
    /// How many ended tasks are kept when `p10` looks, stage by stage
    #[arg(long, global = true, value_name = "COUNTS", value_delimiter = ',', default_value = "10000,1000000")]
    pub(crate) kept: Vec<u64>,
    /// How long each part of `p9` watches, and how long a soak takes
    #[arg(long, global = true, value_name = "MINUTES", default_value_t = 2.0)]
    pub(crate) minutes: f64,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// One task per request, 32 clients
    P1,
    /// A hundred tasks per request
    P2,
    /// Take and complete a backlog; and, apart, whole lives
    P3,
    /// From the call that submits to the start of the handler, at 100 a second
    P4,
    /// Handshakes, and thousands of agents that come back at once after the hub was killed
    P6,
    /// Memory and size of the agent
    P9,
    /// What a task costs with few and with many others kept, and with one, two and four hubs on one PostgreSQL
    P10,
    /// Two hubs on one PostgreSQL database: bells through the other one, and one of them killed
    Replicas,
    /// Memory of the hub for each agent that waits, and a job over all of them
    Jobs,
    /// A publication of desired state to all agents, until each has told of it
    Desired,
    /// A fleet of 100,000 nodes that falls silent at once, until each has its alarm
    Alarms,
    /// What a command handler costs beside a bare fork and exec
    Command,
    /// What signing and verifying a delivery costs
    Deliveries,
    /// What it takes to check a token of an identity provider
    #[command(name = "sign_in")]
    SignIn,
    /// Start-up of the hub
    Startup,
    /// All rows but `p10`, one after the other
    All,
    /// A steady mixture for `--minutes`, with restarts of hub and agents, and a verdict
    Soak(Soak),
    /// Ours beside others, in one run
    Compare(Compare),
}

/// All rows but `p10`, which takes much longer than the others.
const ALL: &[&str] = &[
    "startup",
    "p1",
    "p2",
    "p3",
    "p4",
    "p6",
    "p9",
    "jobs",
    "desired",
    "alarms",
    "command",
    "deliveries",
    "sign_in",
    "replicas",
];

impl Program {
    /// Does what was asked.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let rows: &[&str] = match self.ask {
            Ask::P1 => &["p1"],
            Ask::P2 => &["p2"],
            Ask::P3 => &["p3"],
            Ask::P4 => &["p4"],
            Ask::P6 => &["p6"],
            Ask::P9 => &["p9"],
            Ask::P10 => &["p10"],
            Ask::Replicas => &["replicas"],
            Ask::Jobs => &["jobs"],
            Ask::Desired => &["desired"],
            Ask::Alarms => &["alarms"],
            Ask::Command => &["command"],
            Ask::Deliveries => &["deliveries"],
            Ask::SignIn => &["sign_in"],
            Ask::Startup => &["startup"],
            Ask::All => ALL,
            Ask::Soak(soak) => return soak::run(&self.setup, &soak).await,
            Ask::Compare(compare) => return compare::run(&self.setup, &compare).await,
        };
        for row in rows {
            for figure in rows::run(row, &self.setup).await? {
                figure.print()?;
            }
        }
        Ok(())
    }
}

impl Setup {
    /// The program `sortie`.
    pub(crate) fn sortie(&self) -> anyhow::Result<PathBuf> {
        let beside = own_folder()?.join("sortie");
        let found = self.sortie.clone().unwrap_or(beside);
        anyhow::ensure!(found.exists(), "{} is not there; build it first, or name one with --sortie", found.display());
        Ok(found)
    }

    /// The program `sortie-agent`.
    pub(crate) fn agent(&self) -> anyhow::Result<PathBuf> {
        let folder = own_folder()?;
        let usual = [folder.join("../agent/sortie-agent"), folder.join("sortie-agent")];
        let found = self.agent.iter().chain(&usual).find(|file| file.exists());
        found.cloned().context("there is no sortie-agent; `cargo build --profile agent -p sortie-agent` makes it")
    }

    /// A folder that is gone when the value is.
    pub(crate) fn scratch(&self) -> anyhow::Result<tempfile::TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("sortie-bench-");
        let made = match &self.folder {
            Some(folder) => builder.tempdir_in(folder),
            None => builder.tempdir(),
        };
        made.context("a temporary folder cannot be made")
    }
}

fn own_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("the bench does not find its own folder")?.to_owned())
}
