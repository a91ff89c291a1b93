//! A private NATS server with JetStream, which can be killed and started again with what it has kept.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// What its log says when it listens.
const READY: &str = "Server is ready";

/// A NATS server on a port of 127.0.0.1, which runs or not. Dropped, it is gone with all it has kept.
#[derive(Debug)]
pub struct Nats {
    plan: NatsPlan,
    folder: TempDir,
    running: Option<Running>,
}

/// How a NATS server is set up.
#[derive(Debug, Clone, Default)]
pub struct NatsPlan {
    /// Where it listens.
    pub port: u16,
    /// Who may come in, and with which password; everybody if absent.
    pub user: Option<(String, String)>,
    /// Who signs the accounts of its users, as its configuration says it.
    pub operator: Option<String>,
    /// The certificate and the key (PEM) with which it speaks TLS, and nothing else.
    pub tls: Option<(String, String)>,
}

#[derive(Debug)]
struct Running {
    pid: String,
    stdin: Option<ChildStdin>,
    keeper: Child,
}

impl Nats {
    /// One that does not run yet.
    ///
    /// # Panics
    /// If there is no temporary folder.
    pub fn planned(plan: NatsPlan) -> Nats {
        let folder = tempfile::Builder::new().prefix("sortie-nats-").tempdir().expect("a folder for NATS");
        Nats { plan, folder, running: None }
    }

    /// One that runs, on this port, for everybody.
    pub fn on(port: u16) -> Nats {
        let mut nats = Nats::planned(NatsPlan { port, ..NatsPlan::default() });
        nats.start();
        nats
    }

    /// Its address.
    pub fn url(&self) -> String {
        let scheme = if self.plan.tls.is_some() { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.plan.port)
    }

    /// Starts it, with what it has kept, and waits until it serves.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "it runs");
        let configuration = self.folder.path().join("nats.conf");
        std::fs::write(&configuration, self.configuration()).expect("the folder can be written");
        let mut keeper = Command::new("sh")
            .args(["-c", include_str!("nats.sh"), "nats"])
            .arg(&configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh can be run");
        let stdin = keeper.stdin.take();
        let mut log = BufReader::new(keeper.stdout.take().expect("piped above")).lines();
        let (mut pid, mut said) = (None, String::new());
        while let Some(Ok(line)) = log.next() {
            if let Some(number) = line.strip_prefix("pid ") {
                pid = Some(number.to_owned());
            }
            if line.contains(READY) {
                // Whatever else it says is read, so that it never waits for a reader.
                std::thread::spawn(move || log.for_each(drop));
                let pid = pid.expect("said before the server starts");
                self.running = Some(Running { pid, stdin, keeper });
                return;
            }
            let has_ended = line.ends_with(": not found") || line.contains("[FTL]");
            writeln!(said, "{line}").expect("writing to a String never fails");
            if has_ended {
                break;
            }
        }
        drop(stdin);
        let _ended = keeper.wait();
        panic!("NATS does not start; `cargo xtask test` installs it:\n{said}");
    }

    /// Stops it in an orderly way.
    pub fn stop(&mut self) {
        drop(self.running.take());
    }

    /// Ends it as a power cut would, but for the disk.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        let killed = Command::new("kill").args(["-KILL", &running.pid]).status().expect("kill can be run");
        assert!(killed.success(), "the server was there");
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path();
        let mut text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: {:?}, max_file: 1GB, max_mem: 64MB }}\n",
            self.plan.port,
            folder.join("kept")
        );
        if let Some((user, password)) = &self.plan.user {
            writeln!(text, "authorization {{ user: {user:?}, password: {password:?} }}").expect("it is a String");
        }
        text += self.plan.operator.as_deref().unwrap_or_default();
        if let Some((certificate, key)) = &self.plan.tls {
            let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
            std::fs::write(&certificate_file, certificate).expect("the folder can be written");
            std::fs::write(&key_file, key).expect("the folder can be written");
            writeln!(text, "tls {{ cert_file: {certificate_file:?}, key_file: {key_file:?} }}")
                .expect("it is a String");
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its input is what the keeper waits for; then it stops the server.
        drop(self.stdin.take());
        let _ended = self.keeper.wait();
    }
}
