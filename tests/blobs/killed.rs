//! A hub is killed at each step of putting a log away: nothing is lost, and nothing is left in the end.

use counterparts::S3Server;
use stories::{Calls, Net, Scene, on_both_engines, on_sqlite, until, was_killed};

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
    let (plan, folder) = into_folder(&scene, "kept");
    let plan = plan.setting("blobs.unreferred_h", 0);
    let hub = plan.clone().setting("retention.logs_in_store_h", 1).start().await;
    let node = hub.hand_node("north").await;
    let log = b"what must not be lost\n";
    let id = ended_with(&hub, &node, "north", log).await;
    let _settings_before = hub.stop().await;
    let mut killed = 0;
    // Each step that changes or flushes a folder, one after the other, until a start gets through and the log is put
    // away.
    for nth in 1..=60 {
        let words = Calls::of("mkdir,rename,fsync,unlink").kill_at(nth);
        let mut dying = plan.clone().under(&words).launch();
        let status = until("it is killed, or has put the log away", async || match dying.ended() {
            Some(status) => Some(Some(status)),
            None => (count(&plan, "task_log_archives") == 1).then_some(None),
        })
        .await;
        match status {
            Some(status) => assert!(was_killed(status), "{status}"),
            None => {
                dying.kill().await;
                break;
            }
        }
        dying.nothing_left().await;
        killed += 1;
    }
    assert!(killed >= 10, "putting a log away has more steps than {killed}");
    let hub = plan.start().await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, log);
    until("only what somebody refers to is left", async || {
        let left = (count(hub.plan(), "blobs"), blobs_in(&folder).iter().filter(|path| is_blob(path)).count());
        (left == (1, 1)).then_some(())
    })
    .await;
}

/// Not what a write that was cut short has left beside it, and not what a start wrote to try the folder out.
fn is_blob(path: &std::path::Path) -> bool {
    !path.to_string_lossy().contains('#') && !path.to_string_lossy().contains("/probe-")
}
