//! Programs as other users, by way of the helper: a process of root's (here: of whoever runs the stories),
//! without the network, that believes the hub's signature and the site's policy and nobody else.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use sortie_wire::tasks::Task;
use stories::{Process, Program, RunningAgent, RunningHub, Scene, Site, as_daemon, on_sqlite, until};

use crate::help::{TYPE, open_hub};

on_sqlite!(
    a_program_runs_as_another_user_and_the_agent_as_its_own,
    what_is_cancelled_or_over_its_time_ends_though_it_is_another_user_s,
    a_helper_that_is_away_or_killed_costs_a_try_and_no_task,
    the_helper_believes_no_policy_that_others_can_change,
    a_stranger_is_not_served,
    other_users_work_goes_on_where_the_clock_is_a_year_behind,
    other_users_work_goes_on_where_the_clock_is_a_year_ahead,
);

/// A site whose agent runs as a user without rights where the stories run as root.
struct Stage<'s> {
    hub: RunningHub<'s>,
    site: Site<'s>,
    agent: Option<RunningAgent>,
    root: tempfile::TempDir,
    clock: Vec<&'static str>,
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The agent's user and the program's.
fn users() -> (String, String) {
    if is_root() {
        return ("daemon".to_owned(), "nobody".to_owned());
    }
    let id = Command::new("/usr/bin/id").arg("-un").output().expect("id can be run");
    let own = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    (own.clone(), own)
}

impl<'s> Stage<'s> {
    /// A hub, a policy of root's that runs this script as another user, and a helper.
    async fn new(scene: &'s Scene, script: &str, limits: &str) -> (Stage<'s>, Process) {
        Stage::on_a_clock(scene, &[], script, limits).await
    }

    /// The same on a machine whose programs are run by these words.
    async fn on_a_clock(scene: &'s Scene, clock: &[&'static str], script: &str, limits: &str) -> (Stage<'s>, Process) {
        let hub = open_hub(scene).await;
        let root = tempfile::Builder::new().prefix("sortie-helper-").tempdir().expect("a folder");
        open(root.path());
        let program = root.path().join("handler");
        std::fs::write(&program, script).expect("the folder can be written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let policy = root.path().join("policy.toml");
        let table = format!(
            "[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = {program:?}\nuser = \"{}\"\n{limits}\n",
            users().1
        );
        std::fs::write(&policy, table).expect("the folder can be written");
        std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        let socket = root.path().join("data/helper.sock");
        let site = hub.site("north").await;
        let mut site = site.setting("helper", socket.display()).setting("policy_file", policy.display());
        if is_root() {
            let data = site.data();
            let given = Command::new("chown").arg("-R").arg(format!("{}:", users().0)).arg(&data).status();
            assert!(given.expect("chown can be run").success());
            // The way to it, and to the programs under test, is open to that user.
            data.ancestors().take_while(|folder| folder.starts_with(scene.folder())).skip(1).for_each(open);
            site = site.under(&[&as_daemon(!clock.is_empty()), clock].concat());
        } else {
            site = site.under(clock);
        }
        let mut stage = Stage { hub, site, agent: None, root, clock: clock.to_vec() };
        let helper = stage.helper();
        stage.agent = Some(stage.site.start());
        (stage, helper)
    }

    /// Starts a helper and waits until it listens.
    fn helper(&self) -> Process {
        let socket = self.root.path().join("data/helper.sock");
        let _gone = std::fs::remove_file(&socket);
        let mut command = Program::Sortie.command_under(&self.clock);
        command.args(["agent", "helper", "--data"]).arg(self.root.path().join("data"));
        command.arg("--agent-data").arg(self.site.data()).arg("--policy").arg(self.root.path().join("policy.toml"));
        Process::start(command, &self.log())
    }

    fn log(&self) -> PathBuf {
        self.hub.scene().log("helper")
    }

    async fn submit(&self) -> TaskId {
        self.hub.submit("north", TYPE, json!({ "word": "hello" })).await
    }

    async fn done(&self) -> Task {
        self.hub.ended(self.submit().await).await
    }
}

fn open(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn code(task: &Task) -> &str {
    task.summary.code.as_ref().map_or("", |code| &code.0)
}

const WHO: &str = "#!/bin/sh\nread payload\necho \"got $payload\" >&2\n\
                   printf '{\"user\": \"%s\", \"home\": \"%s\"}' \"$(id -un)\" \"$HOME\"; touch \"$HOME/x\"\n";

async fn a_program_runs_as_another_user_and_the_agent_as_its_own(scene: Scene) {
    let (stage, _helper) = Stage::new(&scene, WHO, "").await;
    let task = stage.done().await;
    let result = task.result.unwrap_or_else(|| panic!("{:?}", task.summary));
    assert_eq!(result["user"], users().1.as_str());
    let home = result["home"].as_str().expect("text");
    assert!(!Path::new(home).exists(), "its folder is gone with it: {home}");
    let log = stage.hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    assert_eq!(log, "got {\"word\":\"hello\"}\n");
    if is_root() {
        let pid = stage.agent.as_ref().expect("it runs").process.id();
        let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{pid}")).expect("it runs"));
        assert_ne!(uid, 0, "the process with the network has no privileges");
    }
}

async fn what_is_cancelled_or_over_its_time_ends_though_it_is_another_user_s(scene: Scene) {
    let script = "#!/bin/sh\ntrap '' TERM\necho $$ >&2\nsleep 3600 & wait; wait\n";
    let (stage, _helper) = Stage::new(&scene, script, "stop_grace_s = 1\nwall_s = 2\n").await;
    let task = stage.done().await;
    assert_eq!(code(&task), "over_wall_time", "{:?}", task.summary);
    let log = stage.hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    let leader = log.trim().to_owned();
    assert!(!Path::new("/proc").join(&leader).exists(), "{leader} has ended");
    let id = stage.submit().await;
    until("it runs", async || (stage.hub.task(id).await.summary.status == Status::InProgress).then_some(())).await;
    stage.hub.people().cancel_task(id).await.expect("it runs");
    let ended = stage.hub.ended(id).await;
    assert!(matches!(ended.summary.status, Status::Cancelled | Status::Failed), "{:?}", ended.summary);
}

async fn a_helper_that_is_away_or_killed_costs_a_try_and_no_task(scene: Scene) {
    let (stage, helper) = Stage::new(&scene, WHO, "").await;
    assert_eq!(stage.done().await.summary.status, Status::Completed);
    helper.kill().await;
    let id = stage.submit().await;
    until("it is to be tried again", async || {
        let task = stage.hub.task(id).await.summary;
        (task.retries > 0 && task.message.is_some_and(|why| why.contains("the helper at"))).then_some(())
    })
    .await;
    let _helper = stage.helper();
    let task = stage.hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
}

async fn the_helper_believes_no_policy_that_others_can_change(scene: Scene) {
    let (stage, _helper) = Stage::new(&scene, WHO, "").await;
    assert_eq!(stage.done().await.summary.status, Status::Completed);
    let policy = stage.root.path().join("policy.toml");
    std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o666)).expect("it is ours");
    let task = stage.done().await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "helper_refused"), "{:?}", task.summary);
    std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    let program = stage.root.path().join("handler");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    let task = stage.done().await;
    assert!(task.summary.message.as_deref().is_some_and(|why| why.contains("chmod go-w")), "{:?}", task.summary);
}

async fn other_users_work_goes_on_where_the_clock_is_a_year_behind(scene: Scene) {
    goes_on(&scene, "-365d").await;
}

async fn other_users_work_goes_on_where_the_clock_is_a_year_ahead(scene: Scene) {
    goes_on(&scene, "+365d").await;
}

async fn goes_on(scene: &Scene, by: &'static str) {
    // Only the time of day moves, not the time that passes.
    let clock = ["env", "NO_FAKE_STAT=1", "faketime", "--exclude-monotonic", "-f", by];
    let (stage, helper) = Stage::on_a_clock(scene, &clock, WHO, "").await;
    assert_eq!(stage.done().await.summary.status, Status::Completed);
    // A helper that has just begun knows no time, and is told it.
    helper.kill().await;
    let _helper = stage.helper();
    assert_eq!(stage.done().await.summary.status, Status::Completed);
}

async fn a_stranger_is_not_served(scene: Scene) {
    let (stage, _helper) = Stage::new(&scene, WHO, "").await;
    assert_eq!(stage.done().await.summary.status, Status::Completed);
    let socket = stage.root.path().join("data/helper.sock");
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect(sys.argv[1])\n\
                  s.sendall(sys.argv[2].encode() + b'\\n')\nprint(s.recv(4096).decode())";
    let say = |line: &str, user: Option<&str>| {
        let mut command = Command::new(if user.is_some() { "setpriv" } else { "/usr/bin/python3" });
        if let Some(user) = user {
            command.args(["--reuid", user, "--clear-groups", "/usr/bin/python3"]);
        }
        let said = command.args(["-c", script]).arg(&socket).arg(line).output().expect("Python can be run");
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    };
    // A delivery that another hub has signed.
    let other = scene.hub_named("other").start().await;
    let node = other.hand_node("north").await;
    let envelope = node.line().wait(node.id, &node.next_wait(1, 0)).await.expect("it is answered");
    let foreign = say(&json!({ "take": envelope }).to_string(), None);
    assert!(foreign.contains("refused"), "{foreign}");
    let unknown =
        json!({ "run": { "task": "01980c5e-7d1a-7c3e-9b7e-0123456789ab", "run": 1, "attempt": 1 } }).to_string();
    assert!(say(&unknown, None).contains("refused"), "a run without its pipes, and of no delivery");
    if is_root() {
        assert_eq!(say(&unknown, Some("nobody")), "", "who is not the agent gets no answer");
    }
}
