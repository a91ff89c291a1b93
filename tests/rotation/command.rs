//! `sortie hub keys`, as it is typed.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::access::Role;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::CreateToken;
use stories::{As, Scene, on_sqlite};

use crate::steps::{begun, believes, nobody_lags, works};

on_sqlite!(
    keys_are_shown_rotated_and_finished_by_hand,
    nothing_is_done_that_nobody_agreed_to,
    only_administrators_of_the_hub_s_own_org_see_its_keys,
);

async fn keys_are_shown_rotated_and_finished_by_hand(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    works(&hub, &site).await;
    let shown = hub.sortie(&["hub", "keys", "show"]).well();
    assert!(shown.stdout.contains("delivery key") && shown.stdout.contains("current"), "{shown:?}");
    let rotated = hub.sortie(&["hub", "keys", "rotate", "--yes"]).well();
    assert!(rotated.stderr.contains("stays believed until you finish"), "{rotated:?}");
    assert!(rotated.stdout.contains("coming"), "{rotated:?}");
    begun(&hub).await;
    believes(&site, 2).await;
    nobody_lags(&hub).await;
    agent.stop().await;
    hub.sortie(&["hub", "keys", "rotate", "--authority", "--at-once", "--yes"]).well();
    let lagging = hub.sortie(&["hub", "keys", "finish", "--yes"]);
    assert!(lagging.code != Some(0) && lagging.stderr.contains("`north`"), "{lagging:?}");
    let listed: Value = serde_json::from_str(&hub.sortie(&["hub", "keys", "show", "--json"]).well().stdout).unwrap();
    assert_eq!((&listed["version"], &listed["lagging"]), (&json!(3), &json!(1)));
    assert_eq!(listed["laggards"][0]["name"], "north");
    let forced = hub.sortie(&["hub", "keys", "finish", "--force", "--yes"]).well();
    assert!(forced.stderr.contains("comes back by itself"), "{forced:?}");
    let again = hub.sortie(&["hub", "keys", "finish", "--yes"]).well();
    assert!(again.stderr.contains("nothing to finish"), "{again:?}");
}

async fn nothing_is_done_that_nobody_agreed_to(scene: Scene) {
    let hub = scene.hub().start().await;
    let unasked = hub.sortie(&["hub", "keys", "rotate"]);
    assert!(unasked.code == Some(2) && unasked.stderr.contains("--yes"), "{unasked:?}");
    assert!(hub.events("keys.rotated").await.is_empty());
}

async fn only_administrators_of_the_hub_s_own_org_see_its_keys(scene: Scene) {
    let hub = scene.hub().start().await;
    let request = CreateToken { name: "ops".to_owned(), role: Role::Operator, scopes: None, valid_for: None };
    let operator = hub.people().create_token(&request, None).await.unwrap().token;
    let org = sortie_wire::orgs::CreateOrg { name: "elsewhere".to_owned(), id: None };
    let foreign = hub.people().create_org(&org, None).await.unwrap().admin.token;
    for token in [operator, foreign] {
        for (method, path, body) in [
            (Method::GET, "/api/v1/keys", json!({})),
            (Method::POST, "/api/v1/keys/rotate", json!({ "what": "delivery", "from": 1 })),
            (Method::POST, "/api/v1/keys/finish", json!({ "from": 1, "force": true })),
        ] {
            let request = hub.request(method, path).from(As::Token(token.clone())).json(&body);
            request.send().await.is_problem(ProblemCode::Forbidden, None);
        }
    }
    for body in [json!({ "what": "root", "from": 1 }), json!({ "what": "delivery" }), json!({ "from": 1, "more": 1 })] {
        let answer = hub.request(Method::POST, "/api/v1/keys/rotate").json(&body).send().await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert!(hub.events("keys").await.is_empty());
}
