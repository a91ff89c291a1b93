//! NATS is away: events are kept, and sent when it is back.

use counterparts::Nats;
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::help::{all_arrived, burst, events, hub, is_whole, metric, nats, times_said, until_said};

on_both_engines!(what_happens_while_nats_is_away_arrives_when_it_is_back);
on_sqlite!(a_hub_starts_and_works_without_nats, without_a_stream_it_is_said_how_to_make_one);

const AWAY: &str = "Events do not leave for NATS";
const BACK: &str = "Events leave for NATS again";

async fn what_happens_while_nats_is_away_arrives_when_it_is_back(scene: Scene) {
    let mut nats = nats(&scene);
    let hub = hub(&scene, &nats).start().await;
    let (_north, _south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let before = all_arrived(&hub, &nats).await.len();
    for outage in 1..=2 {
        nats.stop();
        for _ in 0..3 {
            assert!(burst(&hub, &["north", "south"], 400).await, "the hub works without NATS");
        }
        until("the lag is seen", async || {
            (metric(&hub, "sortie_outbox_lag_events").await >= Some(1200.0)).then_some(())
        })
        .await;
        assert_eq!(metric(&hub, "sortie_outbox_connected").await, Some(0.0));
        nats.start();
        let arrived = all_arrived(&hub, &nats).await;
        is_whole(&arrived, &events(&hub).await);
        assert!(arrived.len() >= before + 1200 * outage);
        until("that it is back is said", async || (times_said(&hub, BACK) == outage).then_some(())).await;
        assert_eq!(times_said(&hub, AWAY), outage, "an outage is told once");
        until("nothing waits", async || (metric(&hub, "sortie_outbox_lag_events").await == Some(0.0)).then_some(()))
            .await;
    }
}

async fn a_hub_starts_and_works_without_nats(scene: Scene) {
    let mut nats = nats(&scene);
    nats.stop();
    let hub = hub(&scene, &nats).start().await;
    let _node = hub.hand_node("north").await;
    assert!(burst(&hub, &["north"], 300).await);
    until_said(&hub, AWAY).await;
    assert_eq!(hub.operations("/readyz").await.0, 200, "requests are served all the same");
    // And one start more without it.
    let hub = hub.stop().await.0.start().await;
    nats.start();
    is_whole(&all_arrived(&hub, &nats).await, &events(&hub).await);
}

async fn without_a_stream_it_is_said_how_to_make_one(scene: Scene) {
    let nats = Nats::on(scene.free_port());
    let hub = hub(&scene, &nats).start().await;
    until_said(&hub, "sortie events setup").await;
    // As it was said.
    let log = hub.log();
    let words = log.split("`sortie events setup ").nth(1).and_then(|rest| rest.split('`').next()).expect("it is said");
    let words: Vec<&str> = ["events", "setup"].into_iter().chain(words.split(' ')).collect();
    stories::Program::Sortie.run(words).well();
    is_whole(&all_arrived(&hub, &nats).await, &events(&hub).await);
    assert_eq!(times_said(&hub, AWAY), 1);
    // Subjects that another stream has.
    let taken = hub.stop().await.0.setting("nats.stream", "ANOTHER").start().await;
    let _node = taken.hand_node("north").await;
    until_said(&taken, "another stream than ANOTHER takes").await;
}
