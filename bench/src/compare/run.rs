//! Runs everybody in turn.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio::process::Command;

use super::plan::{Comparison, PLAN};
use super::table;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::rows;

/// How long one script may take.
const SCRIPT_TIME: Duration = Duration::from_secs(240);

/// What to compare with what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Compare {
    /// The folder with the others' scripts, `a_NAME.js`
    #[arg(long, value_name = "DIR", env = "SORTIE_BENCH_PEERS")]
    peers: PathBuf,
    /// Which of them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    #[arg(default_value = "bullmq,rabbitmq,graphile,pgboss,beanstalkd")]
    with: Vec<String>,
    /// Which rows
    #[arg(long, value_name = "ROWS", value_delimiter = ',', default_value = "p1,p2,p3,p4")]
    rows: Vec<String>,
    /// How often everybody has a turn; the best turn of each counts
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    rounds: usize,
}

/// Runs everybody in turn, prints every figure as it comes, and in the end the table.
pub(crate) async fn run(setup: &Setup, compare: &Compare) -> anyhow::Result<()> {
    let plan: Vec<&Comparison> = PLAN.iter().filter(|one| compare.rows.iter().any(|row| row == one.row)).collect();
    ensure!(!plan.is_empty(), "none of these rows can be compared");
    let mut parts: Vec<&str> = plan.iter().map(|one| one.part).collect();
    parts.dedup();
    let mut figures = Vec::new();
    for _ in 0..compare.rounds {
        // Part by part, so that little time lies between what is compared.
        for part in &parts {
            for comparison in plan.iter().filter(|one| one.part == *part) {
                keep(&mut figures, rows::run(comparison.row, setup).await?)?;
            }
            for name in &compare.with {
                keep(&mut figures, script(compare, name, part).await?)?;
            }
        }
    }
    table::print(&plan, &figures)
}

fn keep(figures: &mut Vec<Figure>, more: Vec<Figure>) -> anyhow::Result<()> {
    more.iter().try_for_each(Figure::print)?;
    figures.extend(more);
    Ok(())
}

/// Runs one script and reads its lines. What is not a figure is talk. It finds its libraries by the
/// variables that whoever compares has set.
async fn script(compare: &Compare, name: &str, part: &str) -> anyhow::Result<Vec<Figure>> {
    let file = format!("a_{name}.js");
    ensure!(compare.peers.join(&file).exists(), "there is no {file} in {}", compare.peers.display());
    let mut command = Command::new("node");
    command.arg(&file).current_dir(&compare.peers).env("ONLY", part).stdin(Stdio::null()).stderr(Stdio::inherit());
    let running = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(SCRIPT_TIME, running).await;
    let output = output.with_context(|| format!("{file} did not end"))?.context("node cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
