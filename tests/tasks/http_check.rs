//! `http.check` asks real services, and only those that the site lists.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::tasks::{SubmitBatch, Task};
use stories::{RunningHub, Scene, Site, on_sqlite, until};

use crate::help::task;
use crate::local_service::LocalService;

on_sqlite!(
    a_service_s_answer_is_told_as_it_is,
    a_service_that_gives_no_answer_is_told_of,
    an_address_that_the_site_does_not_list_is_not_asked,
    an_agent_runs_no_more_at_once_than_it_is_set_to,
);

fn may_ask(site: &Site<'_>, addresses: &[String]) {
    site.set_policy(&format!("allow = [\"http.check\"]\n[http_check]\nallow = {addresses:?}\n"));
}

async fn check(hub: &RunningHub<'_>, payload: Value) -> Task {
    let id = hub.submit("north", "http.check", payload).await;
    hub.ended(id).await
}

async fn a_service_s_answer_is_told_as_it_is(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let (well, ill) = (LocalService::start("200 OK").await, LocalService::start("503 Service Unavailable").await);
    let away = LocalService::start("302 Found\r\nlocation: http://127.0.0.1:1/").await;
    may_ask(&site, &["127.0.0.1:*".to_owned()]);
    let _agent = site.start();
    for (service, expected, ok, status) in [
        (&well, None, true, 200),
        (&well, Some(503), false, 200),
        (&ill, None, false, 503),
        (&ill, Some(503), true, 503),
        (&away, None, false, 302),
    ] {
        let mut payload = json!({ "url": service.url() });
        if let Some(expected) = expected {
            payload["expect_status"] = json!(expected);
        }
        let result = check(&hub, payload).await.result.expect("whatever the service says, the check completed");
        assert_eq!((&result["ok"], &result["status"]), (&json!(ok), &json!(status)), "{result}");
        assert!(result.get("error").is_none() && result["ms"].is_u64(), "{result}");
    }
    assert_eq!([&well, &ill, &away].map(|service| service.asked.load(Ordering::SeqCst)), [2, 2, 1]);
}

async fn a_service_that_gives_no_answer_is_told_of(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let silent = LocalService::holding("200 OK").await;
    may_ask(&site, &["127.0.0.0/8:*".to_owned()]);
    let _agent = site.start();
    let nobody = format!("http://127.0.0.1:{}/", scene.free_port());
    for (url, timeout) in [(nobody, 5_000), (silent.url(), 50)] {
        let result = check(&hub, json!({ "url": url, "timeout_ms": timeout })).await.result.expect("it completed");
        assert_eq!((&result["ok"], result.get("status")), (&json!(false), None), "{result}");
        assert!(result["error"].as_str().is_some_and(|why| !why.is_empty()), "{result}");
    }
}

async fn an_address_that_the_site_does_not_list_is_not_asked(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let (listed, other) = (LocalService::start("200 OK").await, LocalService::start("200 OK").await);
    may_ask(&site, &[listed.address.to_string()]);
    let _agent = site.start();
    assert_eq!(check(&hub, json!({ "url": listed.url() })).await.summary.status, Status::Completed);
    let named = format!("http://localhost:{}/", other.address.port());
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", other.address.port());
    for url in [other.url(), named, mapped, "http://169.254.169.254/latest/meta-data".to_owned()] {
        let refused = check(&hub, json!({ "url": url })).await.summary;
        assert_eq!(refused.status, Status::Rejected, "{url}: {refused:?}");
        assert_eq!(refused.code.map(|code| code.0).as_deref(), Some("forbidden_by_policy"));
        assert!(refused.message.is_some_and(|sentence| sentence.contains("http.check")));
    }
    assert_eq!(other.asked.load(Ordering::SeqCst), 0, "not even a connection");
    for url in ["http://user:sesame@127.0.0.1/", "http:///"] {
        let id = hub.submit("north", "http.check", json!({ "url": url })).await;
        let refused = hub.ended(id).await.summary;
        assert_eq!(refused.code.map(|code| code.0).as_deref(), Some("bad_payload"), "{url}");
    }
}

async fn an_agent_runs_no_more_at_once_than_it_is_set_to(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("concurrency", 3).setting("prefetch", 6);
    let service = LocalService::holding("200 OK").await;
    may_ask(&site, &[service.address.to_string()]);
    let _agent = site.start();
    let payload = json!({ "url": service.url(), "timeout_ms": 60_000 });
    let batch =
        SubmitBatch { tasks: vec![task(json!({ "type": "http.check", "node": "north", "payload": payload })); 9] };
    let submitted = hub.people().submit_batch(&batch, None).await.expect("it is in order").tasks;
    let ids: Vec<_> = submitted.iter().map(|task| task.id).collect();
    until("the agent has all nine and three are under way", async || {
        for id in &ids {
            if hub.task(*id).await.summary.status != Status::InProgress {
                return None;
            }
        }
        (service.open.load(Ordering::SeqCst) == 3).then_some(())
    })
    .await;
    service.answer();
    for id in ids {
        assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    }
    assert_eq!((service.peak.load(Ordering::SeqCst), service.asked.load(Ordering::SeqCst)), (3, 9));
}
