//! The real program as a process: started in a folder of its own, asked over its own listeners, ended.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use sortie_client::people::{Hub as Line, Token};
use sortie_client::retry::Patience;
use sortie_client::{Connect, Proxy, Trust};
use sortie_rules::time::Span;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::cli::Setup;
use crate::machine::{clock, entropy};
use crate::process;

/// How long a hub may take to come up or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub that runs.
pub(crate) struct Hub {
    child: Child,
    data: PathBuf,
    listen: SocketAddr,
    operations: SocketAddr,
    /// Variables that it was given.
    set: Vec<(String, String)>,
    /// From the start of the process until it was ready.
    pub(crate) came_up_in: Duration,
}

impl Hub {
    /// Starts one in this folder and waits until it is ready.
    pub(crate) async fn start(setup: &Setup, data: &Path) -> anyhow::Result<Hub> {
        Hub::start_with(setup, data, &[]).await
    }

    /// The same with these variables.
    pub(crate) async fn start_with(setup: &Setup, data: &Path, set: &[(&str, String)]) -> anyhow::Result<Hub> {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Hub::start_at(setup, data, free_addresses()?, set).await
    }

    /// Starts another one on the same database, with variables that say where that is, and the administrator's token.
    pub(crate) async fn beside(&self, setup: &Setup, data: &Path, set: &[(&str, String)]) -> anyhow::Result<Hub> {
        let hub = Hub::start_with(setup, data, set).await?;
        std::fs::write(data.join("admin.token"), self.token()?)?;
        Ok(hub)
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn start_at(
        setup: &Setup,
        data: &Path,
        (listen, operations): (SocketAddr, SocketAddr),
        set: Vec<(String, String)>,
    ) -> anyhow::Result<Hub> {
        let program = setup.sortie()?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(data.with_extension("log"))?;
        let begun = Instant::now();
        let mut command = Command::new(&program);
        command.args(["hub", "--until-stdin-closes", "--listen", &listen.to_string(), "--data"]).arg(data);
        command.env("SORTIE_HUB_OPERATIONS_LISTEN", operations.to_string());
        command.envs(set.iter().map(|(name, value)| (name, value)));
        // All load comes from one address.
        command.env("SORTIE_HUB_CONNECTIONS_PER_ADDRESS_MAX", "50000");
        command.env("SORTIE_HUB_LIMITS__REQUESTS_PER_PRINCIPAL", "0");
        command.env("SORTIE_HUB_LIMITS__REQUESTS_PER_ADDRESS", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let mut hub = Hub { child, data: data.to_owned(), listen, operations, set, came_up_in: Duration::ZERO };
        hub.until_ready(begun).await?;
        hub.came_up_in = begun.elapsed();
        Ok(hub)
    }

    async fn until_ready(&mut self, begun: Instant) -> anyhow::Result<()> {
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the hub ended by itself ({status}); its log is {}", self.data.with_extension("log").display());
            }
            if self.ask("/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("the hub was not ready within {PATIENCE:?}")
    }

    /// Asks the operators' listener. The answer comes with its head.
    async fn ask(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.operations).await?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The sum of a counter over all its labels.
    pub(crate) async fn counter(&self, name: &str) -> anyhow::Result<u64> {
        let page = self.ask("/metrics").await?;
        let lines = page.lines().filter(|line| line.starts_with(name));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// One line of the metrics, which begins so.
    pub(crate) async fn metric(&self, begins: &str) -> anyhow::Result<f64> {
        let page = self.ask("/metrics").await?;
        let line = page.lines().find(|line| line.starts_with(begins));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        value.with_context(|| format!("the hub does not count {begins}"))
    }

    /// Where it listens.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// How it is reached, and whom to believe.
    pub(crate) fn connect(&self) -> anyhow::Result<Connect> {
        let trust = Trust::Pem(std::fs::read_to_string(self.data.join("ca.pem"))?);
        Ok(Connect { proxy: Proxy::Direct, ..Connect::new(format!("https://{}", self.listen), trust, clock()) })
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.data.join("admin.token"))?.trim().to_owned())
    }

    /// The hub as a person sees it.
    pub(crate) fn line(&self) -> anyhow::Result<Line> {
        let patience = Patience { total: Span::seconds(30), entropy: entropy() };
        Ok(Line::open(&self.connect()?, Token(self.token()?), patience)?)
    }

    /// The same, each call tried once.
    pub(crate) fn line_once(&self) -> anyhow::Result<Line> {
        let patience = Patience { total: Span::ZERO, entropy: entropy() };
        Ok(Line::open(&self.connect()?, Token(self.token()?), patience)?)
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// The memory that it holds, in KiB.
    pub(crate) fn memory(&self) -> Option<u64> {
        process::proportional_kib(self.pid())
    }

    /// Ends it, as a power cut would or in the orderly way, and starts it again at the same addresses.
    pub(crate) async fn restart(&mut self, setup: &Setup, kill: bool) -> anyhow::Result<()> {
        if kill {
            self.child.kill().await?;
        } else {
            self.end().await?;
        }
        let data = self.data.clone();
        *self = Hub::start_at(setup, &data, (self.listen, self.operations), std::mem::take(&mut self.set)).await?;
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.end().await
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// Two addresses that nobody uses at the moment. Held together, so that they differ.
fn free_addresses() -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let bind = || TcpListener::bind(("127.0.0.1", 0)).context("no free port can be had");
    let (one, other) = (bind()?, bind()?);
    Ok((one.local_addr()?, other.local_addr()?))
}
