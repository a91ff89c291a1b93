//! Publications that go to so many nodes at a time.

use serde_json::{Value, json};
use sortie_rules::desired::{NodeStage, PublicationStatus, Standing};
use sortie_rules::time::Span;
use sortie_wire::desired::{PublicationQuery, Publish};
use sortie_wire::jobs::Selector;
use stories::{RunningHub, Scene, on_both_engines, until};

use crate::help::{holds, keeper, keeping, over, publish, publish_as, stands};

on_both_engines!(
    nodes_get_it_so_many_at_a_time_and_those_that_are_away_last,
    too_many_that_do_not_come_in_order_stop_it_and_it_is_taken_back,
    only_the_nodes_that_were_selected_get_it,
    a_newer_publication_takes_the_place_of_one_that_is_going_out,
    a_publication_goes_on_after_the_hub_was_killed,
);

/// A state in which each node has its file, in its own folder: `word` in a file that every policy lets.
fn state(word: &str) -> Value {
    json!({"resources": {"command/word": {"spec": {"word": word}}}})
}

/// A policy with an applier that keeps the word of its spec in a file, or refuses `bad` words.
fn with_word(hub: &RunningHub<'_>, site: &stories::Site<'_>, refuses: bool) -> String {
    let _ = hub;
    let (program, word) = (site.files().join("word.sh"), site.files().join("word"));
    let refuse = if refuses { "case \"$wanted\" in *bad*) exit 9;; esac" } else { "" };
    let script = format!(
        "#!/bin/sh\nwanted=$(cat)\n{refuse}\n\
         if [ \"$1\" = check ]; then [ \"$wanted\" = \"$(cat {word:?} 2>/dev/null)\" ] || exit 1\n\
         else printf %s \"$wanted\" > {word:?}\nfi\n"
    );
    std::fs::write(&program, script).expect("the story's folder can be written");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    format!("[appliers.\"command/word\"]\ncheck = [{program:?}, \"check\"]\napply = [{program:?}, \"apply\"]\n")
}

async fn sites<'s>(
    hub: &RunningHub<'s>,
    names: &[&str],
    refuses: bool,
) -> Vec<(stories::Site<'s>, stories::RunningAgent)> {
    let mut all = Vec::new();
    for name in names {
        let site = hub.site(name).await;
        site.set_policy(&keeping(&site, &with_word(hub, &site, refuses)));
        let agent = site.start();
        all.push((site, agent));
    }
    for name in names {
        until("it is heard", async || hub.people().node(name).await.unwrap().heard_at.map(drop)).await;
    }
    all
}

fn staged(word: &str, at_a_time: u32, stop_after: u32, rolls_back: bool) -> Publish {
    Publish {
        state: Some(state(word)),
        message: word.to_owned(),
        at_a_time: Some(at_a_time),
        stop_after_failures: Some(stop_after),
        within: Some(Span::seconds(5)),
        rolls_back,
        ..Publish::default()
    }
}

async fn nodes_get_it_so_many_at_a_time_and_those_that_are_away_last(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let _sites = sites(&hub, &["a", "b", "c"], false).await;
    let away = hub.hand_node("d").await;
    let publication = publish_as(&people, "org", staged("one", 1, 1, false)).await;
    let ended = over(&hub.people(), &publication).await;
    assert_eq!(ended.status, PublicationStatus::Completed);
    let counts = ended.counts.unwrap();
    assert_eq!((counts.converged, counts.given, counts.failed), (3, 1, 0), "{counts:?}");
    let nodes = people.publication_nodes(publication.id, &PublicationQuery::default()).await.unwrap().items;
    // One after the other: each was given it when the one before it was in order.
    let mut waited: Vec<_> = nodes.iter().filter(|node| node.stage == NodeStage::Converged).collect();
    waited.sort_by_key(|node| node.released_at);
    for pair in waited.windows(2) {
        assert!(pair[1].released_at >= pair[0].ended_at, "{pair:?}");
    }
    assert_eq!(away.wait(1, 0).await.desired_generation, 1);
    assert_eq!(people.layer(&"org".parse().unwrap()).await.unwrap().stands, 1);
}

async fn too_many_that_do_not_come_in_order_stop_it_and_it_is_taken_back(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let sites = sites(&hub, &["a", "b", "c"], true).await;
    publish(&people, "org", state("good")).await;
    for name in ["a", "b", "c"] {
        stands(&people, name, Standing::Converged).await;
    }
    let publication = publish_as(&people, "org", staged("bad", 2, 2, true)).await;
    let ended = over(&hub.people(), &publication).await;
    assert_eq!(ended.status, PublicationStatus::RolledBack);
    let counts = ended.counts.unwrap();
    assert_eq!((counts.taken_back, counts.skipped), (2, 1), "{counts:?}");
    for (site, _) in &sites {
        let desired = stands(&people, site.name(), Standing::Converged).await;
        assert_eq!(desired.layers[0].revision, 1);
        let word = std::fs::read_to_string(site.files().join("word")).unwrap();
        assert!(word.contains("good"), "{word}");
    }
    let shown = people.layer(&"org".parse().unwrap()).await.unwrap();
    assert_eq!((shown.revision, shown.stands), (2, 1), "what was taken back does not stand");
    assert!(!hub.events("desired.rolled_back").await.is_empty());
}

async fn only_the_nodes_that_were_selected_get_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (one, two) = (hub.hand_node("one").await, hub.hand_node("two").await);
    let selector = Some(Selector { names: vec!["one".to_owned()], ..Selector::default() });
    let publish = Publish { state: Some(state("x")), message: "canary".to_owned(), selector, ..Publish::default() };
    let publication = publish_as(&people, "org", publish).await;
    assert_eq!((publication.nodes, over(&hub.people(), &publication).await.status), (1, PublicationStatus::Completed));
    assert_eq!((one.wait(1, 0).await.desired_generation, two.wait(1, 0).await.desired_generation), (1, 0));
    assert_eq!(hub.hand_node("three").await.wait(1, 0).await.desired_generation, 0, "it does not stand");
    // Then for all.
    let everyone = Publish { revision: Some(1), message: "all".to_owned(), ..Publish::default() };
    let publication = publish_as(&people, "org", everyone).await;
    assert_eq!((publication.repeats, publication.nodes), (Some(1), 3));
    over(&hub.people(), &publication).await;
    assert_eq!(two.wait(1, 0).await.desired_generation, 1);
}

async fn a_newer_publication_takes_the_place_of_one_that_is_going_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    until("it is heard", async || people.node("north").await.unwrap().heard_at.map(drop)).await;
    // Its policy names no applier for this, so it never comes in order.
    let first = Publish { within: Some(Span::days(1)), ..staged("never", 1, 1, false) };
    let first = publish_as(&people, "org", first).await;
    until("it goes out", async || {
        (people.publication(first.id).await.unwrap().counts.unwrap().released == 1).then_some(())
    })
    .await;
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": crate::help::file(&motd, "now")}})).await;
    assert_eq!(over(&hub.people(), &first).await.status, PublicationStatus::Superseded);
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "now").await;
}

async fn a_publication_goes_on_after_the_hub_was_killed(scene: Scene) {
    let hub = scene.hub().start().await;
    let sites = sites(&hub, &["a", "b", "c"], false).await;
    let publication = publish_as(&hub.people(), "org", staged("one", 1, 1, false)).await;
    let hub = hub.kill().await.start().await;
    let ended = over(&hub.people(), &publication).await;
    // A node may be away for the moment in which it is looked whether it is there; it has it all the same.
    let counts = ended.counts.unwrap();
    assert_eq!((ended.status, counts.converged + counts.given, counts.failed), (PublicationStatus::Completed, 3, 0));
    for (site, _) in &sites {
        stands(&hub.people(), site.name(), Standing::Converged).await;
    }
}
