//! Two hubs on one PostgreSQL: a set that is published at one is known at the other.

use stories::{Engine, Operator, Scene, signed_set, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_set_that_is_published_at_one_hub_is_named_by_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub().start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let node = other.hand_node("box").await;
    assert_eq!(node.wait(1, 0).await.operators_version, 0, "from now on the other has it in memory");
    let ada = Operator::new("ada");
    one.people().publish_operators(&signed_set(1, 1, &[&ada], &[&ada])).await.unwrap();
    let named = async || (node.wait(1, 0).await.operators_version == 1).then_some(());
    until("the other hub names it", named).await;
}
