//! Health and counters: on the operations listener, and nowhere else.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, Net, Scene, on_sqlite, until};

on_sqlite!(
    a_hub_at_work_is_alive_and_ready,
    counters_have_their_names_and_rise,
    agents_and_people_find_no_counters_on_the_public_listener,
    an_empty_operations_address_serves_them_nowhere,
);

async fn a_hub_at_work_is_alive_and_ready(scene: Scene) {
    let hub = scene.hub().start().await;
    assert_eq!(hub.operations("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(hub.operations("/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(hub.operations("/api/v1/whoami").await.0, 404, "and it serves nothing else");
}

async fn counters_have_their_names_and_rise(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let before = hub.operations("/metrics").await.1;
    let id = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(id).await;
    let refused = hub.request(Method::GET, "/api/v1/tasks/none-of-ours").send().await;
    assert_eq!(refused.status, 400);
    let after = hub.operations("/metrics").await.1;
    for (name, labels) in [
        ("sortie_tasks_submitted_total", ""),
        ("sortie_tasks_finished_total", ""),
        ("sortie_http_requests_total", "status=\"400\""),
        ("sortie_http_requests_total", "route=\"/api/v1/tasks\""),
        ("sortie_http_request_seconds_count", "route=\"/api/v1/tasks\""),
    ] {
        let (before, after) = (count(&before, name, labels), count(&after, name, labels));
        assert!(after > before, "{name} {labels}: {before} then {after}");
    }
    for name in ["sortie_loop_failing", "sortie_loop_seconds_count", "sortie_loop_changes_total"] {
        assert!(after.contains(name), "{name}");
    }
    assert!(after.lines().all(|line| line.is_empty() || line.starts_with('#') || line.starts_with("sortie_")));
}

async fn agents_and_people_find_no_counters_on_the_public_listener(scene: Scene) {
    let hub = scene.hub().start().await;
    for path in ["/metrics", "/healthz", "/readyz"] {
        hub.request(Method::GET, path).send().await.is_problem(ProblemCode::UnknownRoute, None);
    }
}

async fn an_empty_operations_address_serves_them_nowhere(scene: Scene) {
    let plan = scene.hub();
    std::fs::create_dir_all(plan.data()).unwrap();
    std::fs::write(plan.data().join("hub.toml"), "operations_listen = \"\"\n").unwrap();
    // The empty variable takes the story's own setting away and leaves the file's.
    let mut hub = plan.setting("operations_listen", "").start().await;
    let sockets = listening_sockets(hub.process().id());
    assert_eq!(sockets, [hub.address().rsplit(':').next().unwrap().parse::<u16>().unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_whose_database_is_away_is_alive_and_not_ready() {
    let scene = Scene::new(Engine::Postgres);
    let url = scene.postgres().unwrap().fresh_database();
    let net = Net::to(&url).await;
    let (start, database) = url.rsplit_once('/').unwrap();
    let through = format!("{}@{}/{database}", start.split_once('@').unwrap().0, net.address());
    let hub = scene.hub().setting("database_url", through).start().await;
    let node = hub.hand_node("north").await;
    assert_eq!(hub.operations("/readyz").await.0, 200);
    net.refuse();
    until("it is not ready", async || (hub.operations("/readyz").await.0 == 503).then_some(())).await;
    assert_eq!(hub.operations("/healthz").await.0, 200, "it is alive all the same");
    let task = json!({ "type": "sys.info", "node": "north", "payload": {} });
    let refused = hub.request(Method::POST, "/api/v1/tasks").json(&task).send().await;
    refused.is_problem(ProblemCode::StorageUnavailable, None);
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    net.mend();
    until("it is ready again", async || (hub.operations("/readyz").await.0 == 200).then_some(())).await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, id, "nothing of the refused one was kept");
}

/// The sum of a counter's lines with these labels.
fn count(text: &str, name: &str, labels: &str) -> f64 {
    let lines = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name) && line.contains(labels));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// The TCP ports on which a process listens.
fn listening_sockets(process: u32) -> Vec<u16> {
    let links = std::fs::read_dir(format!("/proc/{process}/fd")).expect("the process is ours");
    let links = links.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let own: Vec<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let table = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/{process}/net/{name}")).unwrap());
    let listening = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (address, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
        let is_own = own.contains(&format!("socket:[{inode}]"));
        (*state == "0A" && is_own).then(|| u16::from_str_radix(address.rsplit(':').next()?, 16).ok())?
    };
    table.iter().flat_map(|table| table.lines()).filter_map(listening).collect()
}
