//! The hub's keys are sealed with another master key while hubs and agents are at work.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::hub_keys::{HubKey, Rotatable, RotateKeys};
use stories::{Calls, Ended, Engine, HubPlan, RunningHub, Scene, until, was_killed};

/// More steps than there are.
const STEPS_MAX: u32 = 500;

/// The command that seals the keys with another master key.
fn sealing(plan: &HubPlan<'_>, new: &Path, old: &Path) -> Command {
    let mut command = plan.tool(&["hub", "master-key"]);
    command.arg(new).arg("--in-place-of").arg(old);
    command
}

fn seal(plan: &HubPlan<'_>, new: &Path, old: &Path) -> Ended {
    Ended::of(&mut sealing(plan, new, old))
}

/// The same hub with this master key.
fn with<'s>(plan: HubPlan<'s>, master_key: &Path) -> HubPlan<'s> {
    plan.setting("master_key_file", master_key.display())
}

/// A copy for one hub alone.
fn copy_of(master_key: &Path, name: &str) -> PathBuf {
    let copy = master_key.with_file_name(name);
    std::fs::copy(master_key, &copy).expect("it is the story's");
    copy
}

async fn works(hub: &RunningHub<'_>) {
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
}

async fn keys(hub: &RunningHub<'_>) -> Vec<HubKey> {
    hub.people().hub_keys().await.expect("an administrator may").keys
}

/// Waits until a hub has noticed that its master key opens the keys, or opens them no more.
async fn until_locked_out(hub: &RunningHub<'_>, is_locked_out: bool) {
    let wanted = format!("sortie_locked_out {}", u8::from(is_locked_out));
    until(&wanted, async || hub.operations("/metrics").await.1.contains(&wanted).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_fleet_works_on_while_its_keys_are_sealed_anew_and_each_hub_takes_the_other_master_key() {
    let scene = Scene::new(Engine::Postgres);
    let old = scene.master_key();
    let (own, new) = (copy_of(&old, "own.key"), old.with_file_name("new.key"));
    let one = scene.hub().start().await;
    let other = with(one.plan().beside("other"), &own).start().await;
    let site = one.site("north").await;
    let _agent = site.start();
    let before = keys(&one).await;
    works(&one).await;
    seal(one.plan(), &new, &old).well();
    // Both serve on with what they have in memory. Neither puts anything beside what it cannot open.
    for hub in [&one, &other] {
        until_locked_out(hub, true).await;
        assert_eq!(hub.operations("/readyz").await.0, 200);
        works(hub).await;
        let rotate = RotateKeys { what: Rotatable::Delivery, at_once: true, from: 1 };
        let refused = hub.people().rotate_keys(&rotate).await.expect_err("it cannot").to_string();
        assert!(refused.contains("cannot change the keys") && refused.contains("NEW"), "{refused}");
        assert_eq!(keys(hub).await, before);
    }
    // One is restarted with the file; of the other, the file is replaced.
    let one = with(one.stop().await.0, &new).start().await;
    works(&one).await;
    std::fs::rename(copy_of(&new, "own.key.next"), &own).expect("it is the story's");
    until_locked_out(&other, false).await;
    works(&other).await;
    assert_eq!((keys(&one).await, keys(&other).await), (before.clone(), before));
    let rotate = RotateKeys { what: Rotatable::Delivery, at_once: true, from: 1 };
    let rotated = other.people().rotate_keys(&rotate).await.expect("it opens the keys").keys;
    until("the other one follows", async || (keys(&one).await == rotated).then_some(())).await;
    works(&one).await;
    assert_eq!(one.events("keys.resealed").await.len(), 1);
    let acts = one.sortie_json(&["audit", "list", "--action", "keys.reseal"]);
    assert!(acts.to_string().contains("keys.reseal"), "{acts}");
    assert_eq!(site.log().matches("keys_forked").count() + site.log().matches("keys_unproven").count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_keeps_the_former_master_key_is_not_ready_once_the_keys_change_and_does_not_start() {
    let scene = Scene::new(Engine::Postgres);
    let old = scene.master_key();
    let (own, new) = (copy_of(&old, "own.key"), old.with_file_name("new.key"));
    let one = scene.hub().start().await;
    let late = with(one.plan().beside("late"), &own).start().await;
    seal(one.plan(), &new, &old).well();
    let one = with(one.stop().await.0, &new).start().await;
    until_locked_out(&late, true).await;
    assert_eq!(late.operations("/readyz").await.0, 200, "it has the keys that the others have");
    let rotate = RotateKeys { what: Rotatable::Delivery, at_once: true, from: 1 };
    one.people().rotate_keys(&rotate).await.expect("it opens the keys");
    until("it is not ready", async || {
        let (status, why) = late.operations("/readyz").await;
        (status == 503 && why.contains("master key does not open them")).then_some(())
    })
    .await;
    let former = with(one.plan().alongside("former"), &old);
    Ended::of(&mut former.command()).failed(2, &["master.key does not open", "--in-place-of OLD", "name NEW"]);
    std::fs::rename(copy_of(&new, "own.key.next"), &own).expect("it is the story's");
    until("it is ready", async || (late.operations("/readyz").await.0 == 200).then_some(())).await;
    assert_eq!(keys(&late).await, keys(&one).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn keys_are_not_sealed_anew_by_whoever_lacks_their_master_key_or_is_second() {
    let scene = Scene::new(Engine::Postgres);
    let old = scene.master_key();
    let [wrong, new, second] = ["wrong.key", "new.key", "second.key"].map(|name| old.with_file_name(name));
    let empty = scene.hub_named("empty");
    seal(&empty, &new, &old).failed(2, &["store"]);
    let hub = scene.hub().start().await;
    let before = hub.plan().sql("select encode(sealed, 'hex') from hub_keys order by name");
    Ended::of(stories::Program::Sortie.command().args(["hub", "master-key"]).arg(&wrong)).well();
    seal(hub.plan(), &new, &wrong).failed(2, &["wrong.key is not the master key", "nothing was changed"]);
    seal(hub.plan(), &new, &old.with_file_name("none.key")).failed(2, &["none.key"]);
    assert!(!new.exists(), "no key is made for nothing");
    std::fs::write(&second, "something else").expect("it is the story's");
    seal(hub.plan(), &second, &old).failed(2, &["second.key"]);
    let mut unnamed = sealing(hub.plan(), &new, &old);
    seal_on_sqlite(unnamed.env("SORTIE_HUB_DATABASE_URL", ""));
    assert_eq!(hub.plan().sql("select encode(sealed, 'hex') from hub_keys order by name"), before);
    std::fs::remove_file(&second).expect("it is the story's");
    // Of two who do it at once with files of their own, one does.
    let both = [&new, &second].map(|file| {
        let mut command = sealing(hub.plan(), file, &old);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        (file, command.spawn().expect("it can be run"))
    });
    let mut done = Vec::new();
    for (file, child) in both {
        let ended = Ended::from(child.wait_with_output().expect("it ends"));
        match ended.code {
            Some(0) => done.push(file),
            _ => ended.failed(2, &["master.key is not the master key"]),
        }
    }
    assert_eq!(done.len(), 1, "{done:?}");
    seal(hub.plan(), done[0], &old).well();
    let again = Ended::of(sealing(hub.plan(), done[0], &old).arg("--json")).well().json();
    assert_eq!(again["was_done"], true, "{again}");
    assert_eq!(hub.events("keys.resealed").await.len(), 1);
}

/// A hub without a database server has nothing sealed.
fn seal_on_sqlite(command: &mut Command) {
    Ended::of(command).failed(2, &["database_url", "keys/"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_is_killed_while_the_keys_are_sealed_anew_does_it_again_and_loses_none() {
    let scene = Scene::new(Engine::Postgres);
    let mut old = scene.master_key();
    let hub = scene.hub().start().await;
    let before = keys(&hub).await;
    let plan = hub.stop().await.0;
    let calls = Calls::of("write,sendto,sendmsg,writev,fsync");
    let mut cuts = 0;
    for nth in 1..STEPS_MAX {
        let new = old.with_file_name(format!("{nth}.key"));
        let status =
            sealing(&plan.clone().under(&calls.kill_at(nth)), &new, &old).output().expect("strace runs").status;
        assert!(was_killed(status) || status.success(), "{status:?}");
        // Whatever came of it, one of both opens all, or this would be refused.
        seal(&plan, &new, &old).well();
        seal(&plan, &new, &new).well();
        old = new;
        if status.success() {
            break;
        }
        cuts += 1;
    }
    assert!((5..STEPS_MAX - 1).contains(&cuts), "{cuts} cuts");
    let hub = with(plan, &old).start().await;
    assert_eq!(keys(&hub).await, before);
}
