//! Two hubs on one PostgreSQL, and one that is killed: one chain, with every act that was acknowledged.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use stories::{Engine, RunningHub, Scene};

use crate::help::{audit, export, verify};

/// Makes a token; its id, if that was acknowledged.
async fn make(hub: &RunningHub<'_>, name: String) -> Option<String> {
    let body = json!({ "name": name, "role": "viewer" });
    let answer = hub.request(Method::POST, "/api/v1/tokens").json(&body).try_send().await.ok()?;
    (answer.status == 201).then(|| answer.json()["details"]["id"].as_str().expect("an id").to_owned())
}

/// Makes so many, eight at once.
async fn make_many(hub: &RunningHub<'_>, prefix: &str, count: usize) -> Vec<String> {
    let mut made = Vec::new();
    for round in 0..count / 8 {
        let eight = (0..8).map(|nth| make(hub, format!("{prefix}-{round}-{nth}")));
        made.extend(futures_util::future::join_all(eight).await.into_iter().flatten());
    }
    made
}

/// Each of these stands in the log once, and in the chain there is nothing else but the first link.
async fn stand_once(hub: &RunningHub<'_>, made: &[String]) {
    let file = export(hub, "log");
    verify(&file, &[]).well();
    let links = audit(hub, "action=token.create").await;
    let told: Vec<&str> = links.iter().map(|link| link["entry"]["object"]["id"].as_str().unwrap()).collect();
    let unique: BTreeSet<&str> = told.iter().copied().collect();
    assert_eq!(unique.len(), told.len(), "none stands there twice");
    for id in made {
        assert!(unique.contains(id.as_str()), "{id} was acknowledged and is not in the log");
    }
    let tokens = hub.request(Method::GET, "/api/v1/tokens?limit=1000").send().await.json();
    assert_eq!(tokens["items"].as_array().unwrap().len(), told.len(), "what was done stands there, and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_two_hubs_do_at_once_is_one_chain_and_so_it_is_after_one_was_killed() {
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub().start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let (mut made, more) = tokio::join!(make_many(&one, "one", 64), make_many(&other, "other", 64));
    made.extend(more);
    assert_eq!(made.len(), 128);
    stand_once(&one, &made).await;
    // Killed while it writes; what it had committed and not yet linked, the other one links.
    let writing = make_many(&other, "later", 80);
    let killing = async {
        let made = make_many(&one, "last", 40).await;
        (one.kill().await, made)
    };
    let (more, (plan, last)) = tokio::join!(writing, killing);
    made.extend(more);
    made.extend(last);
    stand_once(&other, &made).await;
    let one = plan.start().await;
    made.extend(make_many(&one, "again", 8).await);
    std::fs::remove_file(scene.folder().join("log")).unwrap();
    stand_once(&one, &made).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_is_killed_amid_acts_has_a_whole_chain_with_each_that_was_acknowledged() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine);
        let mut hub = scene.hub().start().await;
        let mut made = Vec::new();
        for round in 0..4 {
            made.extend(make_many(&hub, &format!("quiet-{round}"), 8).await);
            // These are cut somewhere: the one that is answered first kills the hub under the others.
            let prefix = format!("cut-{round}");
            let cut: Vec<_> = (0..16).map(|nth| Box::pin(make(&hub, format!("{prefix}-{nth}")))).collect();
            let (first, _, rest) = futures_util::future::select_all(cut).await;
            made.extend(first);
            drop(rest);
            hub = hub.kill().await.start().await;
        }
        stand_once(&hub, &made).await;
    }
}
