//! Either side is killed amid a burst.

use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{all_arrived, burst, events, hub, is_whole, nats, until_arrived};

on_both_engines!(a_hub_that_is_killed_amid_a_burst_sends_the_rest_and_nothing_twice);
on_sqlite!(nats_that_is_killed_amid_a_burst_has_everything_once);

async fn a_hub_that_is_killed_amid_a_burst_sends_the_rest_and_nothing_twice(scene: Scene) {
    let nats = nats(&scene);
    let mut hub = hub(&scene, &nats).start().await;
    let (_north, _south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let mut had = all_arrived(&hub, &nats).await.len() as u64;
    for round in 0..4 {
        // Killed when some are there and others are not, at another place each time.
        for _ in 0..2 {
            assert!(burst(&hub, &["north", "south"], 300).await);
        }
        had = until_arrived(&nats, had + 1 + 75 * round).await;
        hub = hub.kill().await.start().await;
    }
    let arrived = all_arrived(&hub, &nats).await;
    is_whole(&arrived, &events(&hub).await);
    assert!(arrived.len() >= 2400);
}

async fn nats_that_is_killed_amid_a_burst_has_everything_once(scene: Scene) {
    let mut nats = nats(&scene);
    let hub = hub(&scene, &nats).start().await;
    let (_north, _south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let mut had = all_arrived(&hub, &nats).await.len() as u64;
    for round in 0..3 {
        for _ in 0..2 {
            assert!(burst(&hub, &["north", "south"], 300).await);
        }
        had = until_arrived(&nats, had + 1 + 75 * round).await;
        nats.kill();
        assert!(burst(&hub, &["north", "south"], 100).await);
        nats.start();
    }
    is_whole(&all_arrived(&hub, &nats).await, &events(&hub).await);
}
