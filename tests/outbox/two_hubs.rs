//! Two hubs on one PostgreSQL: each event is in the stream once, whoever sends it.

use stories::{Engine, Scene};

use crate::help::{all_arrived, burst, events, hub, is_whole, nats};

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
