//! A hub is killed at each step of putting a log away: nothing is lost, and nothing is left in the end.

use counterparts::S3Server;
use stories::{Calls, HubPlan, Net, Scene, on_both_engines, on_sqlite, until, was_killed};

use crate::help::{blobs_in, count, ended_with, into_bucket, into_folder, log_of, until_archived};

on_both_engines!(a_hub_killed_while_the_store_takes_a_blob_puts_it_away_once);
on_sqlite!(a_hub_killed_at_each_step_on_the_disk_loses_nothing);

async fn a_hub_killed_while_the_store_takes_a_blob_puts_it_away_once(scene: Scene) {
    let server = S3Server::start();
    let net = Net::to(&server.url()).await;
    let hub = into_bucket(&scene, &server, &format!("http://{}", net.address())).start().await;
    let node = hub.hand_node("north").await;
    let first = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), first).await;
    net.stall();
    let id = ended_with(&hub, &node, "north", b"two\n").await;
    until("it is begun", async || (count(hub.plan(), "blobs where kept_at is null") == 1).then_some(())).await;
    let plan = hub.kill().await;
    net.mend();
    let hub = plan.start().await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"two\n");
    assert_eq!(count(hub.plan(), "blobs"), 2, "what was begun was finished");
}

async fn a_hub_killed_at_each_step_on_the_disk_loses_nothing(scene: Scene) {
    let (mut plan, folder) = into_folder(&scene, "kept");
    let (mut kept, mut killed) = (Vec::new(), 0);
    for step in ["mkdir", "rename", "fsync"] {
        let hub = plan.clone().setting("retention.logs_in_store_h", 1).start().await;
        let node = hub.hand_node(step).await;
        let log = format!("what must not be lost at {step}\n");
        kept.push((ended_with(&hub, &node, step, log.as_bytes()).await, log));
        let _settings_before = hub.stop().await;
        killed += kill_at_each(&plan, step, kept.len() as u64).await;
        // The next ones are killed where the folders of this one are there.
        plan = plan.start().await.stop().await.0;
    }
    assert!(killed >= 6, "putting a log away has more steps than {killed}");
    let hub = plan.setting("blobs.unreferred_h", 0).start().await;
    for (id, log) in &kept {
        until_archived(hub.plan(), *id).await;
        assert_eq!(log_of(&hub, *id).await, log.as_bytes());
    }
    until("only what somebody refers to is left", async || {
        let left = (count(hub.plan(), "blobs"), blobs_in(&folder).iter().filter(|path| is_blob(path)).count());
        (left == (3, 3)).then_some(())
    })
    .await;
}

/// Starts a hub and kills it at the first of these calls of a thread, at the second, and so on, until one gets through
/// and so many logs are put away. Returns how often it was killed.
async fn kill_at_each(plan: &HubPlan<'_>, call: &'static str, archived: u64) -> u32 {
    let mut killed = 0;
    loop {
        let mut dying = plan.clone().under(&Calls::of(call).kill_at(killed + 1)).launch();
        let status = until("it is killed, or has put the log away", async || match dying.ended() {
            Some(status) => Some(Some(status)),
            None => (count(plan, "task_log_archives") == archived).then_some(None),
        })
        .await;
        let Some(status) = status else {
            dying.kill().await;
            return killed;
        };
        assert!(was_killed(status), "{status}");
        dying.nothing_left().await;
        killed += 1;
    }
}

/// Not what a write that was cut short has left beside it, and not what a start wrote to try the folder out.
fn is_blob(path: &std::path::Path) -> bool {
    !path.to_string_lossy().contains('#') && !path.to_string_lossy().contains("/probe-")
}
