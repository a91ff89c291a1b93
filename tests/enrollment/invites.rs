//! Invites: one node, once, for a while, from this hub.

use stories::{Scene, on_both_engines};

on_both_engines!(a_site_comes_in_with_one_line_of_text_and_does_a_first_task);

async fn a_site_comes_in_with_one_line_of_text_and_does_a_first_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", serde_json::json!({})).await;
    let task = hub.ended(id).await;
    assert_eq!(task.summary.status.as_str(), "completed", "{task:?}");
}
