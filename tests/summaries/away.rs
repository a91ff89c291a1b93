//! A database that is away or slow: what was counted before is served, with its age, and that is counted.

use counterparts::Postgres;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, Net, Scene, until};

use crate::help::{counter, shows, summary};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_that_is_away_leaves_the_numbers_from_before_with_their_age() {
    let scene = Scene::with_postgres(Postgres::start_durable());
    let server = scene.postgres().expect("the place has one");
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    hub.submit("north", "sys.info", json!({})).await;
    let before = shows(&hub, "it is counted", |summary| summary.tasks.is_some_and(|tasks| tasks.pending == 1)).await;
    server.kill();
    let older = shows(&hub, "what was counted before is served", |summary| summary.outdated).await;
    assert_eq!((older.nodes, older.tasks.map(|tasks| tasks.pending)), (before.nodes, Some(1)));
    assert!(older.as_of <= stories::now());
    for part in ["nodes", "tasks"] {
        let model = format!("model=\"{part}\"");
        // Each part is read anew when its own time is up.
        until("its failure is counted", async || {
            summary(&hub).await;
            let failed = counter(&hub, "sortie_read_model_failures_total", &[&model]).await;
            let older = counter(&hub, "sortie_read_model_answers_total", &[&model, "from=\"older\""]).await;
            (failed > 0 && older > 0).then_some(())
        })
        .await;
    }
    assert!(summary(&hub).await.outdated);
    let said = hub.log().matches("What a summary tells cannot be read anew").count();
    assert!((1..=4).contains(&said), "each part says it once, and not with every question: {said}");
    server.start_again();
    let again = shows(&hub, "it is counted anew", |summary| !summary.outdated).await;
    assert!(again.as_of > older.as_of && again.tasks.is_some_and(|tasks| tasks.pending == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_older_numbers_a_database_that_is_away_is_told() {
    let scene = Scene::with_postgres(Postgres::start_durable());
    let server = scene.postgres().expect("the place has one");
    let hub = scene.hub().start().await;
    server.kill();
    let ask = async || hub.request(Method::GET, "/api/v1/summary").send().await;
    let refused = until("it is told", async || Some(ask().await).filter(|answer| answer.status == 503)).await;
    refused.is_problem(ProblemCode::StorageUnavailable, None);
    server.start_again();
    until("it is counted", async || (ask().await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_that_says_nothing_holds_up_nobody_for_whom_there_are_older_numbers() {
    let scene = Scene::new(Engine::Postgres);
    let url = scene.postgres().expect("the place has one").fresh_database();
    let net = Net::to(&url).await;
    let plan = scene.hub().setting("database_url", net.to_database(&url)).setting("database.statement_max_s", 2);
    let hub = plan.start().await;
    let before = summary(&hub).await;
    net.stall();
    // That a statement gets no answer is known after four seconds; nobody waits for that.
    let older = shows(&hub, "what was counted before is served", |summary| summary.outdated).await;
    assert_eq!(older.nodes, before.nodes);
    net.mend();
    shows(&hub, "it is counted anew", |summary| !summary.outdated).await;
}
