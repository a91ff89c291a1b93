//! The console: what comes is told as it comes, to the person whose it is and to nobody else.

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use sortie_wire::notifications::NotificationState;
use stories::{Answer, As, RunningHub, Scene, on_both_engines, on_sqlite};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::help::{becomes, heat_is_an_alarm, hot, recipient};

on_both_engines!(what_comes_is_told_as_it_comes_to_its_person_alone);
on_sqlite!(a_socket_ends_with_the_proof_that_opened_it, a_page_of_another_site_opens_no_socket,);

const PASSWORD: &str = "correct horse battery";

/// A WebSocket of somebody's.
type Socket = tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>;

async fn account(hub: &RunningHub<'_>, name: &str) -> As {
    let body = json!({ "name": name, "role": "viewer", "password": PASSWORD });
    let made = hub.request(Method::POST, "/api/v1/accounts").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let body = json!({ "name": name, "password": PASSWORD, "as_token": true });
    let begun = hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body).send().await;
    As::Token(begun.json()["token"].as_str().unwrap_or_else(|| panic!("{begun:?}")).to_owned())
}

async fn ask(hub: &RunningHub<'_>, who: &As, method: Method, path: &str) -> Answer {
    hub.request(method, path).from(who.clone()).send().await
}

/// Opens a socket with these headers; else the status with which it was refused.
async fn open(hub: &RunningHub<'_>, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let stream = hub.tls(&["http/1.1"]).await.expect("the hub listens").into_stream();
    let url = format!("wss://{}/ws/notifications", hub.address());
    let mut request = url.into_client_request().expect("an address");
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().expect("a header's name");
        request.headers_mut().insert(name, value.parse().expect("a header's value"));
    }
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _answer)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("the socket was not opened: {error}"),
    }
}

async fn open_as(hub: &RunningHub<'_>, who: &As) -> Socket {
    let As::Token(token) = who else { panic!("somebody with a token") };
    let bearer = format!("Bearer {token}");
    open(hub, &[("authorization", bearer.as_str())]).await.expect("they may")
}

/// The next thing that is said; nothing when the socket is closed.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

async fn what_comes_is_told_as_it_comes_to_its_person_alone(scene: Scene) {
    let hub = scene.hub().start().await;
    let (anna, ben) = (account(&hub, "anna").await, account(&hub, "ben").await);
    for name in ["anna", "ben"] {
        let mutes = if name == "ben" { json!(["box.*"]) } else { json!([]) };
        recipient(&hub, json!({ "name": name, "audience": "operator", "person": name, "mutes": mutes })).await;
    }
    heat_is_an_alarm(&hub).await;
    let (mut annas, mut bens) = (open_as(&hub, &anna).await, open_as(&hub, &ben).await);
    assert_eq!(next(&mut annas).await, Some(json!({ "unread": 0 })));
    assert_eq!(next(&mut bens).await, Some(json!({ "unread": 0 })));
    hot(&hub.hand_node("north").await, true).await;
    let told = next(&mut annas).await.expect("it is told");
    let one = &told["notification"];
    assert_eq!((&told["unread"], &one["title"]), (&json!(1), &json!("[critical] box.hot at north")));
    assert!(one["text"].as_str().is_some_and(|text| text.contains("A box is hot.")), "{told}");
    becomes(&hub, 1, NotificationState::Sent).await;
    let id = one["id"].as_str().expect("it has an id").to_owned();
    let list = ask(&hub, &anna, Method::GET, "/api/v1/me/notifications?unread=true").await.json();
    assert_eq!(list["items"][0]["id"], json!(id));
    // Ben sees nothing of it, and cannot mark it.
    let list = ask(&hub, &ben, Method::GET, "/api/v1/me/notifications").await.json();
    assert_eq!(list["items"], json!([]));
    let read = format!("/api/v1/me/notifications/{id}/read");
    assert_eq!(ask(&hub, &ben, Method::POST, &read).await.status, 404);
    let until = hub.request(Method::POST, "/api/v1/me/notifications/read").from(ben.clone());
    assert_eq!(until.json(&json!({ "until": id })).send().await.json(), json!({ "unread": 0 }));
    let marked = ask(&hub, &anna, Method::POST, &read).await;
    assert_eq!((marked.status, marked.json()), (200, json!({ "unread": 0 })));
    let list = ask(&hub, &anna, Method::GET, "/api/v1/me/notifications").await.json();
    assert!(list["items"][0]["read_at"].is_number(), "{list}");
    // The next one comes to whoever looks again.
    hub.sortie(&["recipient", "test", "ben"]).well();
    let told = next(&mut bens).await.expect("it is told");
    assert_eq!((&told["unread"], &told["notification"]["count"]), (&json!(1), &json!(0)), "{told}");
}

async fn a_socket_ends_with_the_proof_that_opened_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let anna = account(&hub, "anna").await;
    let mut socket = open_as(&hub, &anna).await;
    assert_eq!(next(&mut socket).await, Some(json!({ "unread": 0 })));
    hub.sortie(&["session", "end", "anna"]).well();
    assert_eq!(next(&mut socket).await, None);
    assert!(open(&hub, &[]).await.is_err_and(|status| status == 401));
    // Nor does it hold up a hub that stops.
    let ben = account(&hub, "ben").await;
    let mut socket = open_as(&hub, &ben).await;
    next(&mut socket).await;
    let (_plan, status) = hub.stop().await;
    assert!(status.success());
    assert_eq!(next(&mut socket).await, None);
}

async fn a_page_of_another_site_opens_no_socket(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna").await;
    let body = json!({ "name": "anna", "password": PASSWORD });
    let begun = hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body);
    let begun = begun.header("origin", &hub.url()).send().await;
    let cookie = begun.headers.get("set-cookie").and_then(|value| value.to_str().ok()).expect("a session");
    let cookie = cookie.split(';').next().expect("its value").to_owned();
    let own = hub.url();
    let opened = open(&hub, &[("cookie", cookie.as_str()), ("origin", own.as_str())]).await;
    assert!(opened.is_ok());
    for headers in
        [&[("cookie", cookie.as_str()), ("origin", "https://evil.example")][..], &[("cookie", cookie.as_str())]]
    {
        assert_eq!(open(&hub, headers).await.err(), Some(403));
    }
}
