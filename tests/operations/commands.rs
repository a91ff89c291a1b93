//! Commands around the hub: the demo, which leaves nothing behind however it ends, and completions.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stories::{Ended, Program, Scene, on_sqlite, until};

on_sqlite!(
    the_demo_loses_nothing_and_does_nothing_twice,
    a_demo_that_is_killed_leaves_no_process,
    a_demo_that_is_interrupted_clears_everything_away,
    completions_are_there_for_every_shell,
);

async fn the_demo_loses_nothing_and_does_nothing_twice(scene: Scene) {
    let ended = Ended::of(demo(scene.folder()).args(["--once", "--json"]).stdin(Stdio::null())).well();
    let seen: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_eq!(
        (seen["nodes"].as_u64(), seen["lost"].as_u64(), seen["duplicated"].as_u64()),
        (Some(3), Some(0), Some(0))
    );
    assert!(seen["tasks"].as_u64() > Some(0) && seen["completed"].as_u64() > Some(0), "{seen}");
    assert!(seen["seconds"].is_number(), "{seen}");
    nothing_runs_in(scene.folder()).await;
    assert_eq!(leftovers(scene.folder()), 0);
}

async fn a_demo_that_is_killed_leaves_no_process(scene: Scene) {
    let mut demo = started(&scene).await;
    demo.kill().unwrap();
    demo.wait().unwrap();
    nothing_runs_in(scene.folder()).await;
}

async fn a_demo_that_is_interrupted_clears_everything_away(scene: Scene) {
    let mut demo = started(&scene).await;
    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    let status = until("it ends", async || demo.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(130));
    nothing_runs_in(scene.folder()).await;
    assert_eq!(leftovers(scene.folder()), 0, "its folder is gone");
}

async fn completions_are_there_for_every_shell(_scene: Scene) {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = Program::Sortie.run(["completions", shell]).well();
        assert!(ended.stdout.contains("sortie") && ended.stdout.lines().count() > 50, "{shell}");
    }
    assert_eq!(Program::Sortie.run(["completions", "smoke-signals"]).code, Some(2));
}

/// A demo whose temporary folder lies in the story's.
fn demo(folder: &Path) -> Command {
    let mut command = Program::Sortie.command();
    command.arg("demo").env("TMPDIR", folder);
    command
}

/// A demo whose hub and agents all run.
async fn started(scene: &Scene) -> Child {
    let mut command = demo(scene.folder());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let child = command.spawn().expect("the demo can be started");
    until("hub and agents run", async || (running_in(scene.folder()) >= 4).then_some(())).await;
    child
}

async fn nothing_runs_in(folder: &Path) {
    until("every process of the demo has ended", async || (running_in(folder) == 0).then_some(())).await;
}

/// How many processes were given a path in this folder.
fn running_in(folder: &Path) -> usize {
    let named = format!("{}/sortie-demo-", folder.display());
    let processes = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&named)).count()
}

fn leftovers(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("the story's folder is there").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("sortie-demo-")).count()
}
