//! The typed subscriber, as the example that comes with the client.

use std::collections::BTreeSet;

use counterparts::Nats;
use stories::{Process, Program, Scene, on_sqlite, until};

use crate::help::{burst, connect, hub, nats, setup, until_acknowledged};

on_sqlite!(
    a_subscriber_gets_the_events_of_its_kinds_and_goes_on_where_it_was,
    a_subscriber_outlives_a_restart_of_nats,
    what_is_no_event_is_terminated_and_blocks_nobody,
    a_subscriber_without_a_consumer_is_told_how_to_make_one,
);

/// The example at work.
fn follow(scene: &Scene, nats: &Nats, consumer: &str) -> Process {
    let mut command = Program::FollowEvents.command();
    command.args([&nats.url(), "SORTIE", consumer]);
    Process::start(command, &scene.log("follow_events"))
}

/// The numbers of the events that it has printed.
fn printed(follower: &Process) -> Vec<u64> {
    follower.log().lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect()
}

async fn until_printed(follower: &Process, count: usize) -> Vec<u64> {
    until(&format!("{count} events are printed"), async || {
        let numbers: BTreeSet<u64> = printed(follower).into_iter().collect();
        (numbers.len() >= count).then(|| printed(follower))
    })
    .await
}

async fn a_subscriber_gets_the_events_of_its_kinds_and_goes_on_where_it_was(scene: Scene) {
    let nats = nats(&scene);
    setup(&nats, &["--consumer", "printer=task"]).well();
    let hub = hub(&scene, &nats).start().await;
    let _node = hub.hand_node("north").await;
    assert!(burst(&hub, &["north"], 20).await);
    let follower = follow(&scene, &nats, "printer");
    let numbers = until_printed(&follower, 20).await;
    assert!(numbers.is_sorted(), "{numbers:?}");
    let log = follower.log();
    assert!(log.lines().all(|line| line.contains(" task.submitted north ")), "{log}");
    follower.kill().await;
    assert!(burst(&hub, &["north"], 5).await);
    let follower = follow(&scene, &nats, "printer");
    let numbers = until_printed(&follower, 25).await;
    // At most what was printed and not acknowledged when it was killed comes again.
    assert!(numbers.len() <= 26, "{numbers:?}");
}

async fn a_subscriber_outlives_a_restart_of_nats(scene: Scene) {
    let mut nats = nats(&scene);
    setup(&nats, &["--consumer", "printer=task"]).well();
    let hub = hub(&scene, &nats).start().await;
    let _node = hub.hand_node("north").await;
    let mut follower = follow(&scene, &nats, "printer");
    for round in 1..=2 {
        assert!(burst(&hub, &["north"], 10).await);
        until_printed(&follower, 20 * round - 10).await;
        until_acknowledged(&nats, "printer").await;
        if round == 1 {
            nats.stop()
        } else {
            nats.kill()
        }
        assert!(burst(&hub, &["north"], 10).await);
        nats.start();
        until_printed(&follower, 20 * round).await;
    }
    assert!(follower.ended().is_none(), "it goes on");
}

async fn what_is_no_event_is_terminated_and_blocks_nobody(scene: Scene) {
    let nats = nats(&scene);
    setup(&nats, &["--consumer", "printer", "--ack-wait", "1s"]).well();
    let own = connect(&nats).await;
    let jetstream = async_nats::jetstream::new(own);
    for body in ["nonsense", "{}", r#"{"specversion":"0.3"}"#] {
        let sent = jetstream.publish("sortie.events.x.y.z.-", body.into()).await.expect("it can be sent");
        sent.await.expect("the stream takes it");
    }
    let follower = follow(&scene, &nats, "printer");
    let hub = hub(&scene, &nats).start().await;
    let _node = hub.hand_node("north").await;
    let count = until_printed(&follower, 2).await.len();
    assert!(count >= 2);
    until_acknowledged(&nats, "printer").await;
    let stream = jetstream.get_stream("SORTIE").await.expect("it is there");
    assert_eq!(stream.consumer_info("printer").await.expect("it is there").num_redelivered, 0);
    drop(hub);
}

async fn a_subscriber_without_a_consumer_is_told_how_to_make_one(scene: Scene) {
    let nats = nats(&scene);
    let mut follower = follow(&scene, &nats, "nobody");
    assert_eq!(follower.end().await.code(), Some(1));
    assert!(follower.log().contains("sortie events setup --stream SORTIE --consumer nobody"), "{}", follower.log());
}
