//! The helper believes what operators signed and not what the agent says of it: it has operators of its own, and
//! follows them by itself.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Process, Program, RunningAgent, RunningHub, Scene, Site, on_sqlite, until};

use crate::help::{Person, chain_file, code, order, own_name, program, publish, site_of};
use crate::reboots::booted_as;

on_sqlite!(
    the_helper_carries_out_what_operators_signed_and_follows_them_by_itself,
    a_helper_with_other_operators_than_the_agent_s_refuses,
    the_helper_restarts_a_service_for_an_agent_without_rights,
    the_helper_reboots_the_machine_for_an_agent_without_rights,
);

struct Stage<'s> {
    hub: RunningHub<'s>,
    site: Site<'s>,
    root: tempfile::TempDir,
    agent: Option<RunningAgent>,
    _helper: Option<Process>,
}

fn open(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl<'s> Stage<'s> {
    /// A site whose agent believes the operators of one file and whose helper those of another.
    async fn new(scene: &'s Scene, agents: &Path, helpers: &Path, policy: impl Fn(&Path) -> String) -> Stage<'s> {
        let hub = scene.hub().start().await;
        let root = tempfile::Builder::new().prefix("sortie-helper-").tempdir().expect("a folder");
        open(root.path());
        let file = root.path().join("policy.toml");
        std::fs::write(&file, policy(root.path())).expect("the folder can be written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        let operators = root.path().join("operators.json");
        std::fs::copy(helpers, &operators).expect("it is there");
        std::fs::set_permissions(&operators, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        let site = site_of(&hub, "north", agents).await;
        let socket = root.path().join("data/helper.sock");
        let mut site = site.setting("helper", socket.display()).setting("policy_file", file.display());
        let boot = root.path().join("boot_id");
        std::fs::write(&boot, "boot-1\n").expect("the folder can be written");
        let mut words = booted_as(&boot);
        if is_root() {
            let data = site.data();
            let given = Command::new("chown").args(["-R", "daemon:"]).arg(&data).status();
            assert!(given.expect("chown can be run").success());
            data.ancestors().take_while(|folder| folder.starts_with(scene.folder())).skip(1).for_each(open);
            words.extend(["setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups"].map(str::to_owned));
        }
        site = site.under(&words);
        let mut stage = Stage { hub, site, root, agent: None, _helper: None };
        stage._helper = Some(stage.helper(scene.log("helper")));
        stage.agent = Some(stage.site.start());
        stage
    }

    fn helper(&self, log: PathBuf) -> Process {
        let mut command = Program::Sortie.command();
        command.args(["agent", "helper", "--data"]).arg(self.root.path().join("data"));
        command.arg("--agent-data").arg(self.site.data()).arg("--policy").arg(self.root.path().join("policy.toml"));
        command.arg("--operators").arg(self.root.path().join("operators.json"));
        Process::start(command, &log)
    }
}

/// A policy that gives `file.append` to another user, if operators have signed it.
fn to_another_user(root: &Path) -> String {
    let handler = root.join("handler");
    program(&handler, "read payload\nprintf '{\"offset\": 0, \"bytes\": 1}'\necho \"got $payload\" >&2");
    let user = if is_root() { "nobody".to_owned() } else { own_name() };
    format!(
        "[handlers.\"file.append\"]\nclass = \"privileged\"\nkind = \"command\"\nprogram = {handler:?}\n\
         user = {user:?}\n"
    )
}

async fn the_helper_carries_out_what_operators_signed_and_follows_them_by_itself(scene: Scene) {
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    let (first, second) = (Person::set(1, &[&ada], &[&ada]), Person::set(2, &[&bob], &[&ada]));
    let file = chain_file(scene.folder(), "operators.json", &[&first]);
    let stage = Stage::new(&scene, &file, &file, to_another_user).await;
    let payload = json!({ "path": "/x", "line": "signed" });
    let id = order(&stage.hub, &ada, "north", "file.append", payload.clone()).await;
    let task = stage.hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
    let log = stage.hub.sortie(&["task", "log", &id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains(r#""line":"signed""#), "{log}");
    publish(&stage.hub, &first).await;
    publish(&stage.hub, &second).await;
    let id = order(&stage.hub, &bob, "north", "file.append", payload.clone()).await;
    let task = stage.hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
    let kept = std::fs::read_to_string(stage.root.path().join("data/operators.json")).expect("it is there");
    assert_eq!(kept.matches("payloadType").count(), 2, "the helper has both sets: {kept}");
}

async fn a_helper_with_other_operators_than_the_agent_s_refuses(scene: Scene) {
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    let agents = chain_file(scene.folder(), "agents.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let helpers = chain_file(scene.folder(), "helpers.json", &[&Person::set(1, &[&bob], &[&bob])]);
    let stage = Stage::new(&scene, &agents, &helpers, to_another_user).await;
    let id = order(&stage.hub, &ada, "north", "file.append", json!({ "path": "/x", "line": "y" })).await;
    let task = stage.hub.ended(id).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "helper_refused"), "{:?}", task.summary);
    assert!(task.summary.message.is_some_and(|why| why.contains("signer_unknown")));
    assert_eq!(task.summary.retries, 0);
}

async fn the_helper_restarts_a_service_for_an_agent_without_rights(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let stage = Stage::new(&scene, &file, &file, |root| {
        let (restart, check) = (root.join("restart"), root.join("check"));
        program(&restart, "echo \"restarted $1 as $(id -un)\"");
        program(&check, "echo \"looked as $(id -un)\"");
        format!(
            "allow = [\"service.restart\"]\n[service_restart]\nservices = [\"web\"]\n\
             restart = [{restart:?}, \"{{service}}\"]\ncheck = [{check:?}]\nuser = {:?}\n",
            own_name()
        )
    })
    .await;
    let id = order(&stage.hub, &ada, "north", "service.restart", json!({ "service": "web" })).await;
    let task = stage.hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
    let log = stage.hub.sortie(&["task", "log", &id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains(&format!("restarted web as {}", own_name())), "{log}");
    assert!(!is_root() || log.contains("looked as daemon"), "{log}");
}

async fn the_helper_reboots_the_machine_for_an_agent_without_rights(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let mut stage = Stage::new(&scene, &file, &file, |root| {
        let (reboot, asked) = (root.join("reboot"), root.join("asked"));
        program(&reboot, &format!("id -un >> {asked:?}"));
        format!(
            "allow = [\"host.reboot\"]\n[host_reboot]\nreboot = [{reboot:?}]\nuser = {:?}\nwithin_s = 600\n",
            own_name()
        )
    })
    .await;
    let asked = stage.root.path().join("asked");
    let asked = || std::fs::read_to_string(&asked).unwrap_or_default();
    let id = order(&stage.hub, &ada, "north", "host.reboot", json!({})).await;
    until("it is asked to reboot", async || (!asked().is_empty()).then_some(())).await;
    // The machine goes down, with everything on it, and comes up.
    stage.agent.take().expect("it runs").kill().await;
    std::fs::write(stage.root.path().join("boot_id"), "boot-2\n").expect("the folder can be written");
    stage.agent = Some(stage.site.start());
    let task = stage.hub.ended(id).await;
    let result = task.result.unwrap_or_else(|| panic!("{:?}", task.summary));
    assert_eq!((&result["boot_before"], &result["boot_after"]), (&json!("boot-1"), &json!("boot-2")));
    assert_eq!(asked(), format!("{}\n", own_name()), "once, and as that user");
}
