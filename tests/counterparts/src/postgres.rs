//! A private PostgreSQL server.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::ports::free_port;

/// How often to look for another port when someone took the one that was free a moment ago.
const STARTS_MAX: u32 = 5;

/// Where a server listens of which nothing else was said.
const LOOPBACK: &str = "127.0.0.1";

/// Waits until a standby confirms what is committed.
const UNTIL_CONFIRMED: &str = "
    do $$ begin
        for turn in 1..3000 loop
            if exists (select from pg_stat_replication where sync_state = 'sync') then return; end if;
            perform pg_sleep(0.02);
        end loop;
        raise 'no standby has come';
    end $$";

/// A PostgreSQL server of this test process, on a port of 127.0.0.1 of its own. It is gone, files
/// and all, when this is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    address: String,
    port: u16,
    databases: AtomicU32,
    line: Mutex<Option<Line>>,
    keeper: Child,
}

/// The line to the keeper of a server.
#[derive(Debug)]
struct Line {
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts a server that does not wait for the disk: quick, and of no use after a power cut.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn start() -> Postgres {
        start("off", "off", LOOPBACK, "", &[])
    }

    /// Starts a server that commits to the disk, for tests that are about that.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn start_durable() -> Postgres {
        start("on", "off", LOOPBACK, "", &[])
    }

    /// Starts a server that commits to the disk and takes dead rows away, for what goes on for long.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn start_for_long() -> Postgres {
        start("on", "on", LOOPBACK, "", &[])
    }

    /// Starts a server on an address other than loopback, run by another program, for example `nsenter`, which gets its
    /// command line as the end of its own. It does not wait for the disk, and believes whoever comes.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn start_at(address: &str, wrapper: &[&str]) -> Postgres {
        start("off", "off", address, "", wrapper)
    }

    /// Starts a standby of this server, which gets all that this one commits, and can be read.
    ///
    /// # Panics
    /// If PostgreSQL does not start.
    pub fn standby(&self) -> Postgres {
        start("on", "off", LOOPBACK, &self.port.to_string(), &[])
    }

    /// From now on nothing is committed that the standby has not got on its disk. Waits until it has all so far.
    ///
    /// # Panics
    /// If there is no standby.
    pub fn commit_with_standby(&self) {
        let url = self.url();
        self.sql(&url, "alter system set synchronous_standby_names = 'standby'");
        self.sql(&url, "select pg_reload_conf()");
        self.sql(&url, UNTIL_CONFIRMED);
    }

    /// Makes a server of this standby that takes writes, and follows nobody any more.
    pub fn promote(&self) {
        self.tell("promote");
    }

    /// One server for all tests of the process; each takes a [`Postgres::fresh_database`].
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Postgres::start)
    }

    /// The address of the database `postgres`, for example `postgres://postgres@127.0.0.1:5433/postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The address at this server of the database that `url` names at another.
    ///
    /// # Panics
    /// If it names none.
    pub fn same_database(&self, url: &str) -> String {
        self.url_of(url.rsplit('/').next().expect("an address names a database"))
    }

    /// Makes an empty database and returns its address.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn fresh_database(&self) -> String {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(self.programs.join("createdb"))
            .args(["-h", &self.address, "-U", "postgres", "-p", &self.port.to_string(), &name])
            .output()
            .expect("createdb can be run");
        assert!(made.status.success(), "createdb failed: {}", String::from_utf8_lossy(&made.stderr));
        self.url_of(&name)
    }

    /// Runs a statement in the database of this address: the lines that it gives.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn sql(&self, url: &str, statement: &str) -> Vec<String> {
        let asked = Command::new(self.programs.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
                url,
            ])
            .output()
            .expect("psql can be run");
        assert!(asked.status.success(), "{statement}: {}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8_lossy(&asked.stdout).lines().map(str::to_owned).collect()
    }

    /// Ends every part of the server as SIGKILL does. It can be started again.
    pub fn kill(&self) {
        self.tell("kill");
    }

    /// Ends the server in an orderly way: whoever is connected is told. It can be started again.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Starts the server again, on the same port and data.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// Tells the keeper a word, and waits until it is done.
    fn tell(&self, word: &str) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line.as_mut().expect("the keeper is there as long as this is");
        writeln!(line.words, "{word}").expect("the keeper listens");
        let mut said = String::new();
        line.answers.read_line(&mut said).expect("the keeper speaks UTF-8");
        if said != "done\n" {
            let _rest = line.answers.read_to_string(&mut said);
            panic!("PostgreSQL cannot be told to {word}:\n{said}");
        }
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@{}:{}/{database}", self.address, self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of its input is what the keeper waits for; then it stops the server and tidies up.
        drop(self.line.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.keeper.wait();
    }
}

fn start(sync: &str, vacuum: &str, address: &str, primary: &str, wrapper: &[&str]) -> Postgres {
    let programs = programs();
    let mut said = String::new();
    for _ in 0..STARTS_MAX {
        let port = free_port();
        match try_start(&programs, &[&port.to_string(), sync, vacuum, address, primary], wrapper) {
            Ok((line, keeper)) => {
                let (line, address) = (Mutex::new(Some(line)), address.to_owned());
                return Postgres { programs, address, port, databases: AtomicU32::new(0), line, keeper };
            }
            Err(why) => said = why,
        }
    }
    panic!("PostgreSQL does not start:\n{said}");
}

fn try_start(programs: &Path, how: &[&str], wrapper: &[&str]) -> Result<(Line, Child), String> {
    let folder = tempfile::Builder::new().prefix("sortie-postgres-").tempdir().expect("a folder for the server").keep();
    let words: Vec<&str> =
        wrapper.iter().copied().chain(["sh", "-c", include_str!("postgres.sh"), "postgres"]).collect();
    let mut keeper = Command::new(words[0])
        .args(&words[1..])
        .args([&folder, programs])
        .args(how)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A key pressed at the terminal, or a runner that kills the test's group, must not take the
        // keeper along before it has tidied up.
        .process_group(0)
        .spawn()
        .expect("sh can be run");
    let words = keeper.stdin.take().expect("piped above");
    let mut answers = BufReader::new(keeper.stdout.take().expect("piped above"));
    let mut said = String::new();
    answers.read_line(&mut said).expect("the keeper speaks UTF-8");
    if said == "ready\n" {
        return Ok((Line { words, answers }, keeper));
    }
    answers.read_to_string(&mut said).expect("the keeper speaks UTF-8");
    let _ = keeper.wait();
    Err(said)
}

/// The folder with the newest server's programs. Debian keeps them off the path.
fn programs() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = installed.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.max().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    newest.unwrap_or_else(|| {
        panic!("this test needs PostgreSQL; install the Debian package `postgresql`, or see `cargo xtask test`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_there_while_it_is_held_and_gone_afterwards() {
        let server = Postgres::start();
        let (one, other) = (server.fresh_database(), server.fresh_database());
        assert_ne!(one, other);
        let address = ("127.0.0.1", server.port);
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop(server);
        assert!(std::net::TcpStream::connect(address).is_err());
    }

    #[test]
    fn a_server_that_was_killed_is_started_again_with_what_it_has_committed() {
        let server = Postgres::start_durable();
        let url = server.fresh_database();
        server.sql(&url, "create table kept (word text)");
        for end in [Postgres::kill, Postgres::stop] {
            server.sql(&url, "insert into kept values ('x')");
            end(&server);
            assert!(std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err());
            server.start_again();
        }
        assert_eq!(server.sql(&url, "select count(*) from kept"), ["2"]);
    }

    #[test]
    fn a_standby_has_what_was_committed_and_takes_the_place_of_its_server() {
        let server = Postgres::start_durable();
        let url = server.fresh_database();
        let standby = server.standby();
        server.commit_with_standby();
        server.sql(&url, "create table kept as select 'x' as word");
        let there = standby.same_database(&url);
        assert_eq!(standby.sql(&there, "select pg_is_in_recovery()"), ["t"]);
        server.kill();
        standby.promote();
        standby.sql(&there, "insert into kept values ('y')");
        assert_eq!(standby.sql(&there, "select count(*) from kept"), ["2"]);
    }
}
