//! The recipe for a new task type, done as the page says it.

use std::process::{Command, Stdio};

use stories::{Ended, Program, Scene, Site, on_sqlite, until};

use crate::help::types;

on_sqlite!(the_recipe_leads_to_a_task_that_runs);

const PAGE: &str = include_str!("../../docs/recipes/add-a-task-type.md");

/// The blocks of commands of the page.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("a block ends")).collect()
}

async fn the_recipe_leads_to_a_task_that_runs(scene: Scene) {
    let steps = PAGE.lines().filter(|line| line.starts_with("**") && line.contains(". ")).count();
    assert!((1..=5).contains(&steps) && blocks().len() == steps, "{steps} steps, {} blocks", blocks().len());
    let mut hub = scene.hub().start().await;
    let site = Site::new(&scene, "box");
    site.enroll(&hub.invite("box").await).well();
    let _agent = site.start();
    // The page calls the agent's folder `box`.
    std::os::unix::fs::symlink(site.data(), scene.folder().join("box")).expect("the folder is ours");
    let programs = Program::Sortie.path().parent().expect("it lies in a folder").to_owned();
    for block in blocks() {
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("there is a path"));
        let mut shell = Command::new("sh");
        shell.args(["-euc", block]).current_dir(scene.folder()).env("PATH", path).stdin(Stdio::null());
        shell.env("HUB_PID", hub.process().id().to_string());
        let ended = Ended::of(&mut shell).well();
        if block.contains("kill -HUP") {
            until("the hub has looked", async || types(&hub).contains(&"invoices.count".to_owned()).then_some(()))
                .await;
        }
        if block.contains("task submit") {
            assert_eq!(ended.json(), serde_json::json!({ "payload_bytes": 17 }));
        }
    }
}
