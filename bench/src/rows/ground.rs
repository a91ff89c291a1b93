//! What most rows stand on: a hub in a folder of its own, with nodes that are enrolled.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
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

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) database_bytes: u64,
    /// The log of writes, which both engines keep beside it.
    pub(crate) wal_bytes: u64,
}

/// A hub with nodes.
pub(crate) struct Ground {
    pub(crate) hub: Hub,
    pub(crate) fleet: Fleet,
    /// What the hub keeps everything in.
    pub(crate) engine: &'static str,
    /// The server that the hub's database is on, and the database's address, if it has one of its own.
    server: Option<(Arc<Postgres>, String)>,
    /// Dropped last: everything lies in it.
    _folder: TempDir,
}

/// The variables with which hubs share the database at this address, with a master key in this folder.
pub(super) async fn on_postgres(
    setup: &Setup,
    database: String,
    folder: &Path,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let master_key = folder.join("master.key");
    let made = Command::new(setup.sortie()?).args(["hub", "master-key"]).arg(&master_key).output().await?;
    ensure!(made.status.success(), "the hub's program made no master key");
    Ok(vec![("SORTIE_HUB_DATABASE_URL", database), ("SORTIE_HUB_MASTER_KEY_FILE", master_key.display().to_string())])
}

impl Ground {
    /// A hub with so many nodes, whose agents do not run.
    pub(crate) async fn new(setup: &Setup, nodes: usize) -> anyhow::Result<Ground> {
        Ground::set(setup, nodes, &[]).await
    }

    /// The same with these variables of the hub's.
    pub(crate) async fn set(setup: &Setup, nodes: usize, set: &[(&str, String)]) -> anyhow::Result<Ground> {
        Ground::with(setup, nodes, Postgres::start_durable, set).await
    }

    /// The same for a long time: a PostgreSQL server tidies up as it does where people use it.
    pub(crate) async fn for_long(setup: &Setup, nodes: usize) -> anyhow::Result<Ground> {
        Ground::with(setup, nodes, Postgres::start_for_long, &[]).await
    }

    async fn with(
        setup: &Setup,
        nodes: usize,
        server: fn() -> Postgres,
        more: &[(&str, String)],
    ) -> anyhow::Result<Ground> {
        ensure!(nodes > 0, "at least one node is needed");
        let folder = setup.scratch()?;
        let server = match setup.postgres {
            true => Some(tokio::task::spawn_blocking(server).await?),
            false => None,
        };
        let server = server.map(|server| {
            let database = server.fresh_database();
            (Arc::new(server), database)
        });
        let mut set = match &server {
            Some((_, database)) => on_postgres(setup, database.clone(), folder.path()).await?,
            None => Vec::new(),
        };
        set.extend_from_slice(more);
        let engine = if server.is_some() { "PostgreSQL" } else { "SQLite" };
        let hub = Hub::start_with(setup, &folder.path().join("hub"), &set).await?;
        let fleet = Fleet::enroll(&hub, folder.path(), nodes).await?;
        Ok(Ground { hub, fleet, engine, server, _folder: folder })
    }

    /// Fills the queues of all nodes with so many tasks in all. `mixed` says whether the tasks of a
    /// request are for all nodes in turn.
    pub(crate) async fn fill(&self, count: u64, nodes: usize, mixed: bool) -> anyhow::Result<()> {
        let time = std::time::Duration::MAX;
        let errand = Errand { first: 0, batch: 100, count, time, nodes, mixed, keyed: false };
        submit(&self.hub, Desk::open_many(&self.hub, FILLERS).await?, errand).await.map(drop)
    }

    /// How much is kept at the moment.
    pub(crate) async fn kept(&self) -> anyhow::Result<Kept> {
        let Some((server, database)) = self.server.clone() else {
            let bytes = |name: &str| std::fs::metadata(self.hub.data().join(name)).map_or(0, |file| file.len());
            return Ok(Kept { database_bytes: bytes("sortie.db"), wal_bytes: bytes("sortie.db-wal") });
        };
        let sizes =
            "select pg_database_size(current_database()) union all select sum(size)::bigint from pg_ls_waldir()";
        let sizes = tokio::task::spawn_blocking(move || server.sql(&database, sizes)).await?;
        let bytes = |at: usize| sizes.get(at).and_then(|size| size.parse().ok()).unwrap_or(0);
        Ok(Kept { database_bytes: bytes(0), wal_bytes: bytes(1) })
    }

    /// Asks the hub's database beside it: the first column of each row, as text.
    pub(crate) async fn sql(&self, statement: String) -> anyhow::Result<Vec<String>> {
        let (server, file) = (self.server.clone(), self.hub.data().join("sortie.db"));
        let asked = tokio::task::spawn_blocking(move || match server {
            Some((server, database)) => Ok(server.sql(&database, &statement)),
            None => sqlite(&file, &statement).with_context(|| statement),
        });
        asked.await?
    }

    /// Ends it.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.hub.stop().await
    }
}

fn sqlite(file: &Path, statement: &str) -> anyhow::Result<Vec<String>> {
    let database = rusqlite::Connection::open(file)?;
    let mut prepared = database.prepare(statement)?;
    if prepared.column_count() == 0 {
        prepared.execute([])?;
        return Ok(Vec::new());
    }
    let column = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
    let values = prepared.query_map([], column)?.collect::<Result<Vec<_>, _>>()?;
    let text = |value| match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    Ok(values.into_iter().map(text).collect())
}
