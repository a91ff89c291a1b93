//! A hub as a real process: how it is started, and everything a story asks of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use http::Method;
use sortie_client::people::{Hub, Token};
use sortie_client::retry::Patience;
use sortie_client::{Clock, Connect, Entropy, Proxy, Trust};
use sortie_rules::ids::TaskId;
use sortie_rules::time::{Millis, Span};
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::invites::CreateInvite;
use sortie_wire::nodes::PutSite;
use sortie_wire::tasks::{SubmitTask, Task};

use crate::program::clean;
use crate::{HandNode, Process, Program, Request, Scene, Site, until};

/// A hub with a data folder and ports of its own, which may run or not.
#[derive(Debug, Clone)]
pub struct HubPlan<'s> {
    scene: &'s Scene,
    name: String,
    host: String,
    port: u16,
    operations_port: u16,
    settings: Vec<(String, OsString)>,
    wrapper: Vec<String>,
}

/// A hub that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct RunningHub<'s> {
    plan: HubPlan<'s>,
    process: Process,
}

/// A task of this type for this node.
pub(crate) fn task_for(node: &str, type_name: &str, payload: serde_json::Value) -> SubmitTask {
    SubmitTask {
        type_name: type_name.to_owned(),
        node: node.to_owned(),
        payload: Some(serde_json::value::to_raw_value(&payload).expect("a JSON value is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: None,
    }
}

impl<'s> HubPlan<'s> {
    pub(crate) fn new(scene: &'s Scene, name: &str) -> HubPlan<'s> {
        let (port, operations_port) = (scene.free_port(), scene.free_port());
        let (name, host) = (name.to_owned(), "127.0.0.1".to_owned());
        HubPlan { scene, name, host, port, operations_port, settings: Vec::new(), wrapper: Vec::new() }
    }

    /// The same with a setting, for example `presence.stale_after_s`.
    #[must_use]
    pub fn setting(mut self, key: &str, value: impl ToString) -> HubPlan<'s> {
        let variable = format!("SORTIE_HUB_{}", key.replace('.', "__").to_ascii_uppercase());
        self.settings.push((variable, value.to_string().into()));
        self
    }

    /// The same on another address than 127.0.0.1, for agents and people and for operators.
    #[must_use]
    pub fn at(self, host: &str) -> HubPlan<'s> {
        HubPlan { host: host.to_owned(), ..self }.setting("names", host)
    }

    /// The same with a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> HubPlan<'s> {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// One more hub on the same database, whether or not this one has been started.
    #[must_use]
    pub fn alongside(&self, name: &str) -> HubPlan<'s> {
        HubPlan { settings: self.settings.clone(), ..HubPlan::new(self.scene, name) }
    }

    /// One more hub on the same database, with a data folder of its own and the same master key. The story finds the
    /// administrator's token there, too; this one must have been started once.
    ///
    /// # Panics
    /// If there is no token.
    #[must_use]
    pub fn beside(&self, name: &str) -> HubPlan<'s> {
        let plan = self.alongside(name);
        std::fs::create_dir(plan.data()).expect("the story's folder can be written");
        std::fs::copy(self.data().join("admin.token"), plan.data().join("admin.token")).expect("it has been started");
        plan
    }

    /// A hub at the same address that has nothing yet: a data folder of this name, and on PostgreSQL a database of
    /// its own.
    #[must_use]
    pub fn anew(&self, name: &str) -> HubPlan<'s> {
        let plan = HubPlan { name: name.to_owned(), ..self.clone() };
        match self.scene.postgres() {
            Some(server) => plan.setting("database_url", server.fresh_database()),
            None => plan,
        }
    }

    /// A command of `sortie` on this machine that finds its data folder and its settings as the hub does.
    pub fn tool(&self, words: &[&str]) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Program::Sortie.command(),
            Some((wrapper, rest)) => {
                let mut command = clean(Command::new(wrapper));
                command.args(rest).arg(Program::Sortie.path());
                command
            }
        };
        command.args(words).arg("--data").arg(self.data()).stdin(std::process::Stdio::null());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What a setting was set to.
    pub fn setting_of(&self, key: &str) -> Option<String> {
        let variable = format!("SORTIE_HUB_{}", key.replace('.', "__").to_ascii_uppercase());
        let named = self.settings.iter().rev().find(|(name, _)| *name == variable);
        named.map(|(_, value)| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
    }

    /// The same, run by another program, for example `strace`, which gets the hub's command line as
    /// the end of its own.
    #[must_use]
    pub fn under(mut self, wrapper: &[impl AsRef<str>]) -> HubPlan<'s> {
        self.wrapper = wrapper.iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.scene.folder().join(&self.name)
    }

    /// Asks its database, while it is down or beside it: the first column of each row.
    pub fn sql(&self, statement: &str) -> Vec<String> {
        match (self.setting_of("database_url"), self.scene.postgres()) {
            (Some(url), Some(server)) => server.sql(&url, statement),
            _ => crate::sql::sqlite(&self.data().join("sortie.db"), statement),
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.host, self.port)
    }

    /// Where it listens, without the `https://`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Where operators ask it, for example `127.0.0.1:9443`.
    pub fn operations_address(&self) -> String {
        format!("{}:{}", self.host, self.operations_port)
    }

    /// What starts it.
    pub fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Program::Sortie.command(),
            Some((wrapper, words)) => {
                let mut command = clean(Command::new(wrapper));
                command.args(words).arg(Program::Sortie.path());
                command
            }
        };
        command.args(["hub", "--until-stdin-closes", "--listen", &self.address(), "--data"]);
        command.arg(self.data());
        command.env("SORTIE_HUB_OPERATIONS_LISTEN", self.operations_address());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and does not wait.
    pub fn launch(&self) -> Process {
        Process::start(self.command(), &self.scene.log(&self.name))
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// If it ends instead.
    pub async fn start(self) -> RunningHub<'s> {
        let mut process = self.launch();
        until("the hub answers", async || {
            if let Some(status) = process.ended() {
                panic!("the hub ended by itself: {status}");
            }
            let line = self.people_with_patience(Span::ZERO)?;
            line.whoami().await.ok()
        })
        .await;
        RunningHub { plan: self, process }
    }

    /// The token that the first start wrote, once it has.
    fn admin_token(&self) -> Option<String> {
        Some(std::fs::read_to_string(self.data().join("admin.token")).ok()?.trim().to_owned())
    }

    /// Calls as an administrator, of a hub that may just have been started or killed; each tried once. `None`
    /// until it has written its files.
    pub fn people_at_once(&self) -> Option<Hub> {
        self.people_with_patience(Span::ZERO)
    }

    fn people_with_patience(&self, patience: Span) -> Option<Hub> {
        let connect = self.connect()?;
        Some(open(&connect, &self.admin_token()?, patience))
    }

    /// How it is reached, once it has made its authority.
    pub(crate) fn connect(&self) -> Option<Connect> {
        let ca = std::fs::read_to_string(self.data().join("ca.pem")).ok()?;
        let connect = Connect::new(self.url(), Trust::Pem(ca), clock());
        Some(Connect { proxy: Proxy::Direct, ..connect })
    }
}

impl<'s> RunningHub<'s> {
    /// Where the story plays.
    pub fn scene(&self) -> &'s Scene {
        self.plan.scene
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.plan.data()
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.plan.url()
    }

    /// What starts it again.
    pub fn plan(&self) -> &HubPlan<'s> {
        &self.plan
    }

    /// Its certificate authority (PEM).
    pub fn ca_file(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// The administrator's token.
    pub fn admin_token(&self) -> String {
        self.plan.admin_token().expect("the first start writes it")
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Everything that it has logged, over all its starts.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Calls as an administrator, patient enough to outlast a restart.
    pub fn people(&self) -> Hub {
        self.plan.people_with_patience(Span::seconds(60)).expect("a hub that runs has written its files")
    }

    /// Calls with this token, tried once.
    pub fn people_as(&self, token: &str) -> Hub {
        open(&self.connect(), token, Span::ZERO)
    }

    /// Calls as an administrator at another address, such as a balancer's or another hub's, tried once.
    pub fn people_through(&self, url: &str) -> Hub {
        open(&Connect { hub: url.to_owned(), ..self.connect() }, &self.admin_token(), Span::ZERO)
    }

    /// How it is reached.
    pub fn connect(&self) -> Connect {
        self.plan.connect().expect("a hub that runs has written its files")
    }

    /// A request by hand, at first as an administrator.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(&self.connect(), &self.admin_token(), method, path)
    }

    /// What its operations listener answers at this path: the status and the text.
    pub async fn operations(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.plan.operations_address());
        let http = reqwest::Client::builder().no_proxy().build().expect("a plain client can be made");
        let answer = http.get(url).send().await.expect("the operations listener answers");
        (answer.status().as_u16(), answer.text().await.expect("it answers in text"))
    }

    /// Makes an invite for a node of this name.
    pub async fn invite(&self, node: &str) -> String {
        let plain = CreateInvite {
            node: node.to_owned(),
            site: None,
            host: None,
            kind: None,
            labels: std::collections::BTreeMap::new(),
            valid_for: None,
            replace: false,
            hub: None,
        };
        self.people().create_invite(&plain, None).await.expect("an administrator may invite").invite
    }

    /// A site with an enrolled agent, which does not run yet. Its policy allows every builtin, with
    /// files under [`Site::files`].
    pub async fn site(&self, name: &str) -> Site<'s> {
        let site = Site::new(self.scene(), name);
        site.enroll(&self.invite(name).await).well();
        site
    }

    /// An enrolled node whose every word the story chooses.
    pub async fn hand_node(&self, name: &str) -> HandNode {
        self.hand_node_with(&self.invite(name).await).await
    }

    /// The same with an invite of the story's making.
    pub async fn hand_node_with(&self, invite: &str) -> HandNode {
        HandNode::enroll(&self.connect(), invite).await
    }

    /// Submits a task as an administrator.
    pub async fn submit(&self, node: &str, type_name: &str, payload: serde_json::Value) -> TaskId {
        let task = task_for(node, type_name, payload);
        self.people().submit(&task, None).await.expect("an administrator may submit").id
    }

    /// A task as it stands.
    pub async fn task(&self, id: TaskId) -> Task {
        self.people().task(id, None).await.expect("the task is there")
    }

    /// Waits until a task has ended.
    pub async fn ended(&self, id: TaskId) -> Task {
        let people = self.people();
        until(&format!("the task {id} ends"), async || {
            let task = people.task(id, Some(5)).await.expect("the task is there");
            task.summary.status.is_terminal().then_some(task)
        })
        .await
    }

    /// All events of this kind, or under it, oldest first (at most 1,000), with every one that
    /// happened before this was asked.
    pub async fn events(&self, kind: &str) -> Vec<Event> {
        if self.scene().postgres().is_some() {
            self.events_are_numbered().await;
        }
        self.events_of(kind).await
    }

    async fn events_of(&self, kind: &str) -> Vec<Event> {
        let query =
            EventQuery { kind: Some(kind.to_owned()), limit: Some(1000), after: Some(0), ..EventQuery::default() };
        self.people().events(&query).await.expect("an administrator may read events").items
    }

    /// PostgreSQL's events can be read a moment after their commit, in order: makes one more, and
    /// waits until that one can.
    async fn events_are_numbered(&self) {
        let last = format!("site-{}", uuid::Uuid::new_v4());
        let site = PutSite { name: "the last event so far".to_owned() };
        self.people().put_site(&last, &site).await.expect("an administrator may make sites");
        until("events are numbered", async || {
            let made = self.events_of("site.changed").await;
            made.iter().any(|event| event.data.to_string().contains(&last)).then_some(())
        })
        .await;
    }

    /// Kills it and leaves it down, to be started again with the same data and ports.
    pub async fn kill(self) -> HubPlan<'s> {
        self.process.kill().await;
        self.plan
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(self) -> (HubPlan<'s>, ExitStatus) {
        let status = self.process.stop().await;
        (self.plan, status)
    }

    /// Takes it apart: what starts it again, and the process.
    pub fn into_parts(self) -> (HubPlan<'s>, Process) {
        (self.plan, self.process)
    }
}

fn open(connect: &Connect, token: &str, patience: Span) -> Hub {
    let patience = Patience { total: patience, entropy: entropy() };
    Hub::open(connect, Token(token.to_owned()), patience).expect("the hub's own files are in order")
}

/// The machine's time.
pub(crate) fn clock() -> Clock {
    Clock::new(now)
}

/// The machine's time.
#[expect(clippy::disallowed_methods, reason = "stories run real programs on real time")]
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    Millis(i64::try_from(since.as_millis()).expect("it is before the year 292 million"))
}

/// Chance for back-off and idempotency keys, which no story depends on.
pub(crate) fn entropy() -> Entropy {
    Entropy::new(|buffer| {
        for part in buffer.chunks_mut(16) {
            part.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..part.len()]);
        }
    })
}

/// A file's text.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}
