//! A shell script that keeps a server: it says `ready`, and ends the server when its standard input ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A script at work. Dropped, it stops its server and tidies up; so it does when the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Keeper {
    stdin: Option<ChildStdin>,
    script: Child,
}

impl Keeper {
    /// Starts a script with this folder as its argument, which becomes the script's to remove. Returns what it said if
    /// that was not `ready`.
    pub(crate) fn start(script: &str, name: &str, folder: &Path) -> Result<Keeper, String> {
        let mut script = Command::new("sh")
            .args(["-c", script, name])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A key pressed at the terminal must not take the keeper along before it has tidied up.
            .process_group(0)
            .spawn()
            .expect("sh can be run");
        let stdin = script.stdin.take();
        let mut stdout = BufReader::new(script.stdout.take().expect("piped above"));
        let mut said = String::new();
        stdout.read_line(&mut said).expect("the keeper speaks UTF-8");
        if said == "ready\n" {
            return Ok(Keeper { stdin, script });
        }
        stdout.read_to_string(&mut said).expect("the keeper speaks UTF-8");
        drop(stdin);
        let _ = script.wait();
        Err(said)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The end of its input is what the keeper waits for.
        drop(self.stdin.take());
        let _ = self.script.wait();
    }
}

/// A folder for a server, which its keeper removes.
pub(crate) fn folder_for(server: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("sortie-{server}-")).tempdir();
    folder.expect("a folder for the server").keep()
}

/// A file in such a folder.
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a new folder can be written");
}
