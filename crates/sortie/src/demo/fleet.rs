//! The demo's hub and agents: their folders, their processes, and a line to the hub.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use sortie_client::people::{Hub, Token};
use sortie_client::retry::Patience;
use sortie_client::{Connect, Proxy, Trust};
use sortie_rules::liveness::Presence;
use sortie_rules::time::Span;
use sortie_wire::invites::CreateInvite;

use super::child::{Child, Program};
use super::places::{PLACES, Place};
use super::until::until;
use crate::context::Context;
use crate::exit::Failure;

/// How long anything may take to come to life, on a slow and busy machine.
const COMES_UP: Span = Span::seconds(60);
/// How long a call bears with a hub that is away.
const PATIENCE: Span = Span::seconds(60);

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Fleet {
    folder: PathBuf,
    program: Program,
    context: Context,
    port: u16,
    operations_port: u16,
    hub: Option<Child>,
    agents: BTreeMap<&'static str, Child>,
}

impl Fleet {
    /// A fleet in this folder. Nothing runs yet.
    pub(super) fn new(folder: &Path, context: &Context) -> Result<Fleet, Failure> {
        let (port, operations_port) = free_ports()?;
        Ok(Fleet {
            folder: folder.to_owned(),
            program: Program::own()?,
            context: context.clone(),
            port,
            operations_port,
            hub: None,
            agents: BTreeMap::new(),
        })
    }

    /// The hub's data folder.
    pub(super) fn hub_folder(&self) -> PathBuf {
        self.folder.join("hub")
    }

    /// The folder in which a place's files lie: what its policy lets tasks read and write.
    pub(super) fn files(&self, node: &str) -> PathBuf {
        self.folder.join("places").join(node)
    }

    /// Where the hub says that it is alive.
    pub(super) fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}/healthz", self.operations_port)
    }

    /// The hub's address.
    pub(super) fn hub_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The program's file.
    pub(super) fn program(&self) -> &Path {
        &self.program.path
    }

    fn agent_folder(&self, node: &str) -> PathBuf {
        self.folder.join("agents").join(node)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// Starts the hub and waits until it answers over TLS.
    pub(super) async fn start_hub(&mut self) -> Result<Hub, Failure> {
        make_folder(&self.folder.join("logs"))?;
        let (data, listen) = (self.hub_folder(), format!("127.0.0.1:{}", self.port));
        let arguments = ["hub", "--until-stdin-closes", "--listen", &listen, "--data"].map(OsStr::new);
        let operations = ("SORTIE_HUB_OPERATIONS_LISTEN", format!("127.0.0.1:{}", self.operations_port));
        let arguments = [arguments.as_slice(), &[data.as_os_str()]].concat();
        let mut child = self.program.start(&arguments, &[operations], &self.log("hub"))?;
        let answering = until("the hub answers", COMES_UP, async || {
            child.check()?;
            let Some(hub) = self.open(Span::ZERO)? else { return Ok(None) };
            Ok(hub.whoami().await.ok().map(|_| ()))
        });
        answering.await?;
        self.hub = Some(child);
        self.line()
    }

    /// A patient line to the hub: it outlasts a restart.
    pub(super) fn line(&self) -> Result<Hub, Failure> {
        self.open(PATIENCE)?.ok_or_else(|| Failure::other("the hub has not written its address and token yet"))
    }

    /// A line, once the hub has written down how to reach it.
    fn open(&self, total: Span) -> Result<Option<Hub>, Failure> {
        let read = |name: &str| fs::read_to_string(self.hub_folder().join(name)).ok();
        let (Some(_), Some(token), Some(ca)) = (read("hub.url"), read("admin.token"), read("ca.pem")) else {
            return Ok(None);
        };
        let connect = Connect {
            proxy: Proxy::Direct,
            ..Connect::new(self.hub_url(), Trust::Pem(ca), self.context.clock.clone())
        };
        let patience = Patience { total, entropy: self.context.entropy.clone() };
        Ok(Some(Hub::open(&connect, Token(token.trim().to_owned()), patience)?))
    }

    /// Invites and enrols the agent of a place, and writes its policy.
    pub(super) async fn enroll(&self, place: &Place, hub: &Hub) -> Result<(), Failure> {
        let invite = CreateInvite {
            node: place.node.to_owned(),
            site: Some(place.site.to_owned()),
            host: None,
            kind: Some(place.kind.to_owned()),
            labels: BTreeMap::from([(place.label.0.to_owned(), place.label.1.to_owned())]),
            valid_for: None,
            replace: false,
            hub: None,
        };
        let created = hub.create_invite(&invite, None).await?;
        let data = self.agent_folder(place.node);
        let arguments = ["agent", "enroll", "--invite", &created.invite, "--data"].map(OsStr::new);
        self.program.run(&[arguments.as_slice(), &[data.as_os_str()]].concat()).await?;
        make_folder(&self.files(place.node))?;
        write(&data.join("policy.toml"), self.policy(place.node).as_bytes())
    }

    /// What a place lets tasks do: its own files, and asking whether the hub lives.
    fn policy(&self, node: &str) -> String {
        let files = toml::Value::String(self.files(node).display().to_string());
        let (list, port) = (format!("roots = [{files}]"), self.operations_port);
        format!(
            "# What this place lets tasks do. The hub cannot change it.\n\
             default = \"refuse\"\n\
             allow = [\"sys.info\", \"sleep\", \"http.check\", \"file.checksum\", \"file.append\"]\n\n\
             [file_checksum]\n{list}\n\n[file_append]\n{list}\n\n[http_check]\nallow = [\"127.0.0.1:{port}\"]\n"
        )
    }

    /// Starts the agent of a place.
    pub(super) fn start_agent(&mut self, node: &'static str) -> Result<(), Failure> {
        let data = self.agent_folder(node);
        let arguments = ["agent", "run", "--until-stdin-closes", "--data"].map(OsStr::new);
        let arguments = [arguments.as_slice(), &[data.as_os_str()]].concat();
        let child = self.program.start(&arguments, &[], &self.log(node))?;
        self.agents.insert(node, child);
        Ok(())
    }

    /// Waits until the hub has heard every agent.
    pub(super) async fn all_online(&mut self, hub: &Hub) -> Result<(), Failure> {
        for place in PLACES {
            until("an agent dials in", COMES_UP, async || {
                self.agents.get_mut(place.node).map_or(Ok(()), Child::check)?;
                Ok((hub.node(place.node).await?.presence == Presence::Online).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// Kills the hub as a power cut would.
    pub(super) async fn kill_hub(&mut self) -> Result<(), Failure> {
        match self.hub.take() {
            Some(hub) => hub.kill().await,
            None => Ok(()),
        }
    }

    /// Kills an agent as a power cut would.
    pub(super) async fn kill_agent(&mut self, node: &str) -> Result<(), Failure> {
        match self.agents.remove(node) {
            Some(agent) => agent.kill().await,
            None => Ok(()),
        }
    }

    /// Makes sure that everything that should run does.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        self.hub.iter_mut().chain(self.agents.values_mut()).try_for_each(Child::check)
    }

    /// Stops everything in the orderly way: agents first, then the hub they speak to.
    pub(super) async fn stop(self) {
        let mut stopping = tokio::task::JoinSet::new();
        for agent in self.agents.into_values() {
            stopping.spawn(agent.stop());
        }
        stopping.join_all().await;
        if let Some(hub) = self.hub {
            hub.stop().await;
        }
    }
}

/// Two ports that nobody uses at the moment. Held together, so that they differ.
fn free_ports() -> Result<(u16, u16), Failure> {
    let fault = |error| Failure::other(format!("no free port can be had on 127.0.0.1: {error}"));
    let bind = || TcpListener::bind(("127.0.0.1", 0)).map_err(fault);
    let (one, other) = (bind()?, bind()?);
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port()).map_err(fault);
    Ok((port(&one)?, port(&other)?))
}

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| Failure::other(format!("{} cannot be made: {error}", path.display())))
}

/// Writes a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
}
