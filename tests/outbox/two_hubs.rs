//! Two hubs on one PostgreSQL: each event is in the stream once, whoever sends it.

use rustix::process::Signal;
use stories::{Engine, Scene, until};

use crate::help::{all_arrived, burst, events, hub, is_whole, metric, nats};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_hubs_each_event_arrives_once_also_when_one_is_killed() {
    let scene = Scene::new(Engine::Postgres);
    let nats = nats(&scene);
    let plan = hub(&scene, &nats).start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let (_north, _south) = (one.hand_node("north").await, other.hand_node("south").await);
    for _ in 0..3 {
        let (here, there) = tokio::join!(burst(&one, &["north", "south"], 200), burst(&other, &["south"], 200));
        assert!(here && there);
    }
    is_whole(&all_arrived(&other, &nats).await, &events(&other).await);
    assert!(burst(&one, &["north"], 500).await);
    let plan = one.kill().await;
    assert!(burst(&other, &["north", "south"], 500).await);
    is_whole(&all_arrived(&other, &nats).await, &events(&other).await);
    let one = plan.start().await;
    assert!(burst(&one, &["south"], 100).await);
    is_whole(&all_arrived(&one, &nats).await, &events(&one).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_leads_no_more_shows_no_lag_of_former_times() {
    let scene = Scene::new(Engine::Postgres);
    let mut nats = nats(&scene);
    let mut one = hub(&scene, &nats).start().await;
    until("it leads", async || (metric(&one, "sortie_outbox_connected").await == Some(1.0)).then_some(())).await;
    let other = one.plan().beside("other").start().await;
    let _node = other.hand_node("north").await;
    assert_eq!(metric(&other, "sortie_outbox_lost_events_total").await, Some(0.0), "so that the first is seen");
    nats.stop();
    assert!(burst(&other, &["north"], 300).await);
    until("the leader shows it", async || {
        (metric(&one, "sortie_outbox_lag_events").await >= Some(300.0)).then_some(())
    })
    .await;
    assert_eq!(metric(&other, "sortie_outbox_lag_events").await, Some(0.0), "the leader's to show");
    one.process().signal(Signal::STOP);
    until("another shows it", async || (metric(&other, "sortie_outbox_lag_events").await >= Some(300.0)).then_some(()))
        .await;
    one.process().signal(Signal::CONT);
    until("the former leader does not", async || {
        let shown = [metric(&one, "sortie_outbox_lag_events").await, metric(&one, "sortie_outbox_lag_seconds").await];
        (shown == [Some(0.0); 2]).then_some(())
    })
    .await;
    assert!(metric(&other, "sortie_outbox_lag_events").await >= Some(300.0));
    nats.start();
    is_whole(&all_arrived(&other, &nats).await, &events(&other).await);
}
