//! Nodes are listed and counted by how they stand, also those whose policy nobody can read.

use http::Method;
use serde_json::json;
use sortie_client::people::Hub;
use sortie_rules::desired::Standing;
use sortie_wire::nodes::NodeQuery;
use sortie_wire::problem::ProblemCode::MalformedParameter;
use stories::{RunningHub, Scene, on_both_engines, until};

use crate::help::{file, holds, keeper, keeping, publish, stands};

on_both_engines!(
    nodes_are_listed_and_counted_by_how_they_stand,
    a_policy_that_breaks_is_told_at_the_hub_until_it_is_mended,
    an_agent_that_starts_with_a_broken_policy_lets_nothing_be_done_and_tells_it,
);

async fn listed(people: &Hub, standing: &str) -> Vec<String> {
    let query = NodeQuery { standing: Some(standing.to_owned()), ..NodeQuery::default() };
    people.nodes(&query).await.expect("it can be listed").items.into_iter().map(|node| node.name).collect()
}

async fn are(people: &Hub, standing: &str, names: &[&str]) {
    until(&format!("{names:?} are {standing}"), async || (listed(people, standing).await == names).then_some(())).await;
}

/// What `sortie node show` says of a node's policy, once it says something.
async fn policy_of(hub: &RunningHub<'_>, node: &str) -> String {
    until("the node's policy is told of", async || {
        let shown = hub.sortie(&["node", "show", node]).well().stdout;
        shown.lines().find(|line| line.starts_with("policy ")).map(str::to_owned)
    })
    .await
}

async fn nodes_are_listed_and_counted_by_how_they_stand(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (north, _north) = keeper(&hub, "north").await;
    // The policy of this one lets nothing be done, that one never starts, and for the last nothing is published.
    let south = hub.site("south").await;
    let _south = south.start();
    let (east, _west) = (hub.site("east").await, hub.site("west").await);
    for site in [&north, &south, &east] {
        let motd = file(&site.files().join("motd"), "x");
        publish(&people, &format!("node:{}", site.name()), json!({"resources": {"file/motd": motd}})).await;
    }
    stands(&people, "north", Standing::Converged).await;
    stands(&people, "south", Standing::Failing).await;
    for (standing, names) in [
        ("converged", &["north"][..]),
        ("failing", &["south"]),
        ("converging", &["east"]),
        ("drifted", &[]),
        ("none", &["west"]),
        ("converging,drifted,failing", &["east", "south"]),
    ] {
        are(&people, standing, names).await;
        let by_command = hub.sortie_json(&["node", "list", "--standing", standing]);
        let items = by_command["items"].as_array().expect("a page");
        assert_eq!(items.iter().map(|node| node["name"].clone()).collect::<Vec<_>>(), names, "{standing}");
        for node in items {
            let word = node["standing"].as_str().unwrap_or("none");
            assert!(standing.split(',').any(|asked| asked == word), "{standing}: {node}");
        }
    }
    let table = hub.sortie(&["node", "list"]).well().stdout;
    let line = |name: &str| table.lines().find(|line| line.starts_with(name)).expect("it is listed").to_owned();
    assert!(table.lines().next().is_some_and(|head| head.contains("STANDING")), "{table}");
    assert!(line("south").contains("failing") && line("east").contains("converging"), "{table}");
    for odd in ["behind", "failing,", ""] {
        let refused = hub.request(Method::GET, &format!("/api/v1/nodes?standing={odd}")).send().await;
        let detail = refused.is_problem(MalformedParameter, None).detail;
        assert!(detail.contains("converged, converging, drifted, failing, none"), "{detail}");
    }
    hub.sortie(&["node", "list", "--standing", "behind"]).failed(2, &["converged, converging, drifted, failing, none"]);

    until("they are counted", async || {
        let nodes = people.summary().await.expect("an administrator may").nodes.expect("and sees nodes");
        ((nodes.failing, nodes.drifted, nodes.converging) == (1, 0, 1)).then_some(())
    })
    .await;
    let told = hub.sortie(&["summary"]).well();
    assert!(told.stdout.contains("1 failing, 1 converging"), "{told:?}");
    assert!(told.stderr.contains("sortie node list --standing failing,converging"), "{told:?}");
    // Who is shut out is no matter of desired states any more.
    people.revoke_node("south").await.expect("an administrator may");
    are(&people, "failing", &[]).await;
    are(&people, "none", &["south", "west"]).await;
}

async fn a_policy_that_breaks_is_told_at_the_hub_until_it_is_mended(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "one")}})).await;
    stands(&people, "north", Standing::Converged).await;
    site.set_policy(&format!("{}kind = [\"hunter22\"]\n", keeping(&site, "")));
    are(&people, "failing", &["north"]).await;
    let told = policy_of(&hub, "north").await;
    assert!(told.contains("policy_unusable: line 7: there is no setting `desired_files.kind`"), "{told}");
    assert!(!told.contains("hunter22"), "{told}");
    let shown = people.node("north").await.unwrap();
    assert!(shown.policy_unusable.is_some_and(|policy| !policy.message.contains("hunter22")));
    let state = hub.sortie(&["state", "node", "north"]).well().stdout;
    assert!(state.contains("failing") && state.contains("policy_unusable: line 7"), "{state}");
    let failing = hub.events("desired.failing").await.pop().expect("it is an event");
    assert_eq!(failing.data["reason"], "policy_unusable");
    // Nobody knows what is let be done, so nothing is.
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "two")}})).await;
    stands(&people, "north", Standing::Failing).await;
    holds(&motd, "one").await;
    // Other words for the next mistake, and an end when there is none.
    site.set_policy("allow = [");
    until("the next mistake is told", async || {
        policy_of(&hub, "north").await.contains("this is not TOML").then_some(())
    })
    .await;
    site.set_policy(&keeping(&site, ""));
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "two").await;
    are(&people, "failing", &[]).await;
    assert_eq!(people.node("north").await.unwrap().policy_unusable, None);
}

async fn an_agent_that_starts_with_a_broken_policy_lets_nothing_be_done_and_tells_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    site.set_policy("allow = [\"sleep\"]\nalow = []\n");
    let agent = site.start();
    // Nothing was ever published for it, and it is told all the same.
    let told = policy_of(&hub, "north").await;
    assert!(told.contains("line 2: there is no setting `alow`"), "{told}");
    are(&people, "failing", &["north"]).await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    until("it is to be tried again", async || (hub.task(id).await.summary.retries > 0).then_some(())).await;
    // It is mended while nobody looks, and the hub hears of it from the next start.
    agent.kill().await;
    site.set_policy("allow = [\"sleep\"]\n");
    let _agent = site.start();
    are(&people, "failing", &[]).await;
    are(&people, "none", &["north"]).await;
    let shown = people.node("north").await.unwrap();
    assert_eq!((shown.standing, shown.policy_unusable), (None, None));
    hub.ended(id).await;
}
