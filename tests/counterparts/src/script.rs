//! A script that plays a counterpart: it ends with its standard input.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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
    pub(crate) fn start(mut command: Command) -> Result<Script, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut child = command
            .env_clear()
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped above"));
        let mut said = String::new();
        stdout.read_line(&mut said).expect("a script speaks UTF-8");
        let port = said.strip_prefix("ready ").and_then(|port| port.trim_end().parse().ok());
        let mut stderr = child.stderr.take().expect("piped above");
        if let Some(port) = port {
            // What it complains of is read and dropped, so that it never waits for a reader.
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
            return Ok(Script { child, stdin, port, stdout });
        }
        let _ = child.kill();
        let _ = stderr.read_to_string(&mut said);
        let _ = child.wait();
        Err(said)
    }

    /// Says one line to the script.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is closed only at the end");
        writeln!(stdin, "{line}").expect("the script listens");
    }

    /// The next line of the script that is an object.
    pub(crate) fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            let bytes = self.stdout.read_line(&mut line).expect("a script speaks UTF-8");
            assert!(bytes > 0, "the script ended");
            if line.starts_with('{') {
                return line;
            }
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
