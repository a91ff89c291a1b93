//! A node is there if any hub hears it.

use sortie_rules::liveness::Presence;
use stories::{Engine, RunningHub, Scene, until};

/// How often a hub has looked for silent nodes.
async fn looks(hub: &RunningHub<'_>) -> u64 {
    let metrics = hub.operations("/metrics").await.1;
    let line =
        metrics.lines().find(|line| line.starts_with("sortie_loop_seconds_count") && line.contains("check_presence"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_is_heard_at_another_hub_is_not_missed_and_one_that_is_silent_is() {
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub().setting("presence.check_every_s", 1).setting("presence.flush_every_s", 1);
    let hub = plan.setting("presence.stale_after_s", 4).setting("presence.down_after_s", 6).start().await;
    let other = hub.plan().beside("other").start().await;
    let (site, silent) = (other.site("north").await, other.site("south").await);
    let _agent = site.start();
    let gone = silent.start();
    for name in ["north", "south"] {
        until("it was heard", async || (presence(&hub, name).await == Presence::Online).then_some(())).await;
    }
    gone.kill().await;
    until("the silent one is down", async || (presence(&hub, "south").await == Presence::Down).then_some(())).await;
    let before = looks(&hub).await;
    until("it has looked some more", async || (looks(&hub).await > before + 6).then_some(())).await;
    assert_eq!(presence(&hub, "north").await, Presence::Online);
    assert_eq!(hub.events("node.down").await.len(), 1, "one was missed, and once");
    // And it is heard at the other one when it comes back.
    let _again = silent.start();
    until("it is back", async || (presence(&hub, "south").await == Presence::Online).then_some(())).await;
    until("that is told", async || (hub.events("node.recovered").await.len() == 1).then_some(())).await;
}

async fn presence(hub: &RunningHub<'_>, name: &str) -> Presence {
    hub.people().node(name).await.expect("it has enrolled").presence
}
