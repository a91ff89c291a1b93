//! Streams that are open when what their reader came with ends.

use std::process::Command;
use std::time::{Duration, Instant};

use counterparts::{Forgery, OidcPlan};
use serde_json::json;
use sortie_rules::access::Role;
use sortie_wire::nodes::PutSite;
use sortie_wire::tokens::CreateToken;
use stories::{HandNode, Process, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{deny, provider, start};

on_both_engines!(an_open_stream_ends_within_a_second_of_the_denial_of_its_token);
on_sqlite!(
    an_open_stream_ends_with_its_token_s_time,
    streams_of_logs_end_with_a_revoked_token_though_nothing_happens_in_them,
    a_held_request_ends_with_a_revoked_token_and_does_not_wait_on,
);

/// How long a stream may outlive what its reader came with.
const AT_ONCE: Duration = Duration::from_secs(1);

/// curl at work on a stream.
fn open(hub: &RunningHub<'_>, token: &str, path: &str, name: &str) -> Process {
    let mut command = Command::new("curl");
    command.args(["-sSN", "--noproxy", "*", "--cacert"]).arg(hub.ca_file());
    command.args(["-D-", "-H", &format!("Authorization: Bearer {token}")]).arg(format!("{}{path}", hub.url()));
    Process::start(command, &hub.scene().log(name))
}

/// Waits until the stream has begun.
async fn begun(stream: &mut Process) {
    until("the stream begins", async || stream.log().contains("text/event-stream").then_some(())).await;
    assert!(stream.ended().is_none(), "{}", stream.log());
}

async fn an_open_stream_ends_within_a_second_of_the_denial_of_its_token(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let (vic, ada) = (provider.token("vic"), provider.token("ada"));
    let mut stream = open(&hub, &vic, "/api/v1/events/stream", "denied");
    let mut other = open(&hub, &ada, "/api/v1/events/stream", "other");
    begun(&mut stream).await;
    begun(&mut other).await;
    let site = PutSite { name: "North".to_owned() };
    hub.people().put_site("north", &site).await.expect("an administrator may make sites");
    until("it carries events", async || stream.log().contains("site.changed").then_some(())).await;
    assert_eq!(deny(&hub, &ada, &json!({ "token": vic })).await.status, 201);
    let since = Instant::now();
    stream.end().await;
    assert!(since.elapsed() < AT_ONCE, "it took {:?}", since.elapsed());
    until("the other goes on", async || other.log().contains("token.denied").then_some(())).await;
    assert!(other.ended().is_none());
}

async fn an_open_stream_ends_with_its_token_s_time(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub().setting("oidc.leeway_s", 0), &provider).await;
    let short = provider.forge(&Forgery { expires_in: 2, ..Forgery::of("vic") });
    let mut stream = open(&hub, &short, "/api/v1/events/stream", "short");
    begun(&mut stream).await;
    // Nothing happens: no event, no change of any token.
    stream.end().await;
    assert_eq!(crate::help::whoami(&hub, &short).await.status, 401);
}

async fn streams_of_logs_end_with_a_revoked_token_though_nothing_happens_in_them(scene: Scene) {
    let hub = scene.hub().start().await;
    let north: HandNode = hub.hand_node("north").await;
    let task = hub.submit("north", "sleep", json!({ "ms": 1 })).await;
    north.take_one().await;
    let request = CreateToken { name: "ci".to_owned(), role: Role::Viewer, scopes: None, valid_for: None };
    let made = hub.people().create_token(&request, None).await.expect("an administrator may");
    let mut stream = open(&hub, &made.token, &format!("/api/v1/tasks/{task}/log/stream"), "log");
    begun(&mut stream).await;
    hub.people().revoke_token(made.details.id).await.expect("an administrator may");
    let since = Instant::now();
    stream.end().await;
    assert!(since.elapsed() < AT_ONCE, "it took {:?}", since.elapsed());
}

async fn a_held_request_ends_with_a_revoked_token_and_does_not_wait_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let north = hub.hand_node("north").await;
    let task = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let request = CreateToken { name: "ci".to_owned(), role: Role::Viewer, scopes: None, valid_for: None };
    let made = hub.people().create_token(&request, None).await.expect("an administrator may");
    for path in [format!("/api/v1/tasks/{task}?wait_s=55"), "/api/v1/events?kind=none&after=0&wait_s=55".to_owned()] {
        let request = CreateToken { name: "held".to_owned(), ..request.clone() };
        let held = hub.people().create_token(&request, None).await.expect("an administrator may");
        let asked = hub.request(http::Method::GET, &path).from(stories::As::Token(held.token.clone()));
        let asked = tokio::spawn(asked.send());
        let used = async || {
            hub.people().tokens().await.ok()?.items.into_iter().find(|token| token.id == held.details.id)?.last_used_at
        };
        until("the request is held", used).await;
        hub.people().revoke_token(held.details.id).await.expect("an administrator may");
        let answer = asked.await.expect("it is answered");
        answer.is_problem(sortie_wire::problem::ProblemCode::Unauthenticated, None);
    }
    // Others wait on.
    let waits = hub.request(http::Method::GET, &format!("/api/v1/tasks/{task}?wait_s=55"));
    let waits = tokio::spawn(waits.from(stories::As::Token(made.token)).send());
    let handed = north.take_one().await;
    north.report(&HandNode::completed(&handed, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(waits.await.expect("it is answered").status, 200);
}
