//! Where the Python programs and libraries of `requirements.txt` are, and how one of them is run.
//!
//! `cargo xtask test` installs them into a folder of their own under the user's cache.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What is to be installed, as `pip` reads it.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The folder of the virtual environment, below the user's cache.
///
/// # Panics
/// If there is neither `XDG_CACHE_HOME` nor `HOME`.
pub fn python_folder() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).expect("HOME says where the cache is").join("sortie/python")
}

/// A script at work. It ends with the end of its standard input, and so with whoever holds this,
/// however that comes about.
#[derive(Debug)]
pub(crate) struct Script {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) port: u16,
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Script {
    /// Starts a script and waits until it says `ready` and its port. Returns what it said otherwise.
    pub(crate) fn start(text: &str, arguments: &[&str]) -> Result<Script, String> {
        let python = python_folder().join("bin/python");
        assert!(python.is_file(), "this test needs the Python packages of tests/counterparts; run `cargo xtask test`");
        let mut child = Command::new(python)
            .args(["-c", text])
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python can be run");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped above"));
        let mut said = String::new();
        stdout.read_line(&mut said).expect("a script speaks UTF-8");
        let port = said.strip_prefix("ready ").and_then(|port| port.trim_end().parse().ok());
        if let Some(port) = port {
            return Ok(Script { child, stdin, port, stdout });
        }
        let mut stderr = child.stderr.take().expect("piped above");
        let _ = child.kill();
        let _ = stderr.read_to_string(&mut said);
        let _ = child.wait();
        Err(said)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
