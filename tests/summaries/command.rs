//! `sortie summary`, as someone at a terminal would.

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::shows;

on_sqlite!(the_numbers_are_printed_for_people_and_for_programs,);

async fn the_numbers_are_printed_for_people_and_for_programs(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let run = hub.sortie(&["job", "run", "sys.info", "--all"]).well().stdout;
    shows(&hub, "the job is under way", |summary| summary.jobs.as_ref().is_some_and(|jobs| jobs.open == 1)).await;
    let printed = hub.sortie(&["summary"]).well().stdout;
    for words in ["1: 0 online, 1 never heard", "1 open", "0 awaiting signatures", "in progress", run.trim(), "running"]
    {
        assert!(printed.contains(words), "{words}:\n{printed}");
    }
    let alias = hub.sortie(&["status"]).well().stdout;
    assert_eq!(alias.lines().next(), printed.lines().next());
    let read = hub.sortie_json(&["summary"]);
    assert_eq!((&read["nodes"]["all"], &read["jobs"]["newest"][0]["id"]), (&json!(1), &json!(run.trim())));
}
