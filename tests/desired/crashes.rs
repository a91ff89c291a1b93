//! SIGKILL in the middle of what the agent writes.

use serde_json::json;
use sortie_rules::desired::Standing;
use stories::{Calls, Scene, on_sqlite, was_killed};

use crate::help::{file, holds, keeping, publish, stands};

on_sqlite!(an_agent_that_is_killed_while_it_writes_leaves_whole_files_and_goes_on,);

async fn an_agent_that_is_killed_while_it_writes_leaves_whole_files_and_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let whole = hub.site("north").await;
    whole.set_policy(&keeping(&whole, ""));
    let motd = whole.files().join("motd");
    let before = "before ".repeat(1000);
    let after = "after ".repeat(1000);
    std::fs::write(&motd, &before).unwrap();
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, &after)}})).await;
    // At each of its first flushes in turn: of the state it accepts, of the file that it writes, of what it remembers.
    for nth in 1..=6 {
        let cut = whole.clone().under(&Calls::of("fsync").kill_at(nth));
        let mut agent = cut.start();
        let ended = tokio::select! {
            ended = agent.process.end() => Some(ended),
            _ = stands(&people, "north", Standing::Converged) => None,
        };
        assert!(ended.is_none_or(was_killed), "{ended:?}");
        let found = std::fs::read_to_string(&motd).unwrap();
        assert!(found == before || found == after, "it is neither what it was nor what it should be: {found}");
        let left: Vec<_> = std::fs::read_dir(whole.files()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        if ended.is_none() {
            assert_eq!(left, ["motd"], "nothing is left beside it");
        }
    }
    let _agent = whole.start();
    holds(&motd, &after).await;
    stands(&people, "north", Standing::Converged).await;
}
