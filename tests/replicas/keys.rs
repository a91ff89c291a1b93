//! The hub's keys are in the database, sealed with a key that is not.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::hub_keys::{FinishKeys, Rotatable, RotateKeys};
use stories::{Engine, HandNode, RunningHub, Scene, until};

async fn works(hub: &RunningHub<'_>, node: &str) {
    let id = hub.submit(node, "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_needs_the_database_and_the_master_key_and_is_the_same_hub() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    assert!(std::fs::read_dir(hub.data().join("keys")).unwrap().next().is_none(), "no key is in its folder");
    let dump = hub.plan().sql("select encode(sealed, 'escape') from hub_keys");
    assert!(dump.len() >= 4 && !dump.iter().any(|row| row.contains("PRIVATE KEY") || row.contains("ring")));
    let other = hub.plan().beside("other").start().await;
    let node = hub.hand_node("north").await;
    let id = other.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = node.take_one().await;
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(other.ended(id).await.summary.status, Status::Completed);
    // An invite of one is good at the other, and so is the certificate that it gave.
    let south = other.hand_node("south").await;
    assert!(south.wait(1, 0).await.tasks.is_empty());
    let keys = async |hub: &RunningHub<'_>| hub.people().hub_keys().await.unwrap().keys;
    assert_eq!(keys(&hub).await, keys(&other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hubs_that_start_together_for_the_first_time_have_the_same_keys() {
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub();
    // Neither has started before: the token is in the folder of whichever was first.
    let (one, other) = (plan.launch(), plan.alongside("other"));
    let other_process = other.launch();
    let served = async |plan: &stories::HubPlan<'_>| {
        until("it serves", async || std::fs::read_to_string(plan.data().join("ca.pem")).ok()).await
    };
    assert_eq!(served(&plan).await, served(&other).await);
    drop((one, other_process));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rotation_at_one_hub_is_followed_by_the_others_and_can_be_repeated_at_any() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    works(&other, "north").await;
    let rotate = RotateKeys { what: Rotatable::Delivery, at_once: true, from: 1 };
    let rotated = hub.people().rotate_keys(&rotate).await.expect("an administrator may");
    // The answer was lost, and the balancer sends the next try to the other one.
    let again = other.people().rotate_keys(&rotate).await.expect("it is done already");
    assert_eq!((again.version, &again.keys), (rotated.version, &rotated.keys));
    until("nobody lags", async || (other.people().hub_keys().await.ok()?.lagging == 0).then_some(())).await;
    let finish = FinishKeys { from: rotated.version, force: false };
    other.people().finish_keys(&finish).await.expect("nobody lags");
    assert_eq!(hub.people().finish_keys(&finish).await.expect("it is done already").version, 3);
    for hub in [&hub, &other] {
        works(hub, "north").await;
        assert_eq!(hub.events("keys.rotated").await.len(), 1, "it is told once");
    }
    assert_eq!(site.log().matches("keys_forked").count() + site.log().matches("keys_unproven").count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_without_the_right_master_key_does_not_start_and_says_why() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let (plan, _) = hub.stop().await;
    let wrong = scene.folder().join("wrong.key");
    stories::Ended::of(stories::Program::Sortie.command().args(["hub", "master-key"]).arg(&wrong)).well();
    let open = scene.folder().join("open.key");
    std::fs::copy(&wrong, &open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    for (file, words) in [
        (wrong.display().to_string(), "does not open the hub's keys in this database"),
        (open.display().to_string(), "chmod 600"),
        (scene.folder().join("none.key").display().to_string(), "none.key"),
    ] {
        let ended = stories::Ended::of(&mut plan.clone().setting("master_key_file", &file).command());
        assert!(ended.code == Some(2) && ended.stderr.contains(words), "{file}: {ended:?}");
    }
    let mut unnamed = plan.command();
    unnamed.env_remove("SORTIE_HUB_MASTER_KEY_FILE");
    let ended = stories::Ended::of(&mut unnamed);
    assert!(ended.code == Some(2) && ended.stderr.contains("sortie hub master-key FILE"), "{ended:?}");
    plan.start().await;
}
