//! A reboot is a task: its result comes after the machine is back, and nobody asks for it twice. The machine is
//! played: the agent sees a boot id that the story writes.

use std::path::{Path, PathBuf};

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Calls, RunningAgent, RunningHub, Scene, Site, on_sqlite, until, was_killed};

use crate::help::{Person, chain_file, code, order, program, site_of};

on_sqlite!(
    a_reboot_has_a_result_when_the_machine_is_back,
    an_agent_that_is_killed_in_a_reboot_never_asks_for_another,
    a_reboot_that_does_not_happen_and_one_that_is_refused_by_its_program_fail,
    a_reboot_that_is_put_off_can_be_called_off_also_after_a_restart_of_the_agent,
    an_agent_killed_at_any_step_of_a_reboot_asks_for_it_once_at_most,
);

/// The words that run a program where this file is the kernel's boot id.
pub(crate) fn booted_as(boot: &Path) -> Vec<String> {
    let mount = format!("mount --bind {boot:?} /proc/sys/kernel/random/boot_id && exec \"$@\"");
    // Whoever is not root is it in a namespace of their own.
    let unshare = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    ["unshare", unshare, "sh", "-c", &mount, "sh"].map(str::to_owned).to_vec()
}

/// A machine whose boot id is a file of the story's, and whose reboot is a program that counts.
struct Machine<'s> {
    hub: RunningHub<'s>,
    site: Site<'s>,
    ada: Person,
    boot: PathBuf,
}

impl<'s> Machine<'s> {
    async fn new(scene: &'s Scene, script: &str, within_s: u32) -> Machine<'s> {
        let hub = scene.hub().start().await;
        let ada = Person::new(scene, "ada");
        let operators = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
        let site = site_of(&hub, "north", &operators).await;
        let (boot, reboot) = (scene.folder().join("boot_id"), scene.folder().join("reboot"));
        std::fs::write(&boot, "boot-1\n").expect("the story's folder can be written");
        program(&reboot, &format!("echo rebooting >> {:?}\n{script}", site.files().join("reboots")));
        site.set_policy(&format!(
            "allow = [\"host.reboot\"]\n[host_reboot]\nreboot = [{reboot:?}]\nuser = \"root\"\nwithin_s = {within_s}\n"
        ));
        let site = site.under(&booted_as(&boot));
        Machine { hub, site, ada, boot }
    }

    /// Waits until the machine was asked.
    async fn asked(&self) {
        until("it is asked to reboot", async || (!self.reboots().is_empty()).then_some(())).await;
    }

    fn reboots(&self) -> Vec<String> {
        self.site.lines("reboots")
    }

    /// The machine goes down, with everything on it, and comes up.
    async fn restart(&self, agent: RunningAgent) -> RunningAgent {
        agent.kill().await;
        std::fs::write(&self.boot, "boot-2\n").expect("the story's folder can be written");
        self.site.start()
    }
}

async fn a_reboot_has_a_result_when_the_machine_is_back(scene: Scene) {
    let machine = Machine::new(&scene, "exit 0", 600).await;
    let agent = machine.site.start();
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({ "reason": "a new kernel" })).await;
    machine.asked().await;
    let task = machine.hub.task(id).await;
    assert_eq!(task.summary.status, Status::InProgress, "it is not done while the machine is up");
    let _agent = machine.restart(agent).await;
    let task = machine.hub.ended(id).await;
    let result = task.result.unwrap_or_else(|| panic!("{:?}", task.summary));
    assert_eq!((&result["boot_before"], &result["boot_after"]), (&json!("boot-1"), &json!("boot-2")));
    assert!(result["down_ms"].as_i64().is_some_and(|down| down >= 0), "{result}");
    assert_eq!(machine.reboots(), ["rebooting"], "once");
}

async fn an_agent_that_is_killed_in_a_reboot_never_asks_for_another(scene: Scene) {
    let machine = Machine::new(&scene, "exec sleep 3600", 2).await;
    let agent = machine.site.start();
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({})).await;
    machine.asked().await;
    agent.kill().await;
    let agent = machine.site.start();
    let task = machine.hub.ended(id).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "reboot_did_not_happen"), "{:?}", task.summary);
    agent.kill().await;
    let _agent = machine.site.start();
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({})).await;
    until("it is asked to reboot once more", async || (machine.reboots().len() == 2).then_some(())).await;
    assert_eq!(machine.hub.task(id).await.summary.status, Status::InProgress);
}

async fn a_reboot_that_does_not_happen_and_one_that_is_refused_by_its_program_fail(scene: Scene) {
    let machine =
        Machine::new(&scene, "test -e \"$(dirname \"$0\")/goes\" && exit 0\necho inhibited >&2; exit 7", 1).await;
    let _agent = machine.site.start();
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({})).await;
    let task = machine.hub.ended(id).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "exit_code"), "{:?}", task.summary);
    let message = task.summary.message.expect("it says why");
    assert!(message.contains("exit code 7") && message.contains("inhibited"), "{message}");
    std::fs::write(scene.folder().join("goes"), "").expect("the story's folder can be written");
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({})).await;
    let task = machine.hub.ended(id).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "reboot_did_not_happen"), "{:?}", task.summary);
    assert_eq!(task.summary.retries, 0);
    assert_eq!(machine.reboots().len(), 2);
}

async fn a_reboot_that_is_put_off_can_be_called_off_also_after_a_restart_of_the_agent(scene: Scene) {
    let machine = Machine::new(&scene, "exit 0", 1).await;
    let agent = machine.site.start();
    let id = order(&machine.hub, &machine.ada, "north", "host.reboot", json!({ "delay_s": 3600 })).await;
    until("it is taken", async || (machine.hub.task(id).await.summary.status == Status::InProgress).then_some(()))
        .await;
    agent.kill().await;
    let _agent = machine.site.start();
    machine.hub.people().cancel_task(id).await.expect("it has not begun");
    let task = machine.hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Cancelled, "{:?}", task.summary);
    assert!(machine.reboots().is_empty());
}

/// Most syncs that an agent's start and one reboot have between them.
const CUTS_MAX: u32 = 60;

impl Machine<'_> {
    /// Orders a reboot of an agent that is killed at the `nth` of these calls, and starts it again. Returns how
    /// often the machine was asked, and whether the agent came so far that it was killed.
    async fn killed_at(&self, calls: &Calls, nth: u32) -> (usize, bool) {
        let words = [booted_as(&self.boot), calls.kill_at(nth)].concat();
        // strace counts for each thread.
        let mut dying = self.site.clone().under(&words).variable("TOKIO_WORKER_THREADS", "1").start();
        let before = self.reboots().len();
        let id = order(&self.hub, &self.ada, "north", "host.reboot", json!({})).await;
        let killed = tokio::select! {
            _ = self.hub.ended(id) => false,
            status = dying.process.end() => was_killed(status),
        };
        let agent = if killed { self.site.start() } else { dying };
        let task = self.hub.ended(id).await;
        agent.kill().await;
        let word = (task.summary.status, code(&task));
        assert_eq!(word, (Status::Failed, "reboot_did_not_happen"), "{calls:?}, {nth}: {:?}", task.summary);
        (self.reboots().len() - before, killed)
    }
}

async fn an_agent_killed_at_any_step_of_a_reboot_asks_for_it_once_at_most(scene: Scene) {
    let machine = Machine::new(&scene, "exit 0", 1).await;
    let looks = Calls::of("openat").on(scene.folder().join("reboot"));
    assert_eq!(machine.killed_at(&looks, 1).await, (1, true), "it died before its word was on the disk");
    // Nobody can know whether it had asked.
    assert_eq!(machine.killed_at(&looks, 2).await, (0, true), "it died between its word and the asking");
    assert_eq!(machine.killed_at(&looks, 3).await, (1, false), "it looks at the program twice");
    let (syncs, mut cuts) = (Calls::of("fsync,fdatasync"), 0);
    for nth in 1..CUTS_MAX {
        let (asked, killed) = machine.killed_at(&syncs, nth).await;
        assert!(asked <= 1, "killed at sync {nth} it asked {asked} times");
        cuts += u32::from(killed);
        if !killed {
            break;
        }
    }
    assert!(cuts >= 3, "a reboot has more steps than {cuts}");
}
