//! What the stories of this folder share.

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Method;
use serde_json::{Value, json};
use stories::{Answer, As, Ended, Process, Request, RunningHub, until};

/// A password that is good enough.
pub(crate) const PASSWORD: &str = "wild geese over the marsh";

/// Makes an account of this role, with [`PASSWORD`].
pub(crate) async fn account(hub: &RunningHub<'_>, name: &str, role: &str) -> Value {
    let body = json!({ "name": name, "role": role, "password": PASSWORD });
    let answer = hub.request(Method::POST, "/api/v1/accounts").json(&body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// Tries to sign in.
pub(crate) async fn sign_in(hub: &RunningHub<'_>, name: &str, password: &str) -> Answer {
    let body = json!({ "name": name, "password": password });
    hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body).send().await
}

/// Signs in as a browser does. What it sends from then on: `NAME=VALUE`.
pub(crate) async fn cookie_of(hub: &RunningHub<'_>, name: &str, password: &str) -> String {
    let answer = sign_in(hub, name, password).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    set_cookie(&answer).expect("a browser gets a cookie")
}

/// The cookie that an answer sets: `NAME=VALUE`.
pub(crate) fn set_cookie(answer: &Answer) -> Option<String> {
    let header = answer.headers.get("set-cookie")?.to_str().expect("a cookie is text");
    header.split(';').next().map(str::to_owned)
}

/// Signs in as a program does: a bearer token.
pub(crate) async fn token_of(hub: &RunningHub<'_>, name: &str, password: &str) -> String {
    let body = json!({ "name": name, "password": password, "as_token": true });
    let answer = hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body).send().await;
    assert!(answer.status == 200 && answer.headers.get("set-cookie").is_none(), "{answer:?}");
    answer.json()["token"].as_str().expect("a program gets a token").to_owned()
}

/// A request of a browser that has this cookie, from a page of the hub's own.
pub(crate) fn as_browser(hub: &RunningHub<'_>, cookie: &str, method: Method, path: &str) -> Request {
    let request = hub.request(method, path).from(As::Nobody).header("cookie", cookie);
    request.header("sec-fetch-site", "same-origin")
}

/// The status of `whoami` with a cookie.
pub(crate) async fn status_with(hub: &RunningHub<'_>, cookie: &str) -> u16 {
    as_browser(hub, cookie, Method::GET, "/api/v1/whoami").send().await.status
}

/// Runs a command that reads this from its standard input.
pub(crate) fn typed(hub: &RunningHub<'_>, words: &[&str], input: &str) -> Ended {
    let mut command = hub.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    child.stdin.take().expect("piped above").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// curl on the stream of events, with this header; it has begun when this returns.
pub(crate) async fn stream(hub: &RunningHub<'_>, header: &str, name: &str) -> Process {
    let mut command = Command::new("curl");
    command.args(["-sSN", "--noproxy", "*", "--cacert"]).arg(hub.ca_file());
    command.args(["-D-", "-H", header]).arg(format!("{}/api/v1/events/stream", hub.url()));
    let mut stream = Process::start(command, &hub.scene().log(name));
    until("the stream begins", async || stream.log().contains("text/event-stream").then_some(())).await;
    assert!(stream.ended().is_none(), "{}", stream.log());
    stream
}
