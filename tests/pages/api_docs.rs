//! `/api/docs`: every operation can be read there and tried.

use http::Method;
use serde_json::{Value, json};
use stories::{As, Browser, Scene, on_sqlite, until};

on_sqlite!(every_operation_is_shown_and_can_be_tried, the_page_loads_and_sends_nothing_elsewhere);

async fn every_operation_is_shown_and_can_be_tried(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let document = hub.request(Method::GET, "/api/openapi.json").send().await.json();
    let mut wanted: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let methods = ["get", "post", "put", "patch", "delete"].iter().filter(|method| item.get(**method).is_some());
        wanted.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    wanted.sort();
    let browser = Browser::start(&scene).await;
    browser.open(&format!("{}/api/docs#list_nodes", hub.url())).await;
    let shown = until("the operations are shown", async || {
        let shown = browser
            .run(
                "return [...document.querySelectorAll('details.operation > summary')].map(one => \
                 one.querySelector('.method').textContent + ' ' + one.querySelector('.path').textContent).sort()",
            )
            .await;
        Some(shown).filter(|shown| shown.as_array().is_some_and(|shown| !shown.is_empty()))
    })
    .await;
    assert_eq!(shown, json!(wanted));
    let answer = async |token: &str| {
        browser
            .run(&format!(
                "document.querySelector('#token').value = '{token}';\
                 const form = document.querySelector('#list_nodes form');\
                 form.querySelector('.answer').replaceChildren(); form.requestSubmit()"
            ))
            .await;
        until("an answer is there", async || {
            let read = "const answer = document.querySelector('#list_nodes .answer');\
                        return ['.status', '.body'].map(part => answer.querySelector(part)?.textContent)";
            let read = browser.run(read).await;
            read[0].as_str().map(|status| (status.to_owned(), read[1].as_str().unwrap_or_default().to_owned()))
        })
        .await
    };
    let (status, body) = answer("").await;
    assert!(status.starts_with("401 GET /api/v1/nodes") && body.contains("unauthenticated"), "{status} {body}");
    let (status, body) = answer(&hub.admin_token()).await;
    assert_eq!(status, "200 GET /api/v1/nodes");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["items"][0]["name"], "north");
    // The token is nowhere but in its field.
    let kept = browser.run("return [localStorage.length, sessionStorage.length, document.cookie, location.href]").await;
    assert_eq!(kept, json!([0, 0, "", format!("{}/api/docs#list_nodes", hub.url())]));
    let found = "const search = document.querySelector('#search'); search.value = 'requeue queue';\
                 search.dispatchEvent(new Event('input'));\
                 return [...document.querySelectorAll('details.operation:not([hidden])')].map(one => one.id)";
    assert_eq!(browser.run(found).await, json!(["requeue_task"]));
    let complaints = browser.complaints().await;
    let bad = |complaint: &&Value| !complaint["message"].as_str().is_some_and(|message| message.contains("401"));
    let complaints: Vec<&Value> = complaints.as_array().expect("a list").iter().filter(bad).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

async fn the_page_loads_and_sends_nothing_elsewhere(scene: Scene) {
    let hub = scene.hub().start().await;
    for (path, kind) in
        [("/api/docs", "text/html"), ("/api/docs/docs.js", "text/javascript"), ("/api/docs/docs.css", "text/css")]
    {
        let answer = hub.request(Method::GET, path).from(As::Nobody).send().await;
        let header = |name: &str| answer.headers[name].to_str().expect("text").to_owned();
        assert_eq!(answer.status, 200);
        assert!(header("content-type").starts_with(kind));
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(!answer.body.contains("http://") && !answer.body.contains("https://"), "{path} names another place");
    }
}
