//! A counterpart of the edge: it keeps the rulesets of zones in memory as Cloudflare's API does, knows one token for
//! each zone, remembers every request, and answers as badly as the story wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::http_head::Head;

const PHASE: &str = "http_request_firewall_custom";

/// The edge, on a port of its own.
#[derive(Debug)]
pub struct Edge {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// How it answers from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// With this status, whatever is asked, and nothing is done.
    Says(u16),
    /// That it is asked too often, and when to come again, in seconds.
    Busy(u32),
    /// Not at all.
    Hangs,
    /// It does what it is asked to change, and then says nothing.
    DoesAndHangs,
    /// Yes, in words that are not its own.
    Rubbish,
    /// Without an end.
    Endless,
    /// That it is elsewhere.
    LeadsElsewhere,
}

/// A request that it got.
#[derive(Debug, Clone)]
pub struct EdgeCall {
    /// The method and the path, as `GET /zones/…`.
    pub line: String,
    /// The token that came with it.
    pub token: String,
}

#[derive(Debug, Default)]
struct State {
    zones: BTreeMap<String, Zone>,
    mood: Option<Mood>,
    calls: Vec<EdgeCall>,
    made: u32,
}

#[derive(Debug, Default)]
struct Zone {
    token: String,
    /// Nothing until somebody makes a rule.
    rules: Option<Vec<Value>>,
}

impl Edge {
    /// Starts one without zones.
    pub async fn start() -> Edge {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let kept = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Edge { address, state }
    }

    /// What a hub is told of it.
    pub fn url(&self) -> String {
        format!("http://{}/client/v4", self.address)
    }

    /// From now on this token may change this zone, which is made if it is not there.
    pub fn token(&self, zone: &str, token: &str) {
        self.state().zones.entry(zone.to_owned()).or_default().token = token.to_owned();
    }

    /// How it answers from now on.
    pub fn is(&self, mood: Mood) {
        self.state().mood = Some(mood);
    }

    /// The rules of a zone, in their order.
    pub fn rules(&self, zone: &str) -> Vec<Value> {
        self.state().zones.get(zone).and_then(|zone| zone.rules.clone()).unwrap_or_default()
    }

    /// Somebody else changes the rules of a zone.
    pub fn edit(&self, zone: &str, edit: impl FnOnce(&mut Vec<Value>)) {
        edit(self.state().zones.entry(zone.to_owned()).or_default().rules.get_or_insert_default());
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<EdgeCall> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    while let Some(head) = Head::read(&mut stream).await {
        let length = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = state.lock().unwrap_or_else(PoisonError::into_inner).answer(&head, &body);
        match answer {
            Reply::Text(text) => {
                let _gone = stream.write_all(text.as_bytes()).await;
            }
            // The other side gives up, and then reading ends.
            Reply::Nothing => drop(stream.read_u8().await),
            Reply::Endless => {
                let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n").await;
                while stream.write_all(&[b' '; 65536]).await.is_ok() {}
            }
        }
    }
}

enum Reply {
    Text(String),
    Nothing,
    Endless,
}

impl State {
    fn answer(&mut self, head: &Head, body: &Value) -> Reply {
        let (method, path) = (head.word(0).to_owned(), head.word(1).trim_start_matches("/client/v4").to_owned());
        let token = head.header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        self.calls.push(EdgeCall { line: format!("{method} {path}"), token: token.clone() });
        let refusal = |code: i64| json!({ "success": false, "errors": [{ "code": code, "message": token }] });
        match self.mood.unwrap_or(Mood::Well) {
            Mood::Well => {
                let (status, answer) = self.carry_out(&method, &path, &token, body);
                text(status, "", &answer.to_string())
            }
            Mood::Says(status) => text(status, "", &refusal(10_000).to_string()),
            Mood::Busy(seconds) => text(429, &format!("retry-after: {seconds}\r\n"), &refusal(10_429).to_string()),
            Mood::Hangs => Reply::Nothing,
            Mood::DoesAndHangs if method == "GET" => {
                let (status, answer) = self.carry_out(&method, &path, &token, body);
                text(status, "", &answer.to_string())
            }
            Mood::DoesAndHangs => {
                self.carry_out(&method, &path, &token, body);
                Reply::Nothing
            }
            Mood::Rubbish => text(200, "", &format!("<html>{token}</html>")),
            Mood::Endless => Reply::Endless,
            Mood::LeadsElsewhere => text(302, "location: http://127.0.0.1:1/\r\n", ""),
        }
    }

    /// Does what is asked: the status and the body.
    fn carry_out(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let refused = |status, code: i64| {
            (status, json!({ "success": false, "errors": [{ "code": code, "message": "no" }], "result": null }))
        };
        let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
        let Some(zone) = steps.get(1).and_then(|name| self.zones.get_mut(*name)) else { return refused(404, 7003) };
        if zone.token != token {
            return refused(403, 10_000);
        }
        let id = format!("ruleset-{}", steps[1]);
        let mut number = || {
            self.made += 1;
            format!("rule-{}", self.made)
        };
        let named = |mut rule: Value, id: String| {
            rule["id"] = id.into();
            rule
        };
        match (method, &steps[2..]) {
            ("GET", ["rulesets", "phases", PHASE, "entrypoint"]) => match &zone.rules {
                Some(_) => {}
                None => return refused(404, 10_003),
            },
            ("POST", ["rulesets"]) => {
                if zone.rules.is_some() || body["phase"] != PHASE || body["kind"] != "zone" {
                    return refused(409, 20_217);
                }
                let rules = body["rules"].as_array().cloned().unwrap_or_default();
                zone.rules = Some(rules.into_iter().map(|rule| named(rule, number())).collect());
            }
            (_, ["rulesets", of, "rules", ..]) if *of != id || zone.rules.is_none() => return refused(404, 10_007),
            ("POST", ["rulesets", _, "rules"]) => {
                zone.rules.get_or_insert_default().push(named(body.clone(), number()));
            }
            (_, ["rulesets", _, "rules", wanted]) => {
                let rules = zone.rules.get_or_insert_default();
                let Some(at) = rules.iter().position(|rule| rule["id"] == *wanted) else {
                    return refused(404, 10_007);
                };
                match method {
                    "PATCH" => rules[at] = named(body.clone(), (*wanted).to_owned()),
                    "DELETE" => drop(rules.remove(at)),
                    _ => return refused(405, 10_405),
                }
            }
            _ => return refused(404, 7000),
        }
        let rules = zone.rules.clone().unwrap_or_default();
        (200, json!({ "success": true, "errors": [], "messages": [], "result": { "id": id, "rules": rules } }))
    }
}

fn text(status: u16, headers: &str, body: &str) -> Reply {
    Reply::Text(format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
}
