//! The slim program `sortie-agent` is the same agent.

use serde_json::json;
use stories::{Program, Scene, Site, on_sqlite};

on_sqlite!(
    the_slim_program_enrols_works_and_stops_like_the_large_one,
    both_programs_take_turns_on_one_data_folder,
    the_slim_program_refuses_with_the_same_codes,
);

async fn the_slim_program_enrols_works_and_stops_like_the_large_one(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = Site::new(&scene, "north").slim();
    let told = site.enroll(&hub.invite("north").await).well();
    assert!(told.stdout.contains("north") && told.stdout.contains(&hub.url()), "{told:?}");
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    let task = hub.ended(id).await;
    assert_eq!(task.summary.status.as_str(), "completed", "{task:?}");
    assert!(task.result.is_some());
    assert_eq!(agent.stop().await.code(), Some(0));
}

async fn both_programs_take_turns_on_one_data_folder(scene: Scene) {
    let hub = scene.hub().start().await;
    let large = hub.site("north").await;
    let slim = large.clone().slim();
    for site in [&slim, &large, &slim] {
        let agent = site.start();
        let append = json!({ "path": site.files().join("journal"), "line": "a line" });
        let id = hub.submit("north", "file.append", append).await;
        assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
        assert_eq!(agent.stop().await.code(), Some(0));
    }
    assert_eq!(large.lines("journal").len(), 3);
    assert!(hub.events("node.quarantined").await.is_empty());
}

async fn the_slim_program_refuses_with_the_same_codes(scene: Scene) {
    let hub = scene.hub().start().await;
    let invite = hub.invite("north").await;
    hub.site("other").await;
    let plan = hub.kill().await;
    for site in [Site::new(&scene, "north"), Site::new(&scene, "slim").slim()] {
        assert_eq!(site.enroll("not an invite").code, Some(2));
        assert_eq!(site.enroll(&invite).code, Some(4), "the hub is away");
        assert_eq!(site.start().process.end().await.code(), Some(2), "it has not enrolled");
        assert!(site.log().contains("enroll"), "{}", site.log());
    }
    let printed = Program::SlimAgent.run(["run", "--print-config"]).well();
    assert!(printed.stdout.contains("concurrency = 4"), "{printed:?}");
    assert_eq!(printed.stdout, Program::Sortie.run(["agent", "run", "--print-config"]).well().stdout);
    let hub = plan.start().await;
    Site::new(&scene, "slim").slim().enroll(&invite).well();
    let again = Site::new(&scene, "north").enroll(&invite);
    assert_eq!(again.code, Some(3), "{again:?}");
    assert!(again.stderr.contains("invite_used"), "{again:?}");
    drop(hub);
}
