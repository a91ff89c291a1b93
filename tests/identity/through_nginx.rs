//! A whole life behind a proxy that ends TLS: nginx before the hub, and no certificate of a node ever arrives.

use std::os::unix::fs::PermissionsExt as _;

use counterparts::Nginx;
use serde_json::{Value, json};
use sortie_rules::proofs::Proof;
use sortie_wire::invites::CreateInvite;
use stories::{Ended, Program, RunningHub, Scene, Site, on_both_engines, on_sqlite, until};

use crate::inspector::SiteAuthority;

on_both_engines!(a_site_behind_a_proxy_that_ends_tls_lives_its_whole_life);
on_sqlite!(
    an_agent_that_is_told_to_shows_no_certificate_at_all,
    whose_proxy_is_not_named_is_told_what_to_set,
    an_agent_that_may_show_its_certificate_alone_says_why_it_cannot_work,
    the_doctor_says_which_proof_is_used,
);

/// A proxy before this hub, and an authority that has issued its certificate.
fn before(hub: &RunningHub<'_>) -> (Nginx, SiteAuthority) {
    let authority = SiteAuthority::new();
    let (certificate, key) = authority.certificate();
    (Nginx::before(&hub.address(), &certificate, &key), authority)
}

async fn invite(hub: &RunningHub<'_>, node: &str, url: String) -> String {
    let invite = CreateInvite {
        node: node.to_owned(),
        site: None,
        host: None,
        kind: None,
        labels: std::collections::BTreeMap::new(),
        valid_for: None,
        replace: false,
        hub: Some(url),
    };
    hub.people().create_invite(&invite, None).await.expect("an administrator may invite").invite
}

async fn a_site_behind_a_proxy_that_ends_tls_lives_its_whole_life(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan);
    let hub = plan.start().await;
    let (nginx, authority) = before(&hub);
    let site = Site::new(&scene, "north").setting("ca_file", authority.file(scene.folder()).display());
    site.enroll(&invite(&hub, "north", nginx.url()).await).well();
    set_script(&site);
    let agent = site.start();
    works(&hub, &site, "first").await;
    until("the proof is shown", async || {
        (hub.people().node("north").await.unwrap().proof == Some(Proof::Assertion)).then_some(())
    })
    .await;
    let listed = hub.sortie(&["node", "show", "north"]).well().stdout;
    assert!(listed.lines().any(|line| line.starts_with("proof") && line.contains("assertion")), "{listed}");
    assert!(hub.sortie(&["node", "list"]).well().stdout.contains("assertion"));
    assert_eq!(hub.sortie_json(&["node", "show", "north"])["proof"], "assertion");
    agent.stop().await;

    // The dates that the agent has noted are set back, as if it had been away for twenty of the thirty days.
    let file = site.data().join("identity/node.json");
    let mut noted: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for date in ["certificate_from", "certificate_until"] {
        noted[date] = json!(noted[date].as_i64().unwrap() - 20 * 86_400_000);
    }
    std::fs::write(&file, noted.to_string()).unwrap();
    let agent = site.start();
    until("it has renewed", async || (hub.events("node.renewed").await.len() == 1).then_some(())).await;
    works(&hub, &site, "second").await;

    let id = hub.submit("north", "sleep", json!({ "ms": 60_000 })).await;
    until("it is under way", async || (hub.task(id).await.summary.status.as_str() == "in_progress").then_some(()))
        .await;
    agent.kill().await;
    let hub = hub.kill().await.start().await;
    let _agent = site.start();
    works(&hub, &site, "third").await;
    hub.people().cancel_task(id).await.unwrap();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "cancelled");

    hub.people().revoke_node("north").await.unwrap();
    until("it is told", async || site.log().contains("the hub does not take this node any more").then_some(())).await;
    assert!(site.data().join("identity/key.pem").exists(), "and throws nothing away");
}

async fn an_agent_that_is_told_to_shows_no_certificate_at_all(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = Site::new(&scene, "north").setting("proof", "assertion");
    site.enroll(&hub.invite("north").await).well();
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    until("the proof is shown", async || {
        (hub.people().node("north").await.unwrap().proof == Some(Proof::Assertion)).then_some(())
    })
    .await;
}

async fn whose_proxy_is_not_named_is_told_what_to_set(scene: Scene) {
    let hub = scene.hub().start().await;
    let (nginx, authority) = before(&hub);
    let site = Site::new(&scene, "north");
    let invite = invite(&hub, "north", nginx.url()).await;
    let refused = site.enroll(&invite);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    for word in ["Site Inspection Authority", "ca_file"] {
        assert!(refused.stderr.contains(word), "{word}: {refused:?}");
    }
    // Certificates alone would never arrive: nothing is begun that could not go on.
    let named = site.clone().setting("ca_file", authority.file(scene.folder()).display());
    let refused = named.clone().setting("proof", "certificate").enroll(&invite);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    named.enroll(&invite).well();
}

async fn an_agent_that_may_show_its_certificate_alone_says_why_it_cannot_work(scene: Scene) {
    let hub = scene.hub().start().await;
    let (nginx, authority) = before(&hub);
    let site = Site::new(&scene, "north").setting("ca_file", authority.file(scene.folder()).display());
    site.enroll(&invite(&hub, "north", nginx.url()).await).well();
    let _agent = site.clone().setting("proof", "certificate").start();
    let said = until("it says so", async || {
        site.log().lines().find(|line| line.contains("the hub cannot be asked")).map(str::to_owned)
    })
    .await;
    assert!(said.contains("proof = \\\"assertion\\\"") || said.contains("proof = \"assertion\""), "{said}");
}

async fn the_doctor_says_which_proof_is_used(scene: Scene) {
    let hub = scene.hub().start().await;
    let (nginx, authority) = before(&hub);
    let site = Site::new(&scene, "north").setting("ca_file", authority.file(scene.folder()).display());
    site.enroll(&invite(&hub, "north", nginx.url()).await).well();
    let doctor = || Ended::of(Program::Sortie.command().args(["doctor", "--data"]).arg(site.data()));
    let unnamed = doctor();
    assert_eq!(unnamed.code, Some(1), "{unnamed:?}");
    for word in ["Site Inspection Authority", "ca_file"] {
        assert!(unnamed.stdout.contains(word), "{word}: {unnamed:?}");
    }
    let file = authority.file(scene.folder());
    std::fs::write(site.data().join("agent.toml"), format!("ca_file = {file:?}\n")).unwrap();
    let named = doctor().well().stdout;
    let line = named.lines().find(|line| line.contains("  proof ")).unwrap_or_default();
    assert!(line.contains("assertion"), "{named}");
    // Nothing in the way: its certificate arrives.
    let direct = hub.site("south").await;
    let direct = Ended::of(Program::Sortie.command().args(["doctor", "--data"]).arg(direct.data())).well().stdout;
    let line = direct.lines().find(|line| line.contains("  proof ")).unwrap_or_default();
    assert!(line.contains("certificate"), "{direct}");
}

/// A type whose handler says a line.
const TYPE: &str = "open.count";

fn give_type(plan: &stories::HubPlan<'_>) {
    let folder = plan.data().join("packs/open");
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "open".as_ref(), folder.as_os_str()]).well();
    for schema in ["payload", "result"] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), "{}").expect("the pack can be written");
    }
}

fn set_script(site: &Site<'_>) {
    let path = site.files().join("handler");
    std::fs::write(&path, "#!/bin/sh\nread line\necho \"$line\" >&2\necho 1\n").expect("it can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    site.set_policy(&format!("allow = [\"sleep\"]\n[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = {path:?}\n"));
}

async fn works(hub: &RunningHub<'_>, site: &Site<'_>, line: &str) {
    let id = hub.submit(site.name(), TYPE, json!(line)).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    until("its log is there", async || {
        hub.sortie(&["task", "log", &id.to_string()]).stdout.contains(line).then_some(())
    })
    .await;
}
