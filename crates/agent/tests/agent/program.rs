//! The slim program as a process, on a site of a test hub's.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rusqlite::{Connection, OpenFlags};

use super::agents::Site;

/// `sortie-agent run`, until it is dropped: then it is killed.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it on the data folder of a site that has enrolled.
    pub(crate) fn start(site: &Site) -> Program {
        std::fs::write(site.data().join("agent.toml"), "[proxy]\nurl = \"none\"\n").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sortie-agent"));
        command.arg("run").arg("--data").arg(site.data()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::options().create(true).append(true).open(log_of(site)).unwrap());
        Program(command.spawn().unwrap())
    }

    /// Ends it where it stands.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _it_has_ended = self.0.kill();
        let _it_has_ended = self.0.wait();
    }
}

/// What it said.
pub(crate) fn log_of(site: &Site) -> PathBuf {
    site.folder().join("agent.log")
}

/// What a query gives on the ledger of an agent that has ended: the first column of each row.
pub(crate) fn ledger(site: &Site, query: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let ledger = Connection::open_with_flags(site.data().join("ledger.db"), flags).unwrap();
    let mut statement = ledger.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    rows.map(|value| match value.unwrap() {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    })
    .collect()
}
