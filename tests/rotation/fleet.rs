//! A fleet at work does not notice that everything by which it knows its hub is replaced.

use serde_json::json;
use sortie_wire::hub_keys::{KeySort, KeyState, Rotatable};
use sortie_wire::problem::ProblemCode;
use stories::{RunningHub, Scene, Site, on_both_engines, on_sqlite, until};

use crate::steps::{begun, believed, believes, current, finish, keys, nobody_lags, rotate, works};

on_both_engines!(a_fleet_works_through_a_rotation_of_everything);
on_sqlite!(
    who_comes_in_the_middle_of_a_rotation_comes_in,
    a_hub_that_is_restarted_in_the_middle_goes_on,
    two_administrators_at_once_rotate_once,
    what_a_node_has_is_shown_with_it
);

async fn fleet<'s>(hub: &RunningHub<'s>) -> [Site<'s>; 3] {
    [hub.site("north").await, hub.site("south").await, hub.site("west").await]
}

async fn a_fleet_works_through_a_rotation_of_everything(scene: Scene) {
    let hub = scene.hub().start().await;
    let sites = fleet(&hub).await;
    let _agents = sites.each_ref().map(Site::start);
    let before = keys(&hub).await;
    let mut tasks = Vec::new();
    for site in &sites {
        for name in ["long", "short"] {
            let ms = if name == "long" { 1500 } else { 10 };
            tasks.push(hub.submit(site.name(), "sleep", json!({ "ms": ms })).await);
        }
    }
    for what in [Rotatable::Delivery, Rotatable::Authority] {
        rotate(&hub, what).await;
        begun(&hub).await;
        tasks.push(hub.submit("north", "sleep", json!({ "ms": 10 })).await);
        nobody_lags(&hub).await;
        finish(&hub, false).await;
    }
    let after = keys(&hub).await;
    for sort in [KeySort::Delivery, KeySort::Authority] {
        assert_ne!(current(&after, sort), current(&before, sort));
    }
    assert!(after.keys.iter().all(|key| key.state == KeyState::Current), "{after:?}");
    assert_eq!((after.version, after.nodes, after.lagging), (5, 3, 0));
    for task in tasks {
        let ended = hub.ended(task).await.summary;
        assert_eq!((ended.status.as_str(), ended.attempt), ("completed", 1), "{ended:?}");
    }
    for site in &sites {
        believes(site, 5).await;
        assert_eq!(believed(site).authorities.len(), 1);
        works(&hub, site).await;
        assert_eq!(site.log().matches("the agent has started").count(), 1, "none was restarted");
    }
    let steps = ["keys.rotated", "keys.begun", "keys.finished"];
    for kind in steps {
        assert_eq!(hub.events(kind).await.len(), 2, "{kind}");
    }
}

async fn who_comes_in_the_middle_of_a_rotation_comes_in(scene: Scene) {
    let hub = scene.hub().start().await;
    let early = hub.invite("early").await;
    rotate(&hub, Rotatable::Authority).await;
    let between = hub.invite("between").await;
    begun(&hub).await;
    for (name, invite) in [("early", early), ("between", between)] {
        let site = Site::new(&scene, name);
        site.enroll(&invite).well();
        let _agent = site.start();
        works(&hub, &site).await;
        assert_eq!(believed(&site).authorities.len(), 2);
    }
    let kept = hub.invite("kept").await;
    nobody_lags(&hub).await;
    finish(&hub, false).await;
    let site = Site::new(&scene, "kept");
    site.enroll(&kept).well();
    let _agent = site.start();
    works(&hub, &site).await;
}

async fn a_hub_that_is_restarted_in_the_middle_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let sites = fleet(&hub).await;
    let _agents = sites.each_ref().map(Site::start);
    rotate(&hub, Rotatable::Delivery).await;
    let hub = hub.kill().await.start().await;
    rotate(&hub, Rotatable::Authority).await;
    let hub = hub.stop().await.0.start().await;
    begun(&hub).await;
    let hub = hub.kill().await.start().await;
    nobody_lags(&hub).await;
    finish(&hub, false).await;
    let hub = hub.kill().await.start().await;
    for site in &sites {
        works(&hub, site).await;
    }
    assert_eq!(hub.events("keys.rotated").await.len(), 2);
    assert_eq!(hub.events("keys.finished").await.len(), 1);
}

async fn two_administrators_at_once_rotate_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let (one, other) = (hub.people(), hub.people());
    let request = sortie_wire::hub_keys::RotateKeys { what: Rotatable::Delivery, from: 1, at_once: false };
    let (first, second) = tokio::join!(one.rotate_keys(&request), other.rotate_keys(&request));
    assert_eq!((first.unwrap().version, second.unwrap().version), (2, 2));
    let authority = sortie_wire::hub_keys::RotateKeys { what: Rotatable::Authority, ..request };
    let refused = one.rotate_keys(&authority).await.unwrap_err();
    assert_eq!(refused.problem().map(|problem| problem.code), Some(ProblemCode::KeysChanged));
    let again = sortie_wire::hub_keys::RotateKeys { from: 2, ..request };
    begun(&hub).await;
    assert_eq!(one.rotate_keys(&again).await.unwrap().version, 3, "the next one may follow at once");
    assert_eq!(hub.events("keys.rotated").await.len(), 2);
    begun(&hub).await;
    let finish = sortie_wire::hub_keys::FinishKeys { from: 3, force: false };
    for people in [&one, &other] {
        assert_eq!(people.finish_keys(&finish).await.unwrap().version, 4);
    }
    assert_eq!(hub.events("keys.finished").await.len(), 1);
}

async fn what_a_node_has_is_shown_with_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let silent = hub.hand_node("silent").await;
    let agent = site.start();
    rotate(&hub, Rotatable::Delivery).await;
    believes(&site, 2).await;
    until("the hub knows it", async || {
        let keys = hub.people().node("north").await.expect("it has enrolled").keys?;
        (keys.version == 2 && keys.newest == 2).then_some(())
    })
    .await;
    let shown = hub.sortie(&["node", "show", "silent"]).well().stdout;
    assert!(shown.contains("1 of 2"), "{shown}");
    let before = hub.plan().sql("select count(*) from node_keys where keys_version = 2");
    assert_eq!(before, ["1"]);
    let waited = silent.wait(1, 0).await;
    assert_eq!(waited.keys_version, 2);
    agent.stop().await;
}
