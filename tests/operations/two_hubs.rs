//! Two hubs with the same keys on one PostgreSQL: what is done at one holds at the other.

use counterparts::{OidcPlan, OidcProvider};
use http::Method;
use serde_json::json;
use sortie_rules::access::Role;
use sortie_wire::tokens::CreateToken;
use stories::{As, Engine, HandNode, RunningHub, Scene, until};

/// Two hubs on one database.
async fn two(scene: &Scene) -> (RunningHub<'_>, RunningHub<'_>) {
    let plan = scene.hub().start().await.stop().await.0;
    let beside = plan.beside("beside");
    (plan.start().await, beside.start().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_and_a_node_that_are_revoked_at_one_hub_are_refused_by_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let (one, other) = two(&scene).await;
    let request = CreateToken { name: "ci".to_owned(), role: Role::Viewer, scopes: None, valid_for: None };
    let made = one.people().create_token(&request, None).await.expect("an administrator may");
    let whoami = async || {
        let token = As::Token(made.token.clone());
        other.request(Method::GET, "/api/v1/whoami").from(token).send().await.status
    };
    assert_eq!(whoami().await, 200);
    one.people().revoke_token(made.details.id).await.expect("an administrator may");
    until("the other hub refuses the token", async || (whoami().await == 401).then_some(())).await;
    let node = other.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    one.people().revoke_node("north").await.expect("an administrator may");
    until("the other hub refuses the node", async || node.try_wait(&node.next_wait(1, 0)).await.is_err().then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_submitted_at_one_hub_reaches_an_agent_that_waits_at_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let (one, other) = two(&scene).await;
    let node = other.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    for _ in 0..3 {
        let id = one.submit("north", "sleep", json!({ "ms": 0 })).await;
        let tasks = node.wait(1, 1).await.tasks;
        assert_eq!(tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [id]);
        node.report(&HandNode::completed(&tasks[0], json!({ "slept_ms": 0 }))).await.expect("it is taken");
        assert!(node.wait(1, 0).await.tasks.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_provider_s_token_that_is_denied_at_one_hub_is_refused_by_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let provider = OidcProvider::start(&OidcPlan::default());
    provider.person("ada", &json!({ "realm_access": { "roles": ["admin"] } }));
    let plan = scene.hub().setting("oidc.issuer", provider.issuer()).setting("oidc.client_id", OidcProvider::CLIENT);
    let plan = plan.setting("oidc.audience", OidcPlan::default().audience);
    let plan = plan.setting("oidc.org_when_absent", "default").start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let (stolen, token) = (provider.token("ada"), provider.token("ada"));
    let whoami = async |token: &str| {
        let request = other.request(Method::GET, "/api/v1/whoami").from(As::Token(token.to_owned()));
        request.send().await.status
    };
    until("the other hub knows the token", async || (whoami(&stolen).await == 200).then_some(())).await;
    let deny = one.request(Method::POST, "/api/v1/denied-tokens").json(&json!({ "token": stolen }));
    until("it is denied", async || (deny.clone().send().await.status == 201).then_some(())).await;
    let since = std::time::Instant::now();
    until("the other hub refuses the token", async || (whoami(&stolen).await == 401).then_some(())).await;
    assert!(since.elapsed() < std::time::Duration::from_secs(1), "it took {:?}", since.elapsed());
    assert_eq!(whoami(&token).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_that_ends_at_one_hub_is_refused_by_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let (one, other) = two(&scene).await;
    let password = "wild geese over the marsh";
    let body = json!({ "name": "anna", "role": "viewer", "password": password });
    let made = one.request(Method::POST, "/api/v1/accounts").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let sign_in = json!({ "name": "anna", "password": password, "as_token": true });
    let signed_in = other.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&sign_in).send().await;
    let token = signed_in.json()["token"].as_str().expect("a token").to_owned();
    let whoami =
        async || other.request(Method::GET, "/api/v1/whoami").from(As::Token(token.clone())).send().await.status;
    assert_eq!(whoami().await, 200);
    let path = format!("/api/v1/accounts/{}", made.json()["id"].as_str().expect("an id"));
    let disabled = one.request(Method::PATCH, &path).json(&json!({ "disabled": true })).send().await;
    assert_eq!(disabled.status, 200, "{disabled:?}");
    until("the other hub refuses the session", async || (whoami().await == 401).then_some(())).await;
}
