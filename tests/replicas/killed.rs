//! A hub dies with waits in its hands; the balancer before both sends everybody to the other.

use serde_json::json;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use stories::{Engine, Net, RunningAgent, RunningHub, Scene, Site, until};

/// Enough that each hub holds the waits of some.
const SITES: [&str; 4] = ["north", "south", "east", "west"];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_waits_at_a_hub_that_is_killed_gets_tasks_from_the_other_and_does_each_once() {
    let scene = Scene::new(Engine::Postgres);
    let (one, _) = scene.hub().start().await.stop().await;
    let other = one.beside("other");
    let net = Net::among(&[&one.url(), &other.url()]).await;
    let mut hubs = [one.setting("url", net.url()).start().await, other.setting("url", net.url()).start().await];
    let mut sites = Vec::new();
    for name in SITES {
        let site = hubs[0].site(name).await;
        sites.push((site.start(), site));
    }
    for name in SITES {
        let [hub, _] = &hubs;
        until("its agent waits", async || hub.people().node(name).await.expect("it has enrolled").heard_at.map(drop))
            .await;
    }
    let (mut tasks, mut lines) = (Vec::new(), 0);
    for _ in 0..3 {
        // Some are on their way when it happens, and some come while one hub is away.
        let [dying, living] = hubs;
        tasks.extend(append(&dying, &sites, &mut lines).await);
        let dead = dying.kill().await;
        let late = append(&living, &sites, &mut lines).await;
        for id in &late {
            assert_eq!(living.ended(*id).await.summary.status, Status::Completed);
        }
        tasks.extend(late);
        hubs = [living, dead.start().await];
    }
    for id in tasks {
        assert_eq!(hubs[0].ended(id).await.summary.status, Status::Completed);
    }
    for (_, site) in &sites {
        let mut seen = site.lines("journal");
        assert_eq!(seen.len(), 6, "{seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), 6, "each once: {seen:?}");
    }
}

/// A task for each site, which appends a line that no other one has.
async fn append(hub: &RunningHub<'_>, sites: &[(RunningAgent, Site<'_>)], lines: &mut u32) -> Vec<TaskId> {
    let mut tasks = Vec::new();
    for (_, site) in sites {
        *lines += 1;
        let payload = json!({ "path": site.files().join("journal"), "line": lines.to_string() });
        tasks.push(hub.submit(site.name(), "file.append", payload).await);
    }
    tasks
}
