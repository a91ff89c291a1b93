//! The edge answers badly, a hub dies in the middle, and tokens come and go: rules come to be as they are published all
//! the same, once, and the token is seen by nobody but the edge.

use serde_json::Value;
use sortie_rules::desired::ConditionStatus::{Failed, InOrder};
use stories::{Engine, Mood, Scene, on_both_engines, on_sqlite, until};

use crate::at_edge::{
    TOKEN, ZONE, at_edge, edge, geo, is, is_forgotten, lets_all_in, lets_in, ours, set_token, state, theirs,
};
use crate::help::{files_below, publish};

on_both_engines!(
    a_hub_that_dies_between_the_call_and_the_commit_does_it_again_without_harm,
    a_token_that_is_changed_is_used_at_once,
    rules_that_cannot_be_removed_for_want_of_a_token_are_not_forgotten,
);
on_sqlite!(every_bad_answer_of_the_edge_is_told_and_outlived_and_the_token_stays_secret,);

async fn every_bad_answer_of_the_edge_is_told_and_outlived_and_the_token_stays_secret(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).variable("SORTIE_LOG", "debug").start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    let mut answers = String::new();
    for (mood, reason) in [
        (Mood::Says(401), "token_refused"),
        (Mood::Says(403), "token_refused"),
        (Mood::Says(404), "zone_unknown"),
        (Mood::Says(500), "edge_away"),
        (Mood::Says(400), "edge_refused"),
        (Mood::Busy(300), "edge_busy"),
        (Mood::Rubbish, "edge_unreadable"),
        (Mood::Endless, "edge_unreadable"),
        (Mood::LeadsElsewhere, "edge_refused"),
        (Mood::Hangs, "edge_away"),
    ] {
        edge.is(mood);
        publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
        let shown = is(&people, "box", Failed, Some(reason)).await;
        assert!(shown.condition.message.is_some() && shown.failures > 0, "{shown:?}");
        if let Mood::Busy(seconds) = mood {
            let waits = shown.next_try_at.unwrap().since(shown.condition.since);
            assert!(waits.0 >= i64::from(seconds - 5) * 1000, "it is left alone for as long as it asked: {waits:?}");
        }
        answers += &serde_json::to_string(&people.node_desired("box").await.unwrap()).unwrap();
        edge.is(Mood::Well);
        // It is tried again by itself; the same token once more is only quicker.
        if mood != Mood::Says(500) {
            set_token(&people, TOKEN).await;
        }
        lets_in(&edge, ZONE, &["DE"]).await;
        is(&people, "box", InOrder, None).await;
        publish(&people, "node:box", state(&Value::Null)).await;
        is_forgotten(&people, "box").await;
    }
    assert_eq!(edge.rules(ZONE), [theirs()]);
    let failed = hub.events("desired.enforcement_failed").await;
    assert_eq!(failed.len(), 10, "once each: {failed:?}");
    assert!(edge.calls().iter().all(|call| call.token == TOKEN), "the edge gets the token, and got it each time");
    answers += &format!("{:?}", hub.events("").await);
    answers += &hub.sortie(&["audit", "list", "--limit", "1000", "--json"]).well().stdout;
    answers += &hub.sortie(&["secret", "list", "--json"]).well().stdout;
    answers += &hub.operations("/metrics").await.1;
    assert!(answers.contains("sortie_edge_calls_total") && answers.contains("secret.write"), "it was looked at");
    answers += &hub.log();
    assert!(!answers.contains(TOKEN), "{answers}");
    for file in files_below(&hub.data()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{}", file.display());
    }
}

async fn a_hub_that_dies_between_the_call_and_the_commit_does_it_again_without_harm(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    edge.is(Mood::DoesAndHangs);
    publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
    let made = lets_in(&edge, ZONE, &["DE"]).await;
    let hub = hub.kill().await;
    edge.is(Mood::Well);
    let hub = hub.start().await;
    is(&people, "box", InOrder, None).await;
    assert_eq!(ours(&edge, ZONE), [made], "there is one, and it is the same");
    edge.is(Mood::DoesAndHangs);
    publish(&people, "node:box", state(&Value::Null)).await;
    lets_all_in(&edge, ZONE).await;
    let hub = hub.kill().await;
    edge.is(Mood::Well);
    let _hub = hub.start().await;
    is_forgotten(&people, "box").await;
    assert_eq!(edge.rules(ZONE), [theirs()]);
}

async fn a_token_that_is_changed_is_used_at_once(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
    is(&people, "box", InOrder, None).await;
    edge.token(ZONE, "another-token");
    is(&people, "box", Failed, Some("token_refused")).await;
    set_token(&people, "another-token").await;
    is(&people, "box", InOrder, None).await;
    until("it is called with it", async || {
        edge.calls().last().is_some_and(|call| call.token == "another-token").then_some(())
    })
    .await;
    assert_eq!(hub.events("desired.enforcement_failed").await.len(), 1);
}

async fn rules_that_cannot_be_removed_for_want_of_a_token_are_not_forgotten(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
    is(&people, "box", InOrder, None).await;
    edge.is(Mood::Says(500));
    publish(&people, "node:box", state(&Value::Null)).await;
    let leaving = is(&people, "box", Failed, Some("edge_away")).await;
    assert!(leaving.is_leaving, "{leaving:?}");
    people.remove_secret("edge").await.unwrap();
    edge.is(Mood::Well);
    let stuck = is(&people, "box", Failed, Some("secret_missing")).await;
    assert!(stuck.is_leaving && stuck.condition.message.unwrap().contains("sortie secret set edge"));
    assert_eq!(ours(&edge, ZONE).len(), 1, "nobody could remove it");
    set_token(&people, TOKEN).await;
    lets_all_in(&edge, ZONE).await;
    is_forgotten(&people, "box").await;
    // What never came to the edge is forgotten without a call.
    edge.is(Mood::Says(403));
    publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
    is(&people, "box", Failed, Some("token_refused")).await;
    publish(&people, "node:box", state(&Value::Null)).await;
    is_forgotten(&people, "box").await;
    assert_eq!(edge.rules(ZONE), [theirs()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_hub_that_leads_enforces_what_was_published_at_another() {
    let scene = Scene::new(Engine::Postgres);
    let edge = edge().await;
    let first = at_edge(scene.hub(), &edge).start().await;
    let second = first.plan().beside("second").start().await;
    let people = second.people();
    first.hand_node("box").await;
    set_token(&people, TOKEN).await;
    publish(&people, "node:box", state(&geo(ZONE, &["DE"]))).await;
    lets_in(&edge, ZONE, &["DE"]).await;
    is(&people, "box", InOrder, None).await;
    // Whoever leads next goes on from what is written down.
    first.kill().await;
    publish(&people, "node:box", state(&geo(ZONE, &["HU"]))).await;
    lets_in(&edge, ZONE, &["HU"]).await;
    people.revoke_node("box").await.unwrap();
    lets_all_in(&edge, ZONE).await;
}
