//! `sortie job`: run, list, show, watch, steer, as someone at a terminal would.

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::{complete, fail, label, naps, nodes, over, run};

on_sqlite!(
    a_job_is_run_and_watched_to_its_end,
    a_job_that_did_not_go_well_names_its_nodes_and_ends_with_5,
    a_dry_run_says_who_is_meant_and_begins_nothing,
    a_watch_that_lasts_too_long_ends_with_6_and_the_job_goes_on,
    what_is_typed_wrongly_is_told,
);

async fn a_job_is_run_and_watched_to_its_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let sites = [hub.site("north").await, hub.site("south").await];
    let _agents: Vec<_> = sites.iter().map(stories::Site::start).collect();
    label(&hub, "north", "ring", "first").await;
    let ended = hub.sortie(&["job", "run", "sys.info", "--label", "ring=first", "--watch"]);
    let ended = ended.well();
    assert!(
        ended.stderr.contains("sys.info begins at 1 node") && ended.stderr.contains("completed after"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("1 completed"), "{ended:?}");
    let list = hub.sortie(&["job", "list"]).well();
    assert!(list.stdout.contains("ring=first") && list.stdout.contains("completed"), "{list:?}");
    let id = hub.sortie_json(&["job", "list"])["items"][0]["id"].as_str().expect("an id").to_owned();
    let show = hub.sortie(&["job", "show", &id]).well();
    assert!(show.stdout.contains("of them") && show.stdout.contains("north"), "{show:?}");
    let json = hub.sortie_json(&["job", "show", &id]);
    assert_eq!(
        (&json["job"]["counts"]["completed"], &json["nodes"]["items"][0]["node_name"]),
        (&json!(1), &json!("north"))
    );
    let task = json["nodes"]["items"][0]["task"].as_str().expect("an id").to_owned();
    let task = hub.sortie(&["task", "show", &task]).well();
    assert!(task.stdout.contains(&id), "{task:?}");
    assert_eq!(hub.sortie_json(&["task", "list", "--job", &id])["items"].as_array().map(Vec::len), Some(1));
}

async fn a_job_that_did_not_go_well_names_its_nodes_and_ends_with_5(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 2).await;
    let job = run(&hub, &naps(json!({ "all": true }))).await;
    complete(&nodes[0], &nodes[0].take_one().await).await;
    fail(&nodes[1], &nodes[1].take_one().await).await;
    over(&hub, job.id).await;
    let ended = hub.sortie(&["job", "watch", &job.id.to_string()]);
    assert_eq!(ended.code, Some(5));
    assert!(ended.stderr.contains("1 completed, 1 failed") && ended.stderr.contains("--status failed"), "{ended:?}");
    assert!(ended.stdout.contains("n02") && ended.stdout.contains("handler_failed"), "{ended:?}");
}

async fn a_dry_run_says_who_is_meant_and_begins_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let _nodes = nodes(&hub, 3).await;
    let ended = hub.sortie(&["job", "run", "sys.info", "--node", "n02,n01", "--dry-run"]).well();
    assert_eq!(ended.stdout, "n01\nn02\n");
    assert!(ended.stderr.contains("would be for 2 nodes"), "{ended:?}");
    assert!(hub.events("job").await.is_empty());
}

async fn a_watch_that_lasts_too_long_ends_with_6_and_the_job_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = nodes(&hub, 1).await.remove(0);
    let words = ["job", "run", "sleep", "--payload", "{\"ms\":0}", "--all", "--watch", "--timeout", "1s"];
    let ended = hub.sortie(&words);
    assert!(ended.code == Some(6) && ended.stderr.contains("the job goes on: sortie job watch"), "{ended:?}");
    let id = hub.sortie_json(&["job", "list"])["items"][0]["id"].as_str().expect("an id").to_owned();
    hub.sortie(&["job", "pause", &id]).well();
    hub.sortie(&["job", "resume", &id]).well();
    complete(&node, &node.take_one().await).await;
    hub.sortie(&["job", "watch", &id]).well();
    hub.sortie(&["job", "cancel", &id]).failed(3, &["job_over", "the job is completed"]);
}

async fn what_is_typed_wrongly_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["job", "run", "sys.info"]).failed(2, &["--all", "--label"]);
    hub.sortie(&["job", "run", "sys.info", "--all", "--stop-after", "101%"]).failed(2, &["1% to 100%"]);
    hub.sortie(&["job", "run", "sys.info", "--label", "zone=north"]).failed(3, &["selector_matches_nothing"]);
}
