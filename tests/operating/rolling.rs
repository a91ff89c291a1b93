//! Two replicas on one database behind a balancer, upgraded one after the other to programs that expand the schema,
//! with an agent and people at work: no request fails, and nothing is done twice.

use std::collections::BTreeMap;

use counterparts::Nginx;
use serde_json::{Value, json};
use sortie_wire::invites::CreateInvite;
use stories::{Authority, Ended, Engine, HubPlan, RunningHub, Scene, Site, until};

use crate::balancer::balancer_before;
use crate::callers::Callers;

/// What the next programs do to the schema when they start: an older one can live with each.
const STEPS: [&str; 2] = [
    "alter table tasks add column of_the_next_program text collate \"C\";
     create table next_things (id text collate \"C\" not null primary key, task text collate \"C\")",
    "alter table nodes add column of_the_one_after bigint;
     alter table events add column of_the_one_after text collate \"C\";
     create index next_things_of_task on next_things (task)",
];

/// How long a hub serves on that was asked to stop: with nginx, which tries another hub at once, no longer than that;
/// with the sample's HAProxy twice the interval at which it looks.
const DRAIN_NGINX_S: u32 = 1;
const DRAIN_HAPROXY_S: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_replicas_behind_nginx_are_upgraded_one_after_the_other_and_no_request_fails() {
    let scene = Scene::new(Engine::Postgres);
    let (one, other) = two_hubs(&scene, DRAIN_NGINX_S).await;
    let authority = Authority::make();
    let (certificate, key) = authority.vouch_for("127.0.0.1");
    let nginx = Nginx::between(&[&one.address(), &other.address()], &certificate, &key);
    let ca = scene.folder().join("proxy-ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let site = Site::new(&scene, "north").setting("ca_file", ca.display());
    upgrade([one, other], &nginx.url(), &site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_replicas_behind_the_sample_s_balancer_are_upgraded_and_no_request_fails() {
    let scene = Scene::new(Engine::Postgres);
    let (one, other) = two_hubs(&scene, DRAIN_HAPROXY_S).await;
    let (_haproxy, url) = balancer_before(&scene, [&one, &other]);
    let through = one.people_through(&url);
    until("the balancer passes on", async || through.whoami().await.ok()).await;
    upgrade([one, other], &url, &Site::new(&scene, "north")).await;
}

async fn two_hubs(scene: &Scene, drain_s: u32) -> (RunningHub<'_>, RunningHub<'_>) {
    let plan = scene.hub().setting("drain_s", drain_s).setting("limits.requests_per_principal", 0);
    let one = plan.start().await;
    let other = one.plan().beside("beside").start().await;
    (one, other)
}

/// Both hubs are upgraded twice, one after the other, with everybody at work behind the balancer.
async fn upgrade(hubs: [RunningHub<'_>; 2], balancer: &str, site: &Site<'_>) {
    let [mut one, mut other] = hubs;
    site.enroll(&invite(&one, balancer).await).well();
    let _agent = site.start();
    let callers = Callers::start(balancer, &one.admin_token(), &site.files().join("journal"));
    for step in STEPS {
        callers.have_made(20).await;
        let (plan, _) = one.stop().await;
        expand(&plan, step);
        // From now on the other one is the older program, beside the newer.
        one = plan.start().await;
        callers.have_made(20).await;
        other = other.stop().await.0.start().await;
    }
    callers.have_made(20).await;
    let submitted = callers.stop().await;
    ended_once(&one, &submitted).await;
    let mut written = site.lines("journal");
    written.sort();
    assert_eq!(written, submitted.into_keys().collect::<Vec<_>>(), "each line once");
}

/// What the next program does to the database when it starts, before it serves: a step with a number of its own that
/// lets in whoever was let in before.
fn expand(plan: &HubPlan<'_>, step: &str) {
    let record = "insert into migrations (version, name, applied_at)
        select max(version) + 1, 'of the next program', 0 from migrations";
    let check = || Ended::of(&mut plan.tool(&["migrate", "--check", "--json"])).well().json();
    let before = check();
    plan.sql(&format!("begin; {step}; {record}; commit"));
    let after = check();
    let version = |report: &Value| report["database"].as_i64().expect("a store has a version");
    assert_eq!(version(&after), version(&before) + 1);
    assert_eq!((&after["usable"], &after["oldest_program"]), (&json!(true), &before["oldest_program"]));
}

async fn invite(hub: &RunningHub<'_>, url: &str) -> String {
    let invite = CreateInvite {
        node: "north".to_owned(),
        site: None,
        host: None,
        kind: None,
        labels: BTreeMap::new(),
        valid_for: None,
        replace: false,
        hub: Some(url.to_owned()),
    };
    hub.people().create_invite(&invite, None).await.expect("an administrator may invite").invite
}

/// Each task that was acknowledged is there once, and each ends well.
async fn ended_once(hub: &RunningHub<'_>, submitted: &BTreeMap<String, String>) {
    let open = "select count(*) from tasks where status <> 'completed'";
    until("all are done", async || (hub.plan().sql(open) == ["0"]).then_some(())).await;
    let mut kept = hub.plan().sql("select id from tasks");
    let mut acknowledged: Vec<String> = submitted.values().cloned().collect();
    kept.sort();
    acknowledged.sort();
    assert_eq!(kept, acknowledged);
}
