//! Everything that the hub sends to a node: the answer to each route of an agent, from enrolment to renewal, with what
//! is written in it in base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::{Value, json};
use sortie_client::tls::Identity;
use sortie_wire::deliveries::{Delivery, HandedTask};
use sortie_wire::enrollment::{Enrolled, InviteProof};
use stories::{Answer, As, HandNode, RunningHub, certificate_request};

/// The routes of agents, as the list in review has them.
const ROUTES: &str = include_str!("../../openapi/access.txt");

/// A node that is new to the hub, and everything that it was sent.
pub(crate) struct Sent {
    /// Its name.
    pub(crate) name: String,
    identity: Identity,
    key: KeyPair,
    node: String,
    heard: Vec<(String, String)>,
}

impl Sent {
    /// Enrols a node by hand.
    pub(crate) async fn to_new(hub: &RunningHub<'_>, name: &str) -> Sent {
        let invite = hub.invite(name).await.parse().unwrap();
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let body = json!({ "certificate_request": certificate_request(&key), "facts": facts() });
        let proof = InviteProof::new(&invite, "n0nce", body.to_string().as_bytes()).to_string();
        let request = hub.request(Method::POST, "/agent/v1/enroll").from(As::Nobody);
        let answer = request.header("authorization", &proof).json(&body).send().await;
        assert!(answer.status < 300, "{answer:?}");
        let enrolled: Enrolled = serde_json::from_str(&answer.body).unwrap();
        let identity = Identity { chain_pem: enrolled.certificate.chain, key_pem: key.serialize_pem() };
        let heard = vec![("POST /agent/v1/enroll".to_owned(), said(&answer))];
        Sent { name: name.to_owned(), identity, key, node: enrolled.node.to_string(), heard }
    }

    /// Asks every other route of an agent, as the node. Returns all that it was ever sent, each with its route.
    pub(crate) async fn by_every_route(mut self, hub: &RunningHub<'_>) -> Vec<(String, String)> {
        let task = hub.submit(&self.name, "sleep", json!({ "ms": 0 })).await;
        let boot = uuid::Uuid::now_v7();
        let wait = format!("?room=1&ack=0&wait_s=20&boot={boot}&seq=1");
        let delivery = self.ask(hub, Method::GET, "{node}/tasks/wait", &wait, None).await;
        let delivery: Delivery = serde_json::from_slice(&payload(&delivery.json())).unwrap();
        let held: &HandedTask = &delivery.tasks[0];
        assert_eq!(held.id, task);
        let result = serde_json::to_value(HandNode::completed(held, json!({ "slept_ms": 0 }))).unwrap();
        let seal_to = URL_SAFE_NO_PAD.encode([9_u8; 32]);
        for (route, query) in [
            ("{node}/desired", format!("?after=0&seal_to={seal_to}")),
            ("{node}/operators", String::new()),
            ("keys", "?after=0".to_owned()),
            ("time", "?nonce=n0nce".to_owned()),
        ] {
            self.ask(hub, Method::GET, route, &query, None).await;
        }
        let renewal = json!({ "certificate_request": certificate_request(&self.key), "facts": facts() });
        let by_task = format!("{{node}}/tasks/{task}/result");
        for (route, body) in [
            ("{node}/heartbeat", json!({ "boot": boot, "held": [] })),
            ("{node}/logs", json!({ "pieces": [] })),
            ("{node}/observed", json!({ "generation": 0, "conditions": [] })),
            ("{node}/reports", json!({ "kind": "facts", "taken_at": 1, "source": "agent", "facts": {} })),
            ("{node}/refusals", json!({ "refused": [] })),
            ("{node}/events", json!({ "outbox": uuid::Uuid::now_v7(), "events": [] })),
            (by_task.as_str(), result.clone()),
            ("{node}/results", json!({ "results": [result] })),
            ("renew", renewal),
        ] {
            self.ask(hub, Method::POST, route, "", Some(&body)).await;
        }
        let agents = ROUTES.lines().filter(|line| line.contains(" /agent/v1/")).count();
        assert_eq!(self.heard.len(), agents, "a route was added: ask it here, too");
        self.heard
    }

    async fn ask(
        &mut self,
        hub: &RunningHub<'_>,
        method: Method,
        route: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Answer {
        let path = format!("/agent/v1/{}{query}", route.replace("{node}", &format!("nodes/{}", self.node)));
        let mut request = hub.request(method.clone(), &path).from(As::Node(self.identity.clone()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        self.heard.push((format!("{method} {path}"), said(&answer)));
        answer
    }
}

fn facts() -> Value {
    json!({ "version": "0", "os": "linux", "arch": "none", "hostname": "story" })
}

/// What an envelope holds.
fn payload(envelope: &Value) -> Vec<u8> {
    STANDARD.decode(envelope["payload"].as_str().expect("it is an envelope")).expect("it is base64")
}

/// An answer with its headers, and all that stands in it in base64.
fn said(answer: &Answer) -> String {
    let mut told = format!("{:?}\n{}\n", answer.headers, answer.body);
    if let Ok(value) = serde_json::from_str(&answer.body) {
        unwrap(&value, &mut told);
    }
    told
}

fn unwrap(value: &Value, told: &mut String) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| unwrap(field, told)),
        Value::Array(items) => items.iter().for_each(|item| unwrap(item, told)),
        Value::String(text) => {
            let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text));
            let Ok(bytes) = bytes else { return };
            told.push_str(&String::from_utf8_lossy(&bytes));
            told.push('\n');
            if let Ok(inner) = serde_json::from_slice(&bytes) {
                unwrap(&inner, told);
            }
        }
        _ => {}
    }
}
