//! A private imaging server: Debian's Orthanc, with a plugin in Python.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::ports::free_port;

/// How often to look for another port when someone took the one that was free a moment ago.
const STARTS_MAX: u32 = 5;
/// What its log says when it listens.
const READY: &str = "Orthanc has started";

/// An imaging server on a port of 127.0.0.1. It is gone when this is dropped.
#[derive(Debug)]
pub struct Orthanc {
    port: u16,
    folder: TempDir,
    stdin: Option<ChildStdin>,
    keeper: Child,
}

impl Orthanc {
    /// Starts one with this plugin, whose service token is `token`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(plugin: &Path, token: &str) -> Orthanc {
        let mut said = String::new();
        for _ in 0..STARTS_MAX {
            match try_start(plugin, token, free_port()) {
                Ok(server) => return server,
                Err(why) => said = why,
            }
        }
        panic!("Orthanc does not start; `cargo xtask test` installs it:\n{said}");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file with the header by which the agent is known to it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn headers_file(&self) -> PathBuf {
        let file = self.folder.path().join("headers");
        let token = std::fs::read_to_string(self.folder.path().join("token")).expect("written at the start");
        std::fs::write(&file, format!("Authorization: Bearer {token}\n")).expect("the folder can be written");
        file
    }
}

fn try_start(plugin: &Path, token: &str, port: u16) -> Result<Orthanc, String> {
    let folder = tempfile::Builder::new().prefix("sortie-orthanc-").tempdir().expect("a folder for Orthanc");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("token"), token).expect("the folder can be written");
    let python = std::fs::read_dir("/usr/lib/orthanc").into_iter().flatten().flatten().map(|entry| entry.path());
    let python = python.into_iter().find(|path| path.to_string_lossy().contains("libOrthancPython.so"));
    let python = python.ok_or("Orthanc's plugin for Python is not there (Debian's orthanc-python)")?;
    let settings = format!(
        r#"{{"Name": "test", "HttpPort": {port}, "DicomServerEnabled": false, "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false, "StorageDirectory": {db:?}, "IndexDirectory": {db:?},
            "Plugins": [{python:?}], "PythonScript": {plugin:?}, "ImagingTrust": {{"TokenFile": {token:?}}}}}"#,
        db = at("db"),
        token = at("token"),
    );
    std::fs::write(at("settings.json"), settings).expect("the folder can be written");
    let mut keeper = Command::new("sh")
        .args(["-c", include_str!("orthanc.sh"), "orthanc"])
        .arg(at("settings.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdin = keeper.stdin.take();
    let mut log = BufReader::new(keeper.stdout.take().expect("piped above")).lines();
    let mut said = String::new();
    while let Some(Ok(line)) = log.next() {
        if line.contains(READY) {
            // Whatever else it says is read, so that it never waits for a reader.
            std::thread::spawn(move || log.for_each(drop));
            return Ok(Orthanc { port, folder, stdin, keeper });
        }
        let has_ended = line.contains("Orthanc has stopped") || line.contains("Uncaught exception");
        said += &line;
        said.push('\n');
        if has_ended {
            break;
        }
    }
    drop(stdin);
    let _ended = keeper.wait();
    Err(said)
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.keeper.wait();
    }
}
