//! The hub dies at each step of writing what somebody does: whatever was done stands in the audit log once, what
//! was not done does not, and the chain is whole.

use std::collections::BTreeSet;

use http::Method;
use sortie_client::people::Hub;
use sortie_rules::access::Role;
use sortie_wire::tokens::CreateToken;
use stories::{Ended, HubPlan, Process, Program, RunningHub, Scene, on_sqlite, was_killed};

use crate::cut::{AT_EACH_SYNC, CUTS_MAX, IN_MID_WRITE, Steps};

on_sqlite!(a_hub_killed_at_each_sync_has_a_whole_audit_log, a_hub_killed_in_mid_write_has_a_whole_audit_log,);

async fn a_hub_killed_at_each_sync_has_a_whole_audit_log(scene: Scene) {
    kill_at_each(AT_EACH_SYNC, &scene).await;
}

async fn a_hub_killed_in_mid_write_has_a_whole_audit_log(scene: Scene) {
    kill_at_each(IN_MID_WRITE, &scene).await;
}

async fn kill_at_each(steps: Steps, scene: &Scene) {
    let mut hub = scene.hub().start().await;
    let (mut made, mut killed) = (Vec::new(), 0);
    for cut in 0..CUTS_MAX {
        let nth = 1 + cut * steps.stride;
        let people = hub.people();
        let (plan, _stopped) = hub.stop().await;
        let words = steps.calls.kill_at(nth);
        let mut dying = plan.clone().under(&words).launch();
        let mut again = None;
        let acts = act(&people, nth);
        tokio::pin!(acts);
        tokio::select! {
            ids = &mut acts => made.extend(ids),
            () = killed_and_started_again(&mut dying, &plan, &mut again) => {}
        }
        let Some(started) = again else {
            dying.kill().await;
            hub = plan.start().await;
            break;
        };
        // What was on its way is asked again under the same keys.
        made.extend(acts.await);
        (hub, killed) = (started, killed + 1);
    }
    assert!(killed >= 5, "there are more steps than {killed}");
    check(&hub, &made).await;
}

/// Makes a few tokens, each until that is acknowledged.
async fn act(people: &Hub, round: u32) -> Vec<String> {
    let mut made = Vec::new();
    for nth in 0..3 {
        let name = format!("round-{round}-{nth}");
        let request = CreateToken { name: name.clone(), role: Role::Viewer, scopes: None, valid_for: None };
        let token = people.create_token(&request, Some(&name)).await.expect("a hub that comes back makes it");
        made.push(token.details.id.to_string());
    }
    made
}

async fn killed_and_started_again<'s>(dying: &mut Process, plan: &HubPlan<'s>, again: &mut Option<RunningHub<'s>>) {
    let status = dying.end().await;
    assert!(was_killed(status), "the hub ended by itself: {status}");
    dying.nothing_left().await;
    *again = Some(plan.clone().start().await);
}

async fn check(hub: &RunningHub<'_>, made: &[String]) {
    let file = hub.scene().folder().join("log");
    let file = file.to_str().expect("a plain name");
    hub.sortie(&["audit", "export", "--out", file]).well();
    Ended::of(Program::Sortie.command().args(["audit", "verify", file])).well();
    let page = hub.request(Method::GET, "/api/v1/audit?action=token.create&limit=1000").send().await.json();
    let told: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|link| link["entry"]["object"]["id"].as_str().unwrap()).collect();
    let once: BTreeSet<&str> = told.iter().copied().collect();
    assert_eq!(once.len(), told.len(), "nothing stands there twice");
    let acknowledged: BTreeSet<&str> = made.iter().map(String::as_str).collect();
    assert_eq!(acknowledged.difference(&once).collect::<Vec<_>>(), [&""; 0], "what was done stands there");
    let there = hub.request(Method::GET, "/api/v1/tokens?limit=1000").send().await.json();
    assert_eq!(there["items"].as_array().unwrap().len(), told.len(), "what was not done does not");
}
