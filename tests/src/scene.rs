//! Where a story plays: a folder of its own, an engine, and a seed. When the story fails, the last
//! words of everyone in it are printed.

use std::path::{Path, PathBuf};

use counterparts::Postgres;
use tempfile::TempDir;

use crate::ports::free_port;
use crate::{Engine, HubPlan, Program, Seed};

/// How many lines of each log a failed story prints.
const LINES_SHOWN: usize = 40;

/// Where a story plays.
#[derive(Debug)]
pub struct Scene {
    folder: TempDir,
    seed: Seed,
    chance: Seed,
    postgres: Option<Postgres>,
}

impl Scene {
    /// An empty place. On PostgreSQL, a private server is started.
    pub fn new(engine: Engine) -> Scene {
        Scene::place((engine == Engine::Postgres).then(Postgres::start))
    }

    /// An empty place with this PostgreSQL server.
    pub fn with_postgres(server: Postgres) -> Scene {
        Scene::place(Some(server))
    }

    fn place(postgres: Option<Postgres>) -> Scene {
        sortie_client::install_crypto();
        let folder = tempfile::Builder::new().prefix("sortie-story-").tempdir().expect("there is a temporary folder");
        for name in ["logs", "sites"] {
            std::fs::create_dir(folder.path().join(name)).expect("a new folder can be written");
        }
        Scene { folder, seed: Seed::of_this_run(), chance: Seed::by_chance(), postgres }
    }

    /// An empty place for a story on SQLite.
    pub fn on_sqlite() -> Scene {
        Scene::new(Engine::Sqlite)
    }

    /// The story's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the story's choices come from.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The file with the key that seals hubs' keys in a database.
    pub fn master_key(&self) -> PathBuf {
        let file = self.folder().join("master.key");
        if !file.exists() {
            crate::Ended::of(Program::Sortie.command().args(["hub", "master-key"]).arg(&file)).well();
        }
        file
    }

    /// A hub with a data folder and ports of its own. Nothing runs yet.
    pub fn hub(&self) -> HubPlan<'_> {
        self.hub_named("hub")
    }

    /// One more hub, in a story with several.
    pub fn hub_named(&self, name: &str) -> HubPlan<'_> {
        let plan = HubPlan::new(self, name);
        match &self.postgres {
            Some(server) => {
                let master_key = self.master_key();
                plan.setting("database_url", server.fresh_database()).setting("master_key_file", master_key.display())
            }
            None => plan,
        }
    }

    /// The private PostgreSQL server, in a story on that engine.
    pub fn postgres(&self) -> Option<&Postgres> {
        self.postgres.as_ref()
    }

    /// A port of 127.0.0.1 that nobody listens on.
    pub fn free_port(&self) -> u16 {
        free_port(&self.chance)
    }

    /// The log of someone in the story.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder().join("logs").join(format!("{name}.log"))
    }

    fn print_logs(&self) {
        let Ok(logs) = std::fs::read_dir(self.folder().join("logs")) else { return };
        for log in logs.flatten() {
            let text = std::fs::read(log.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            println!("── the end of {}", log.file_name().to_string_lossy());
            println!("{}", lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"));
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_logs();
        }
    }
}
