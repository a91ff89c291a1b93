//! A node whose every word the story chooses: it speaks the agents' protocol over the real line, and
//! remembers only what the story lets it.

use std::cell::Cell;

use http::Method;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519};
use serde_json::value::to_raw_value;
use sortie_client::agent::HubLine;
use sortie_client::tls::Identity;
use sortie_client::{ClientError, Connect, Trust};
use sortie_rules::ids::{BootId, Id, NodeId};
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::{Delivery, HandedTask, WaitQuery};
use sortie_wire::enrollment::{Enroll, Facts, Invite};
use sortie_wire::envelope::{DELIVERY, Distrust, Envelope, Verifier};
use sortie_wire::heartbeat::{Heartbeat, Held, Pulse};
use sortie_wire::results::{OutcomeWord, Receipt, RunResult};

use crate::{As, Request, RunningHub};

/// A node whose every word the story chooses.
#[derive(Debug)]
pub struct HandNode {
    /// Its id.
    pub id: NodeId,
    /// What its hub calls itself in assertions.
    pub hub_id: String,
    connect: Connect,
    line: HubLine,
    verifier: Verifier,
    boot: Cell<BootId>,
    seq: Cell<u64>,
    ack: Cell<u64>,
}

impl HandNode {
    /// Enrols with a key of its own.
    pub(crate) async fn enroll(connect: &Connect, invite: &str) -> HandNode {
        let invite: Invite = invite.parse().expect("the hub makes invites that can be read");
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key can be made");
        let enroll = Enroll { certificate_request: certificate_request(&key), facts: Facts::default() };
        let pinned = Connect { trust: Trust::Fingerprint(invite.ca.clone()), ..connect.clone() };
        let line = HubLine::open(&pinned).expect("the hub's address is one");
        let enrolled = line.enroll(&invite, &enroll, &nonce()).await.expect("a fresh invite is taken");
        let identity = Identity { chain_pem: enrolled.certificate.chain, key_pem: key.serialize_pem() };
        let connect = Connect { identity: Some(identity), ..connect.clone() };
        HandNode {
            id: enrolled.node,
            hub_id: enrolled.hub_id,
            line: HubLine::open(&connect).expect("the hub's certificate can be used"),
            connect,
            verifier: Verifier::new(&enrolled.keys).expect("the hub's keys can be read"),
            boot: Cell::new(new_boot()),
            seq: Cell::new(0),
            ack: Cell::new(0),
        }
    }

    /// The agents' side of the client, with this node's certificate.
    pub fn line(&self) -> &HubLine {
        &self.line
    }

    /// From now on it speaks with another hub on the same database.
    pub fn go_to(&mut self, hub: &RunningHub<'_>) {
        self.connect.hub = hub.url();
        self.line = HubLine::open(&self.connect).expect("a hub's address is one");
    }

    /// Its certificate and key.
    pub fn identity(&self) -> Identity {
        self.connect.identity.clone().expect("it has enrolled")
    }

    /// A request by hand with its certificate, to a path under `/agent/v1/nodes/ID`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let path = format!("/agent/v1/nodes/{}{path}", self.id);
        Request::new(&self.connect, "", method, &path).from(As::Node(self.identity()))
    }

    /// The next wait that it would send: this much room, the last delivery acknowledged.
    pub fn next_wait(&self, room: u32, wait_s: u32) -> WaitQuery {
        self.seq.set(self.seq.get() + 1);
        WaitQuery {
            room,
            ack: self.ack.get(),
            wait_s,
            boot: self.boot.get(),
            seq: self.seq.get(),
            keys: None,
            certified: None,
            clock: None,
        }
    }

    /// Waits, checks the delivery, and writes it down: the next wait acknowledges it.
    pub async fn wait(&self, room: u32, wait_s: u32) -> Delivery {
        let delivery = self.try_wait(&self.next_wait(room, wait_s)).await.expect("a wait in order is answered");
        self.ack.set(delivery.number);
        delivery
    }

    /// Waits with this query, checks the delivery, and forgets it: the next wait does not acknowledge it.
    pub async fn try_wait(&self, query: &WaitQuery) -> Result<Delivery, ClientError> {
        let envelope = self.line.wait(self.id, query).await?;
        let delivery = self.open(&envelope).expect("the hub has signed it");
        assert_eq!(delivery.node, self.id, "it is for this node");
        Ok(delivery)
    }

    /// What an envelope holds, if the hub has signed it; it may be for another node.
    ///
    /// # Panics
    /// If the hub has signed something that is no delivery.
    pub fn open(&self, envelope: &Envelope) -> Result<Delivery, Distrust> {
        let message = self.verifier.open(envelope, DELIVERY)?;
        Ok(serde_json::from_slice(&message).expect("it is a delivery"))
    }

    /// The same, if the wait is answered with a delivery; a hub in trouble may refuse it.
    pub async fn wait_if_answered(&self, room: u32, wait_s: u32) -> Option<Delivery> {
        let delivery = self.try_wait(&self.next_wait(room, wait_s)).await.ok()?;
        self.ack.set(delivery.number);
        Some(delivery)
    }

    /// Waits until exactly one task comes, and takes it.
    pub async fn take_one(&self) -> HandedTask {
        let mut tasks = Vec::new();
        while tasks.is_empty() {
            tasks = self.wait(1, 20).await.tasks;
        }
        assert_eq!(tasks.len(), 1, "it had room for one");
        tasks.remove(0)
    }

    /// From now on it speaks as an agent that was started again and has kept its ledger.
    pub fn start_again(&self) {
        self.boot.set(new_boot());
        self.seq.set(0);
    }

    /// Reports the end of a run.
    pub async fn report(&self, result: &RunResult) -> Result<Receipt, ClientError> {
        self.line.result(self.id, result.task, result).await
    }

    /// Says which tasks it holds.
    pub async fn heartbeat(&self, held: &[&HandedTask]) -> Result<Pulse, ClientError> {
        let held = held.iter().map(|task| Held { task: task.id, attempt: task.attempt }).collect();
        self.line.heartbeat(self.id, &Heartbeat { boot: self.boot.get(), held }).await
    }

    /// A result that says that the task completed.
    pub fn completed(task: &HandedTask, result: serde_json::Value) -> RunResult {
        RunResult { result: Some(to_raw_value(&result).expect("JSON")), ..plain(task, OutcomeWord::Completed) }
    }

    /// A result that says that the task failed, and whether another try makes sense.
    pub fn failed(task: &HandedTask, code: &'static str, retry: bool) -> RunResult {
        RunResult { code: Some(Code::new(code)), retry, ..plain(task, OutcomeWord::Failed) }
    }
}

/// A certificate request without any name in it.
///
/// # Panics
/// If the key cannot sign.
pub fn certificate_request(key: &KeyPair) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serialize_request(key).and_then(|request| request.pem()).expect("a request can be made")
}

fn plain(task: &HandedTask, outcome: OutcomeWord) -> RunResult {
    RunResult {
        task: task.id,
        run: task.run,
        attempt: task.attempt,
        outcome,
        result: None,
        code: None,
        message: None,
        retry: false,
        log_bytes: 0,
        started_at: Millis(0),
        finished_at: Millis(0),
    }
}

/// Chance to which an enrolment's answer is bound.
fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn new_boot() -> BootId {
    Id::from_uuid(uuid::Uuid::now_v7())
}
