//! What the stories of this folder share.

use std::path::Path;
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use stories::{Answer, As, Ended, Program, RunningHub};

/// A password that is good enough.
pub(crate) const PASSWORD: &str = "wild geese over the marsh";

/// Asks as the administrator.
pub(crate) async fn ask(hub: &RunningHub<'_>, method: Method, path: &str, body: &Value) -> Answer {
    let request = hub.request(method.clone(), path);
    let request = if *body == Value::Null { request } else { request.json(body) };
    let answer = request.send().await;
    assert!(answer.status < 300, "{method} {path}: {answer:?}");
    answer
}

/// The links that this query finds, newest first.
pub(crate) async fn audit(hub: &RunningHub<'_>, query: &str) -> Vec<Value> {
    let answer = ask(hub, Method::GET, &format!("/api/v1/audit?limit=1000&{query}"), &Value::Null).await;
    answer.json()["items"].as_array().expect("a page").clone()
}

/// A token of this role: its id and itself.
pub(crate) async fn token(hub: &RunningHub<'_>, name: &str, role: &str) -> (String, As) {
    let answer = ask(hub, Method::POST, "/api/v1/tokens", &json!({ "name": name, "role": role })).await.json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&answer["details"]["id"]), As::Token(text(&answer["token"])))
}

/// `sortie WORDS` that asks no hub.
pub(crate) fn sortie(words: &[&str]) -> Ended {
    let mut command = Program::Sortie.command();
    command.args(words).stdin(Stdio::null());
    Ended::of(&mut command)
}

/// `sortie audit verify FILE …`.
pub(crate) fn verify(file: &Path, words: &[&str]) -> Ended {
    sortie(&[&["audit", "verify", file.to_str().expect("a plain name")], words].concat())
}

/// Exports the whole log into a new file of this name, and says where.
pub(crate) fn export(hub: &RunningHub<'_>, name: &str) -> std::path::PathBuf {
    let file = hub.scene().folder().join(name);
    hub.sortie(&["audit", "export", "--out", file.to_str().expect("a plain name")]).well();
    file
}
