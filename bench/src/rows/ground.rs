//! What most rows stand on: a hub in a folder of its own, with nodes that are enrolled.

use std::path::Path;

use anyhow::ensure;
use counterparts::Postgres;
use tempfile::TempDir;
use tokio::process::Command;

use crate::cli::Setup;
use crate::crowd::{Errand, submit};
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::load::Desk;

/// Most connections that fill a backlog.
const FILLERS: usize = 8;

/// A hub with nodes.
pub(super) struct Ground {
    pub(super) hub: Hub,
    pub(super) fleet: Fleet,
    /// What the hub keeps everything in.
    pub(super) engine: &'static str,
    /// The hub's database, if it has one of its own.
    _server: Option<Postgres>,
    /// Dropped last: everything lies in it.
    _folder: TempDir,
}

/// The variables with which hubs share a new database of this server, with a master key in this folder.
pub(super) async fn on_postgres(
    setup: &Setup,
    server: &Postgres,
    folder: &Path,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let master_key = folder.join("master.key");
    let made = Command::new(setup.sortie()?).args(["hub", "master-key"]).arg(&master_key).output().await?;
    ensure!(made.status.success(), "the hub's program made no master key");
    Ok(vec![
        ("SORTIE_HUB_DATABASE_URL", server.fresh_database()),
        ("SORTIE_HUB_MASTER_KEY_FILE", master_key.display().to_string()),
    ])
}

impl Ground {
    /// A hub with so many nodes, whose agents do not run.
    pub(super) async fn new(setup: &Setup, nodes: usize) -> anyhow::Result<Ground> {
        ensure!(nodes > 0, "at least one node is needed");
        let folder = setup.scratch()?;
        let server = match setup.postgres {
            true => Some(tokio::task::spawn_blocking(Postgres::start_durable).await?),
            false => None,
        };
        let set = match &server {
            Some(server) => on_postgres(setup, server, folder.path()).await?,
            None => Vec::new(),
        };
        let engine = if server.is_some() { "PostgreSQL" } else { "SQLite" };
        let hub = Hub::start_with(setup, &folder.path().join("hub"), &set).await?;
        let fleet = Fleet::enroll(&hub, folder.path(), nodes).await?;
        Ok(Ground { hub, fleet, engine, _server: server, _folder: folder })
    }

    /// Fills the queues of all nodes with so many tasks in all. `mixed` says whether the tasks of a
    /// request are for all nodes in turn.
    pub(super) async fn fill(&self, count: u64, nodes: usize, mixed: bool) -> anyhow::Result<()> {
        let time = std::time::Duration::MAX;
        let errand = Errand { first: 0, batch: 100, count, time, nodes, mixed, keyed: false };
        submit(&self.hub, Desk::open_many(&self.hub, FILLERS).await?, errand).await.map(drop)
    }

    /// Ends it.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.hub.stop().await
    }
}
