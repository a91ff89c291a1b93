//! Fields that are taken from results and kept on the node or its site (F-20 to F-22).

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Scene, on_both_engines};

use crate::help::{complete, give_type, settled, step};

on_both_engines!(fields_are_kept_and_what_is_missing_is_named);

const STEPS: &str = "[[task_types.post_steps]]\nname = \"project\"\nkind = \"status\"\nof = \"node\"\n\
    fields = { xnat_project_id = \"/project/id\", area = \"/area\" }\noptional = [\"area\"]\n\
    [[task_types.post_steps]]\nname = \"site\"\nkind = \"status\"\nof = \"site\"\n\
    fields = { last_project = \"/project/id\" }\n";

async fn fields_are_kept_and_what_is_missing_is_named(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, STEPS);
    let hub = plan.start().await;
    let invite = hub.sortie(&["invite", "create", "--node", "north", "--site", "trust-a"]).well().stdout;
    let node = hub.hand_node_with(invite.trim()).await;
    let kept = async || {
        let node = hub.people().node("north").await.expect("it is there");
        node.fields.into_iter().map(|field| (field.name, field.value)).collect::<Vec<_>>()
    };
    let first = complete(&hub, &node, json!({ "project": { "id": "P-7" } })).await;
    settled(&hub, first).await;
    assert_eq!(kept().await, [("xnat_project_id".to_owned(), json!("P-7"))]);
    let sites = hub.people().sites().await.expect("an administrator may").items;
    assert_eq!((sites[0].key.as_str(), &sites[0].fields[0].value), ("trust-a", &json!("P-7")));
    // A site may lack it all: that is named, changes nothing, and is no crash.
    for lacking in [json!({}), json!(null), json!([1]), json!({ "project": "P-8" })] {
        let id = complete(&hub, &node, lacking).await;
        let task = settled(&hub, id).await;
        let step = step(&task, "project", 0);
        assert_eq!((step.status.as_str(), step.code.as_deref()), ("failed", Some("fields_missing")));
        assert!(step.message.as_deref().is_some_and(|said| said.contains("`xnat_project_id` (at /project/id)")));
        assert_eq!(task.summary.status, Status::Completed);
    }
    let last = complete(&hub, &node, json!({ "project": { "id": "P-9" }, "area": ["chest"] })).await;
    settled(&hub, last).await;
    let now = [("area".to_owned(), json!(["chest"])), ("xnat_project_id".to_owned(), json!("P-9"))];
    assert_eq!(kept().await, now);
    let shown = hub.sortie(&["node", "show", "north"]).well().stdout;
    assert!(shown.contains("xnat_project_id") && shown.contains("P-9"), "{shown}");
}
