//! Assertions of which the story chooses every claim.

use http::Method;
use sortie_client::tls::Identity;
use sortie_rules::ids::NodeId;
use sortie_wire::answers::{ANSWER, HEADER, answer_to, read, signed};
use sortie_wire::assertions::{Asserter, Claims, body_hash};
use sortie_wire::envelope::Verifier;
use stories::{Answer, As, HandNode, RunningHub, now, until};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// A node's key, and what it says with it.
pub(crate) struct ByHand {
    pub(crate) node: NodeId,
    hub_id: String,
    asserter: Asserter,
}

impl ByHand {
    /// With the key of this node.
    pub(crate) fn of(node: &HandNode) -> ByHand {
        ByHand::with_key(node.id, &node.hub_id, &node.identity())
    }

    /// With the key of this node, once the hub lets it in: one that has just begun cannot tell which assertions
    /// were used.
    pub(crate) async fn admitted(hub: &RunningHub<'_>, node: &HandNode) -> ByHand {
        let hand = ByHand::of(node);
        until("the hub lets it in", async || {
            let answer = hand.ask(hub, Method::GET, &wait_path(node), "").await;
            (answer.status == 200).then_some(())
        })
        .await;
        hand
    }

    /// With the key of somebody, for this node at this hub.
    pub(crate) fn with_key(node: NodeId, hub_id: &str, identity: &Identity) -> ByHand {
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("a key");
        let asserter = Asserter::from_pkcs8(key.secret_der()).expect("an Ed25519 key");
        ByHand { node, hub_id: hub_id.to_owned(), asserter }
    }

    /// What an agent would claim for this request.
    pub(crate) fn claims(&self, method: &Method, path: &str, body: &str) -> Claims {
        let iat = now().0 / 1000;
        Claims {
            sub: self.node,
            aud: self.hub_id.clone(),
            iat,
            exp: iat + 120,
            jti: uuid::Uuid::new_v4().simple().to_string(),
            method: method.to_string(),
            target: path.to_owned(),
            body: body_hash(body.as_bytes()),
        }
    }

    /// The value of `Authorization` that makes these claims.
    pub(crate) fn assert(&self, claims: &Claims) -> String {
        self.asserter.assert(claims)
    }

    /// Asks with an assertion as an agent would make it. The answer is signed as the one to it.
    pub(crate) async fn ask(&self, hub: &RunningHub<'_>, method: Method, path: &str, body: &str) -> Answer {
        let claims = self.claims(&method, path, body);
        let assertion = self.assert(&claims);
        let answer = send(hub, &assertion, method, path, body).await;
        assert!(is_signed(hub, &assertion, &answer).await, "{answer:?}");
        answer
    }
}

/// Asks with this `Authorization`.
pub(crate) async fn send(hub: &RunningHub<'_>, authorization: &str, method: Method, path: &str, body: &str) -> Answer {
    let request = hub.request(method, path).from(As::Nobody).header("authorization", authorization);
    let request = if body.is_empty() { request } else { request.body("application/json", body) };
    request.send().await
}

/// Whether the hub has signed an answer as the one to this assertion.
pub(crate) async fn is_signed(hub: &RunningHub<'_>, authorization: &str, answer: &Answer) -> bool {
    let Some(signature) = answer.headers.get(HEADER).and_then(|value| read(value.to_str().ok()?)) else { return false };
    let keys = hub.people().signing_keys().await.expect("its keys are told to everybody");
    let assertion = authorization.strip_prefix("Assertion ").expect("it is one");
    let message = signed(&answer_to(assertion), answer.status, answer.body.as_bytes());
    Verifier::new(&keys).expect("its keys can be read").check(ANSWER, &message, &[signature]).is_ok()
}

/// The path of a wait that is answered at once.
pub(crate) fn wait_path(node: &HandNode) -> String {
    let query = node.next_wait(1, 0);
    format!(
        "/agent/v1/nodes/{}/tasks/wait?room={}&ack={}&wait_s={}&boot={}&seq={}",
        node.id, query.room, query.ack, query.wait_s, query.boot, query.seq
    )
}
