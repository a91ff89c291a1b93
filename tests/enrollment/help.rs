//! What several of these stories share: invites with whatever fields, enrolments by hand, and how
//! much there is at the hub.

use std::time::Duration;

use http::Method;
use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::{Value, json};
use sortie_client::ClientError;
use sortie_client::people::Hub;
use sortie_wire::enrollment::{Invite, InviteProof};
use sortie_wire::envelope::Envelope;
use sortie_wire::nodes::NodeQuery;
use stories::{Answer, As, HandNode, Request, RunningHub, until, until_within};
use tokio::task::JoinHandle;

/// Asks for an invite with these fields.
pub(crate) async fn ask_for_invite(hub: &RunningHub<'_>, fields: &Value) -> Answer {
    hub.request(Method::POST, "/api/v1/invites").json(fields).send().await
}

/// Makes an invite with these fields: the line that goes to the site.
pub(crate) async fn invite(hub: &RunningHub<'_>, fields: Value) -> String {
    let answer = ask_for_invite(hub, &fields).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["invite"].as_str().expect("an invite is a line of text").to_owned()
}

/// An invite as text, read.
pub(crate) fn read(invite: &str) -> Invite {
    invite.parse().expect("the hub makes invites that can be read")
}

/// An invite with something changed in it.
pub(crate) fn changed(invite: &str, change: impl FnOnce(&mut Invite)) -> String {
    let mut invite = read(invite);
    change(&mut invite);
    invite.to_string()
}

/// A key as agents make it.
pub(crate) fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("a key can be made")
}

/// Comes to this hub with an invite and a certificate request, as an agent would.
pub(crate) async fn enroll(hub: &RunningHub<'_>, invite: &str, certificate_request: &str) -> Answer {
    let facts = json!({ "version": "0", "os": "linux", "arch": "none", "hostname": "story" });
    proven(hub, invite, &json!({ "certificate_request": certificate_request, "facts": facts })).send().await
}

/// An enrolment with this body, and the proof that its sender holds the invite.
pub(crate) fn proven(hub: &RunningHub<'_>, invite: &str, body: &Value) -> Request {
    let proof = InviteProof::new(&read(invite), "n0nce", body.to_string().as_bytes()).to_string();
    let request = hub.request(Method::POST, "/agent/v1/enroll").from(As::Nobody);
    request.header("authorization", &proof).json(body)
}

/// How many nodes there are, how many invites are used, and how much has happened to nodes.
pub(crate) async fn traces(hub: &RunningHub<'_>) -> (usize, usize, usize) {
    let people = hub.people();
    let nodes = people.nodes(&NodeQuery::default()).await.expect("an administrator may list nodes").items.len();
    let invites = people.invites().await.expect("an administrator may list invites").items;
    let used = invites.iter().filter(|invite| invite.used_at.is_some()).count();
    (nodes, used, hub.events("node").await.len())
}

/// Sends a wait that the hub may hold for long, and waits until it is heard.
pub(crate) async fn open_wait(hub: &RunningHub<'_>, node: &HandNode) -> OpenWait {
    let (line, id, query) = (node.line().clone(), node.id, node.next_wait(1, 50));
    let wait = tokio::spawn(async move { line.wait(id, &query).await });
    let people = hub.people();
    until("the wait is heard", async || {
        people.node(&id.to_string()).await.expect("an administrator may look").heard_at
    })
    .await;
    OpenWait(wait)
}

/// A wait that the hub holds.
pub(crate) struct OpenWait(JoinHandle<Result<Envelope, ClientError>>);

impl OpenWait {
    /// That it has come to its end long before its time, whatever it was answered.
    pub(crate) async fn ends_early(self) {
        let ended = until_within(Duration::from_secs(20), async || self.0.is_finished().then_some(())).await;
        assert!(ended.is_some(), "the wait is still held");
    }
}

/// Waits until an instant has passed by the hub's clock.
pub(crate) async fn passed(people: &Hub, instant: i64) {
    until("an instant has passed", async || {
        let now = people.whoami().await.expect("an administrator may ask").now;
        (now.0 >= instant).then_some(())
    })
    .await;
}
