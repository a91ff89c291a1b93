//! Sites: nothing is said of one that is not there, and one goes only when nothing needs it.

use http::Method;
use serde_json::{Value, json};
use sortie_client::ClientError;
use sortie_client::people::Hub;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_wire::desired::{PublicationQuery, Publish, StopPublication, WriteDraft};
use sortie_wire::nodes::{ChangeNode, PutSite};
use sortie_wire::problem::ProblemCode::{SiteInUse, UnknownSite};
use sortie_wire::problem::{Problem, ProblemCode};
use stories::{RunningHub, Scene, on_both_engines};

use crate::help::{layer, over, publish, publish_as};

on_both_engines!(
    nothing_is_said_of_a_site_that_is_not_there,
    a_site_is_removed_when_nothing_needs_it_and_says_what_does,
    of_a_removal_and_what_comes_to_the_site_at_once_one_gives_way,
);

async fn nothing_is_said_of_a_site_that_is_not_there(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["site", "put", "budapest"]).well();
    let draft = json!({ "state": {}, "based_on": 0, "version": 0 });
    let publish = json!({ "state": {}, "message": "m" });
    let repeat = json!({ "revision": 1, "message": "m" });
    for (method, rest, body) in [
        (Method::GET, "", None),
        (Method::GET, "/diff", None),
        (Method::GET, "/history", None),
        (Method::GET, "/history/1", None),
        (Method::PUT, "/draft", Some(&draft)),
        (Method::DELETE, "/draft", None),
        (Method::POST, "/publish", Some(&publish)),
        (Method::POST, "/publish", Some(&repeat)),
    ] {
        let request = hub.request(method, &format!("/api/v1/desired/site:budapset{rest}"));
        let request = if let Some(body) = body { request.json(body) } else { request };
        let told = request.send().await.is_problem(UnknownSite, None).detail;
        assert!(told.contains("did you mean `budapest`?") && told.contains("`sortie site put budapset`"), "{told}");
    }
    let file = scene.folder().join("state.json");
    std::fs::write(&file, "{}").unwrap();
    let file = file.display().to_string();
    let near = ["did you mean `budapest`?", "sortie site put budapset", "unknown_site (404)"];
    hub.sortie(&["state", "edit", "site:budapset", "--file", &file]).failed(3, &near);
    hub.sortie(&["state", "publish", "site:budapset", "--file", &file, "-m", "m", "--yes"]).failed(3, &near);
    hub.sortie(&["state", "rollback", "site:budapset", "--to", "1", "--yes"]).failed(3, &near);
    hub.sortie(&["state", "show", "site:oslo"]).failed(3, &["sortie site list", "sortie site put oslo"]);
    assert!(hub.events("desired").await.is_empty(), "nothing was published");
    let known = hub.people().sites().await.unwrap().items;
    assert!(known.iter().all(|site| site.key != "budapset" && site.key != "oslo"), "no site was made: {known:?}");
    // The one that was meant has a layer before it has nodes.
    hub.sortie(&["state", "publish", "site:budapest", "--file", &file, "-m", "m", "--yes"]).well();
}

async fn a_site_is_removed_when_nothing_needs_it_and_says_what_does(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let homes = layer("site:homes");
    hub.sortie(&["site", "put", "homes", "--name", "Customers' homes"]).well();
    let needed = async |why: &str| {
        let told = people.remove_site("homes").await.map_err(problem).unwrap_err();
        assert!(told.code == SiteInUse && told.detail.contains(why), "{why}: {told:?}");
    };
    // A draft, a publication that goes out, and what stands.
    let draft = WriteDraft { state: json!({}), based_on: 0, version: 0 };
    people.write_draft(&homes, &draft).await.unwrap();
    needed("`sortie state discard site:homes`").await;
    people.discard_draft(&homes).await.unwrap();
    let first = publish(&people, "site:homes", json!({"resources": {"command/x": {"spec": {"is": "x"}}}})).await;
    needed("revision 1 of its layer stands").await;
    // Nodes, be they revoked, and invites that somebody may come with.
    let spent = invite(&hub, "north").await;
    needed("1 invite to it is open").await;
    let _node = hub.hand_node_with(&spent).await;
    needed("1 node is at it (`sortie node list --site homes`").await;
    // It waits for the node, which says nothing.
    let staged = Publish { at_a_time: Some(1), state: Some(json!({})), message: "m".into(), ..Publish::default() };
    let second = publish_as(&people, "site:homes", staged).await;
    needed("a publication of its layer goes out").await;
    people.stop_publication(second.id, false).await.unwrap();
    people.revoke_node("north").await.unwrap();
    needed("1 node is at it, 1 of them revoked").await;
    people.change_node("north", &to_site("")).await.unwrap();
    let open = json!({ "node": "south", "site": "homes" });
    let open = hub.request(Method::POST, "/api/v1/invites").json(&open).send().await.json();
    needed("1 invite to it is open").await;
    people.revoke_invite(open["details"]["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    needed("revision 1 of its layer stands").await;
    let third = publish(&people, "site:homes", json!({"resources": {}})).await;
    // What results said of it is nothing that needs it.
    hub.plan().sql(&format!(
        "insert into fields (org, holder_kind, holder, name, value, task, at)
         values ('{DEFAULT_ORG}', 'site', 'homes', 'project', '7', '01980c5e-7d1a-7c3e-9b7e-0123456789ab', 1)"
    ));
    assert_eq!(people.site("homes").await.unwrap().fields.len(), 1);
    let told = hub.sortie(&["site", "remove", "homes"]).well();
    assert!(told.stderr.contains("`homes` is removed"), "{told:?}");
    let event = hub.events("site.removed").await.pop().expect("it is told");
    assert_eq!((&event.data["site"], &event.data["name"]), (&json!("homes"), &json!("Customers' homes")));
    let gone = people.remove_site("homes").await.map_err(problem).unwrap_err();
    assert_eq!(gone.code, UnknownSite);
    hub.sortie(&["site", "remove", "homes"]).failed(3, &["sortie site list", "unknown_site (404)"]);
    // What was is still told: who came with which invite, and what was published.
    let invites = people.invites().await.unwrap().items;
    assert!(invites.len() == 2 && invites.iter().all(|invite| invite.site.is_none()), "{invites:?}");
    assert_eq!(people.publication(first.id).await.unwrap().revision, 1);
    let back = hub.request(Method::POST, &format!("/api/v1/publications/{}/stop", second.id));
    back.json(&json!(StopPublication { rolls_back: true })).send().await.is_problem(UnknownSite, None);
    // One that is made again under the key says nothing, and its revisions go on.
    hub.sortie(&["site", "put", "homes"]).well();
    assert_eq!(people.site("homes").await.unwrap().fields, []);
    let shown = people.layer(&homes).await.unwrap();
    assert_eq!((shown.revision, shown.stands, shown.state), (3, 3, third.state.unwrap_or_default()));
    let history = people.history(&homes, &PublicationQuery::default()).await.unwrap().items;
    assert_eq!(history.iter().map(|one| one.revision).collect::<Vec<_>>(), [3, 2, 1]);
    publish(&people, "site:homes", json!({})).await;
}

async fn of_a_removal_and_what_comes_to_the_site_at_once_one_gives_way(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let _node = hub.hand_node("north").await;
    for round in 0..12 {
        let key = format!("homes-{round}");
        people.put_site(&key, &PutSite { name: key.clone() }).await.unwrap();
        let state = Some(json!({"resources": {"command/x": {"spec": {"is": "x"}}}}));
        let asked = Publish { state, message: "m".to_owned(), ..Publish::default() };
        let of = layer(&format!("site:{key}"));
        let (published, removed) = tokio::join!(people.publish(&of, &asked, None), people.remove_site(&key));
        match (published, removed.map_err(problem)) {
            (Ok(published), Err(why)) => {
                assert_eq!(why.code, SiteInUse, "{why:?}");
                over(&people, &published).await;
            }
            (Err(why), Ok(_)) => assert_eq!(problem(why).code, UnknownSite),
            both => panic!("both or none: {both:?}"),
        }
        // What makes a site that is not there makes it anew.
        let key = format!("racks-{round}");
        people.put_site(&key, &PutSite { name: key.clone() }).await.unwrap();
        let change = to_site(&key);
        let invite = json!({ "node": format!("box-{round}"), "site": key });
        let invited = hub.request(Method::POST, "/api/v1/invites").json(&invite);
        let (changed, invited, removed) =
            tokio::join!(people.change_node("north", &change), invited.send(), people.remove_site(&key));
        assert_eq!(changed.unwrap().site.as_deref(), Some(key.as_str()));
        assert_eq!(invited.status, 201, "{invited:?}");
        removed.map_err(problem).map_or_else(|why| assert_eq!(why.code, SiteInUse, "{why:?}"), drop);
        assert_eq!(code(&people, &key).await, None, "whoever is at a site finds it there");
    }
}

/// Why a site is not shown.
async fn code(people: &Hub, key: &str) -> Option<ProblemCode> {
    people.site(key).await.err().map(|error| problem(error).code)
}

fn problem(error: ClientError) -> Problem {
    error.problem().cloned().unwrap_or_else(|| panic!("no problem: {error}"))
}

fn to_site(key: &str) -> ChangeNode {
    ChangeNode { site: Some(key.to_owned()), ..ChangeNode::default() }
}

/// Makes an invite to the site `homes`: the line that goes there.
async fn invite(hub: &RunningHub<'_>, node: &str) -> String {
    let fields: Value = json!({ "node": node, "site": "homes" });
    let answer = hub.request(Method::POST, "/api/v1/invites").json(&fields).send().await;
    answer.json()["invite"].as_str().expect("an invite is a line of text").to_owned()
}
