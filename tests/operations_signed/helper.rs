//! The helper believes what operators signed and not what the agent says of it: it has operators of its own, and
//! follows them by itself.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::tasks::Task;
use stories::{Process, Program, RunningAgent, RunningHub, Scene, Site, as_daemon, on_sqlite, until};

use crate::help::{Person, chain_file, code, order, own_name, program, publish, site_of};
use crate::reboots::booted_as;

on_sqlite!(
    the_helper_carries_out_what_operators_signed_and_follows_them_by_itself,
    a_helper_with_other_operators_than_the_agent_s_refuses,
    a_helper_that_is_killed_inside_an_operation_begins_it_no_second_time,
    the_helper_restarts_a_service_for_an_agent_without_rights,
    the_helper_reboots_the_machine_for_an_agent_without_rights,
    a_site_whose_clock_is_a_year_behind_has_what_operators_signed_done,
    a_site_whose_clock_is_a_year_ahead_refuses_what_operators_signed_and_says_why,
    what_has_expired_is_not_begun_by_a_hostile_agent_when_the_machine_s_clock_is_set_back,
);

struct Stage<'s> {
    hub: RunningHub<'s>,
    site: Site<'s>,
    root: tempfile::TempDir,
    agent: Option<RunningAgent>,
    helper: Option<Process>,
}

/// The words that run a program on a machine whose clock is off by so much. Only the time of day moves.
fn clock_moved(by: &str) -> Vec<String> {
    ["env", "NO_FAKE_STAT=1", "faketime", "--exclude-monotonic", "-f", by].map(str::to_owned).to_vec()
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
        Stage::on_a_clock(scene, &[], agents, helpers, policy).await
    }

    /// The same on a machine whose programs are run by these words.
    async fn on_a_clock(
        scene: &'s Scene,
        clock: &[String],
        agents: &Path,
        helpers: &Path,
        policy: impl Fn(&Path) -> String,
    ) -> Stage<'s> {
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
            words.extend(as_daemon(!clock.is_empty()).into_iter().map(str::to_owned));
        }
        words.extend_from_slice(clock);
        site = site.under(&words);
        let mut stage = Stage { hub, site, root, agent: None, helper: None };
        stage.helper = Some(stage.helper(clock));
        stage.agent = Some(stage.site.start());
        stage
    }

    fn helper(&self, clock: &[String]) -> Process {
        let log: PathBuf = self.hub.scene().log("helper");
        let _gone = std::fs::remove_file(self.socket());
        let mut command = Program::Sortie.command_under(clock);
        command.args(["agent", "helper", "--data"]).arg(self.root.path().join("data"));
        command.arg("--agent-data").arg(self.site.data()).arg("--policy").arg(self.root.path().join("policy.toml"));
        command.arg("--operators").arg(self.root.path().join("operators.json"));
        Process::start(command, &log)
    }

    fn socket(&self) -> PathBuf {
        self.root.path().join("data/helper.sock")
    }

    /// Has `file.append` done as operators have signed it.
    async fn appended(&self, by: &Person) -> Task {
        let id = order(&self.hub, by, "north", "file.append", json!({ "path": "/x", "line": "signed" })).await;
        self.hub.ended(id).await
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

async fn a_helper_that_is_killed_inside_an_operation_begins_it_no_second_time(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let mut stage = Stage::new(&scene, &file, &file, |root| {
        let policy = to_another_user(root);
        program(&root.join("handler"), &format!("id -un >> {:?}\nsleep 3600", root.join("shared/began")));
        policy
    })
    .await;
    let shared = stage.root.path().join("shared");
    std::fs::create_dir(&shared).expect("the folder can be written");
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    let began = || std::fs::read_to_string(shared.join("began")).unwrap_or_default().lines().count();
    let payload = json!({ "path": "/x", "line": "signed" });
    let id = order(&stage.hub, &ada, "north", "file.append", payload).await;
    until("it has begun", async || (began() == 1).then_some(())).await;
    stage.helper.take().expect("it runs").kill().await;
    let task = stage.hub.ended(id).await;
    assert_eq!((task.summary.status, task.summary.retries), (Status::Failed, 0), "{:?}", task.summary);
    stage.helper = Some(stage.helper(&[]));
    until("it listens", async || stage.socket().exists().then_some(())).await;
    // Also if the agent says so: the helper has it on its disk that this has begun.
    let ask = json!({ "run": { "task": id, "run": 1, "attempt": 1 } });
    let first = say(&stage.socket(), &ask);
    let nonce = serde_json::from_str::<serde_json::Value>(&first).expect("JSON")["ask_the_time"].clone();
    let nonce = nonce.as_str().expect("it was told no time yet").to_owned();
    let time = stage.hub.request(Method::GET, &format!("/agent/v1/time?nonce={nonce}")).send().await.json();
    let told = say(&stage.socket(), &json!({ "time": time }));
    assert!(told.contains("time") && !told.contains("refused"), "{told}");
    let again = say(&stage.socket(), &ask);
    assert!(again.contains("has begun this run before"), "{again}");
    assert_eq!(began(), 1);
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

async fn a_site_whose_clock_is_a_year_behind_has_what_operators_signed_done(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let mut stage = Stage::on_a_clock(&scene, &clock_moved("-365d"), &file, &file, to_another_user).await;
    let task = stage.appended(&ada).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
    // A helper that has just begun knows no time, and is told it.
    stage.helper.take().expect("it runs").kill().await;
    stage.helper = Some(stage.helper(&clock_moved("-365d")));
    until("it listens", async || stage.socket().exists().then_some(())).await;
    let task = stage.appended(&ada).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
}

async fn a_site_whose_clock_is_a_year_ahead_refuses_what_operators_signed_and_says_why(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let stage = Stage::on_a_clock(&scene, &clock_moved("+365d"), &file, &file, to_another_user).await;
    let task = stage.appended(&ada).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Rejected, "operation_expired"), "{:?}", task.summary);
    assert!(task.summary.message.is_some_and(|why| why.contains("look at the clock of this machine")));
}

/// Says one line to the helper as its agent would, and returns its answer.
fn say(socket: &Path, line: &serde_json::Value) -> String {
    let script = "import array, os, socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(20)\n\
                  s.connect(sys.argv[1])\na, b = os.pipe()\n\
                  s.sendmsg([sys.argv[2].encode() + b'\\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, \
                  array.array('i', [b, b]))])\nprint(s.recv(4096).decode())";
    let said = Command::new("/usr/bin/python3").args(["-c", script]).arg(socket).arg(line.to_string()).output();
    let said = said.expect("Python can be run");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

async fn what_has_expired_is_not_begun_by_a_hostile_agent_when_the_machine_s_clock_is_set_back(scene: Scene) {
    let ada = Person::new(&scene, "ada");
    let file = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let mut stage = Stage::new(&scene, &file, &file, to_another_user).await;
    assert_eq!(stage.appended(&ada).await.summary.status, Status::Completed);
    // Whoever has taken the agent over says what it likes to a helper on a clock that was set back.
    stage.agent.take().expect("it runs").kill().await;
    stage.helper.take().expect("it runs").kill().await;
    let kept = std::fs::read_to_string(stage.root.path().join("data/not_before")).expect("it was written down");
    let _helper = stage.helper(&clock_moved("-365d"));
    until("it listens", async || stage.socket().exists().then_some(())).await;
    // An operation that was taken, has never begun, and has expired since.
    let runs = stage.root.path().join("data/runs");
    let run = std::fs::read_dir(&runs).expect("it is there").flatten().next().expect("one was taken").path();
    let text = std::fs::read(&run).expect("it is there");
    let mut known: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    (known["has_begun"], known["payload"]) = (json!(false), json!({}));
    std::fs::write(&run, known.to_string()).expect("the folder can be written");
    let task = run.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next()).expect("an id");
    let ask = json!({ "run": { "task": task, "run": 1, "attempt": 1 } });
    let answer = say(&stage.socket(), &ask);
    assert!(answer.contains("ask_the_time"), "it does not begin by the machine's clock alone: {answer}");
    // The time of an answer to another question is none.
    let other = stage.hub.request(Method::GET, "/agent/v1/time?nonce=another").send().await;
    assert_eq!(other.status, 200, "{other:?}");
    assert!(say(&stage.socket(), &json!({ "time": other.json() })).contains("refused"));
    assert!(say(&stage.socket(), &ask).contains("ask_the_time"));
    assert_eq!(std::fs::read_to_string(stage.root.path().join("data/not_before")).expect("it is there"), kept);
}
