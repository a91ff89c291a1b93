//! An org keeps somebody who can administer it, unless somebody says that it shall not; and the hub's own org helps
//! one that has lost its last.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{Forbidden, LastAdministrator, UnknownOrg};
use stories::{Answer, As, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{PASSWORD, account, token_of};

on_both_engines!(
    the_last_administrator_of_an_org_stays_unless_somebody_means_it,
    of_two_administrators_who_shut_each_other_out_one_stays,
);
on_sqlite!(an_org_that_has_lost_its_administrator_gets_one_from_the_hub_s_own_org);

/// An org of its own: its id, and its first administrator's token.
async fn org(hub: &RunningHub<'_>) -> (String, String, As) {
    let answer = hub.request(Method::POST, "/api/v1/orgs").json(&json!({ "name": "north" })).send().await.json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&answer["org"]["id"]), text(&answer["admin"]["details"]["id"]), As::Token(text(&answer["admin"]["token"])))
}

/// An administrator's account in the org of whoever asks: its id, and a token of a session with it.
async fn admin(hub: &RunningHub<'_>, by: &As, name: &str) -> (String, As) {
    let body = json!({ "name": name, "role": "admin", "password": PASSWORD });
    let made = hub.request(Method::POST, "/api/v1/accounts").from(by.clone()).json(&body).send().await.json();
    (made["id"].as_str().expect("an id").to_owned(), As::Token(token_of(hub, name, PASSWORD).await))
}

async fn change(hub: &RunningHub<'_>, by: &As, account: &str, body: &Value) -> Answer {
    let request = hub.request(Method::PATCH, &format!("/api/v1/accounts/{account}")).from(by.clone());
    request.json(body).send().await
}

async fn revoke(hub: &RunningHub<'_>, by: &As, token: &str, query: &str) -> Answer {
    hub.request(Method::POST, &format!("/api/v1/tokens/{token}/revoke{query}")).from(by.clone()).send().await
}

async fn the_last_administrator_of_an_org_stays_unless_somebody_means_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_, token, by_token) = org(&hub).await;
    // A token alone.
    let refused = revoke(&hub, &by_token, &token, "").await.is_problem(LastAdministrator, None);
    assert!(refused.detail.contains("sortie org admin"), "{refused:?}");
    // An account beside it: the token may go, and then the account is the last way.
    let (anna, as_anna) = admin(&hub, &by_token, "anna").await;
    for body in [json!({ "disabled": true }), json!({ "role": "viewer" })] {
        change(&hub, &by_token, &anna, &body).await.is_problem(LastAdministrator, None);
    }
    assert_eq!(change(&hub, &by_token, &anna, &json!({ "password": "another flock of geese" })).await.status, 200);
    let as_anna = if whoami(&hub, &as_anna).await == 401 {
        As::Token(token_of(&hub, "anna", "another flock of geese").await)
    } else {
        as_anna
    };
    assert_eq!(revoke(&hub, &as_anna, &token, "").await.status, 200);
    assert_eq!(revoke(&hub, &as_anna, &token, "").await.status, 200, "once more is as good as once");
    change(&hub, &as_anna, &anna, &json!({ "disabled": true })).await.is_problem(LastAdministrator, None);
    // With another one, the first may go.
    let (bela, as_bela) = admin(&hub, &as_anna, "bela").await;
    assert_eq!(change(&hub, &as_bela, &anna, &json!({ "role": "viewer" })).await.status, 200);
    change(&hub, &as_bela, &bela, &json!({ "role": "operator" })).await.is_problem(LastAdministrator, None);
    // An administrator whose token is limited keeps nothing.
    let limited = json!({ "name": "limited", "role": "admin", "scopes": ["people:read", "people:write"] });
    let made = hub.request(Method::POST, "/api/v1/tokens").from(as_bela.clone()).json(&limited).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    change(&hub, &as_bela, &bela, &json!({ "disabled": true })).await.is_problem(LastAdministrator, None);
    let meant = change(&hub, &as_bela, &bela, &json!({ "disabled": true, "force": true })).await;
    assert_eq!(meant.status, 200, "{meant:?}");
}

async fn whoami(hub: &RunningHub<'_>, who: &As) -> u16 {
    hub.request(Method::GET, "/api/v1/whoami").from(who.clone()).send().await.status
}

async fn of_two_administrators_who_shut_each_other_out_one_stays(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_, token, by_token) = org(&hub).await;
    let (anna, as_anna) = admin(&hub, &by_token, "anna").await;
    let (bela, as_bela) = admin(&hub, &by_token, "bela").await;
    assert_eq!(revoke(&hub, &as_anna, &token, "").await.status, 200);
    let disabled = json!({ "disabled": true });
    let (one, other) = tokio::join!(change(&hub, &as_anna, &bela, &disabled), change(&hub, &as_bela, &anna, &disabled));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    // The one who is too late is shut out already, or is told that they would take the last away.
    assert!(statuses[0] == 200 && [401, 409].contains(&statuses[1]), "{one:?} {other:?}");
    let still_in = [whoami(&hub, &as_anna).await, whoami(&hub, &as_bela).await];
    assert_eq!(still_in.iter().filter(|status| **status == 200).count(), 1, "{still_in:?}");
}

async fn an_org_that_has_lost_its_administrator_gets_one_from_the_hub_s_own_org(scene: Scene) {
    let hub = scene.hub().start().await;
    let (id, token, by_token) = org(&hub).await;
    assert_eq!(revoke(&hub, &by_token, &token, "?force=true").await.status, 200);
    assert_eq!(whoami(&hub, &by_token).await, 401);
    let new = hub.sortie(&["org", "admin", "north"]).well().stdout.trim().to_owned();
    let new = As::Token(new);
    assert_eq!(whoami(&hub, &new).await, 200);
    let told = hub.request(Method::GET, "/api/v1/audit?action=token.create").from(new.clone()).send().await.json();
    assert_eq!(told["items"][0]["entry"]["actor"]["name"], json!("admin"), "they see who let them in: {told}");
    let own = hub.request(Method::GET, "/api/v1/audit?action=org.admin").send().await.json();
    assert_eq!(own["items"][0]["entry"]["object"]["id"], json!(id));
    let path = format!("/api/v1/orgs/{id}/admin");
    let stranger = hub.request(Method::POST, &path).from(new).send().await;
    stranger.is_problem(Forbidden, None);
    let nowhere = hub.request(Method::POST, "/api/v1/orgs/01980c5e-7d1a-7c3e-9b7e-0123456789ab/admin").send().await;
    nowhere.is_problem(UnknownOrg, None);
    hub.sortie(&["org", "admin", "nowhere"]).failed(3, &["there is no org `nowhere`"]);
    // By command, with names.
    account(&hub, "zoe", "admin").await;
    hub.sortie(&["account", "change", "zoe", "--disable"]).failed(3, &["last account", "--force"]);
    hub.sortie(&["account", "change", "zoe", "--disable", "--force"]).well();
    hub.sortie(&["token", "create", "--name", "ci", "--role", "viewer"]).well();
    hub.sortie(&["token", "revoke", "ci"]).well();
    hub.sortie(&["token", "revoke", "ci"]).failed(3, &["there is no token `ci`"]);
    for _ in 0..2 {
        hub.sortie(&["token", "create", "--name", "twins", "--role", "viewer"]).well();
    }
    hub.sortie(&["token", "revoke", "twins"]).failed(2, &["the name of 2", "by its id"]);
}
