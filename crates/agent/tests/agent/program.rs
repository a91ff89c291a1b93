//! The slim program as a process, on a site of a test hub's.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process_group};

use super::agents::Site;

/// `sortie-agent run`, until it is dropped: then it is killed.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it on the data folder of a site that has enrolled.
    pub(crate) fn start(site: &Site) -> Program {
        Program::run(site, Command::new(env!("CARGO_BIN_EXE_sortie-agent")))
    }

    /// The same on a machine whose clock shows the test hub's time at its start.
    pub(crate) fn start_at_the_hub_s_time(site: &Site) -> Program {
        let mut command = Command::new("faketime");
        command.env("TZ", "UTC").env("NO_FAKE_STAT", "1");
        command.args(["--exclude-monotonic", "-f", &format!("@{}", super::hub::NOW_IN_WORDS)]);
        command.arg(env!("CARGO_BIN_EXE_sortie-agent"));
        Program::run(site, command)
    }

    fn run(site: &Site, mut command: Command) -> Program {
        std::fs::write(site.data().join("agent.toml"), "[proxy]\nurl = \"none\"\n").unwrap();
        command.arg("run").arg("--data").arg(site.data()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::options().create(true).append(true).open(log_of(site)).unwrap());
        // faketime stays, beside what it begins.
        Program(command.process_group(0).spawn().unwrap())
    }

    /// Ends it where it stands.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _it_has_ended = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
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
