//! Every route of the committed list asks for what it says: nobody with less gets past its guard,
//! and everybody with it does.

use std::collections::HashMap;

use http::Method;
use rcgen::KeyPair;
use serde_json::json;
use sortie_rules::access::{Permission, Permissions, Role};
use sortie_wire::enrollment::InviteProof;
use sortie_wire::trusts::AddNode;
use stories::{Answer, As, HandNode, Request, RunningHub, Scene, certificate_request, on_both_engines};

use crate::help::{invite, read};
use crate::tokens::make;

on_both_engines!(each_route_lets_in_whoever_has_what_it_asks_for_and_nobody_else);

/// The list that is reviewed with every change of it.
const LIST: &str = include_str!("../../openapi/access.txt");

const NOWHERE: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";

/// Those who come to each route.
struct Callers {
    node: HandNode,
    /// One for each role.
    tokens: Vec<(&'static str, String)>,
    /// An administrator's, each without the permission that it stands under.
    limited: HashMap<&'static str, String>,
    invite: String,
    /// A key of the node `trust`.
    trust_key: String,
}

async fn each_route_lets_in_whoever_has_what_it_asks_for_and_nobody_else(scene: Scene) {
    let hub = scene.hub().setting("trust_api", true).start().await;
    let mut tokens = Vec::new();
    for role in Role::ALL.map(Role::as_str) {
        tokens.push((role, make(&hub, json!({ "name": role, "role": role })).await.token));
    }
    let mut limited = HashMap::new();
    for left_out in Permission::ALL {
        let scopes = Permissions::ALL.without(Permissions::of(&[left_out]));
        let made = make(&hub, json!({ "name": "limited", "role": "admin", "scopes": scopes })).await;
        limited.insert(left_out.as_str(), made.token);
    }
    let invite = invite(&hub, json!({ "node": "south" })).await;
    let trust = AddNode { name: "trust".to_owned(), ..AddNode::default() };
    let trust_key = hub.people().add_node(&trust).await.expect("an administrator may add nodes").key;
    let callers = Callers { node: hub.hand_node("north").await, tokens, limited, invite, trust_key };
    let before = hub.events("").await.len();
    let routes: Vec<Vec<&str>> = LIST.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(routes.len() >= 30, "the list is there");
    for route in &routes {
        let [need, method, path, roles, _action] = route[..] else { panic!("not a route: {route:?}") };
        let path = path.replace("{node_id}", &callers.node.id.to_string());
        let path = ["{id}", "{task_id}"].iter().fold(path, |path, part| path.replace(part, NOWHERE));
        let path = path.replace("{node}", "nowhere").replace("{key}", "somewhere");
        let path = path.replace("{trust_name}", "trust");
        // No body that a route would take: the guard is asked before.
        let request = hub.request(method.parse::<Method>().unwrap(), &path).json(&json!({ "colour": "red" }));
        callers.try_all(need, roles, &format!("{method} {path}"), &request).await;
    }
    assert_eq!(hub.events("").await.len(), before, "and nothing was changed");
    comes_in(&hub, &callers.invite).await;
}

impl Callers {
    async fn try_all(&self, need: &str, roles: &str, route: &str, request: &Request) {
        let lets_in = |who: &str, answer: &Answer| {
            assert!(!matches!(answer.status, 401 | 403), "{route} must let in {who}: {answer:?}");
        };
        let refuses = |who: &str, status: u16, answer: &Answer| {
            assert_eq!(answer.status, status, "{route} must refuse {who}: {answer:?}");
            assert!(!answer.problem().detail.is_empty());
        };
        let nobody = request.clone().from(As::Nobody).send().await;
        let node = request.clone().from(As::Node(self.node.identity())).send().await;
        match need {
            "nobody" => [("nobody", &nobody), ("a node", &node)].map(|(who, answer)| lets_in(who, answer)),
            "invite" => [("nobody", &nobody), ("a node", &node)].map(|(who, answer)| refuses(who, 403, answer)),
            "node" => [lets_in("the node", &node), refuses("nobody", 401, &nobody)],
            "trust_key" => {
                let keyed = request.clone().from(As::Nobody).header("x-api-key", &self.trust_key).send().await;
                lets_in("the trust", &keyed);
                [("nobody", &nobody), ("a node", &node)].map(|(who, answer)| refuses(who, 401, answer))
            }
            _ => [("nobody", &nobody), ("a node", &node)].map(|(who, answer)| refuses(who, 401, answer)),
        };
        for (role, token) in &self.tokens {
            let answer = request.clone().from(As::Token(token.clone())).send().await;
            match need {
                "nobody" => lets_in(role, &answer),
                "invite" => refuses(role, 403, &answer),
                "node" | "trust_key" => refuses(role, 401, &answer),
                _ if roles.split(',').any(|may| may == *role) => lets_in(role, &answer),
                _ => refuses(role, 403, &answer),
            }
        }
        // Scopes take away, even from an administrator; but who one is, everybody may ask.
        if let Some(token) = self.limited.get(need).filter(|_| need != "self:read") {
            let answer = request.clone().from(As::Token(token.clone())).send().await;
            refuses("an administrator without this permission", 403, &answer);
            assert!(answer.problem().detail.contains("scopes"), "{answer:?}");
        }
    }
}

/// That an invite opens the one route that asks for one, and no other.
async fn comes_in(hub: &RunningHub<'_>, text: &str) {
    let proof = InviteProof::new(&read(text), "n0nce", b"").to_string();
    let elsewhere = hub.request(Method::GET, "/api/v1/whoami").from(As::Nobody).header("authorization", &proof);
    assert_eq!(elsewhere.send().await.status, 401);
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let enrolled = crate::help::enroll(hub, text, &certificate_request(&key)).await;
    assert_eq!(enrolled.status, 200, "{enrolled:?}");
}
