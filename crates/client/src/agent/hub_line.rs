//! An agent's line to its hub. Cheap to clone; clones share their connections.

use std::sync::Arc;

use reqwest::Method;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_wire::deliveries::{TimeQuery, WaitQuery};
use sortie_wire::enrollment::{AUTHORIZATION_SCHEME, Enroll, Enrolled, Invite, Renew, Renewed};
use sortie_wire::envelope::Envelope;
use sortie_wire::heartbeat::{Heartbeat, Pulse};
use sortie_wire::keys::KeySet;
use sortie_wire::logs::{LogBatch, LogReceipts};
use sortie_wire::operators::{OperatorChain, OperatorsQuery};
use sortie_wire::refusals::RefusalReport;
use sortie_wire::results::{Receipt, Receipts, ResultBatch, RunResult};

use crate::call::{Call, Line};
use crate::connect::{Connect, SetupError};
use crate::error::ClientError;

/// An agent's line to its hub.
#[derive(Debug, Clone)]
pub struct HubLine {
    line: Arc<Line>,
}

impl HubLine {
    /// A line to this hub. Nothing is sent yet.
    pub fn open(connect: &Connect) -> Result<HubLine, SetupError> {
        Ok(HubLine { line: Arc::new(connect.line()?) })
    }

    /// The hub's address as logs show it.
    pub fn hub(&self) -> &str {
        self.line.name()
    }

    /// Comes in with an invite. The same invite with the same key gets the same enrolment again.
    pub async fn enroll(&self, invite: &Invite, request: &Enroll) -> Result<Enrolled, ClientError> {
        let proof = format!("{AUTHORIZATION_SCHEME} {}.{}", invite.id, invite.secret);
        self.line.call(Method::POST, &["agent", "v1", "enroll"]).authorization(&proof).body(request)?.send().await
    }

    /// Asks for a new certificate for the same key.
    pub async fn renew(&self, request: &Renew) -> Result<Renewed, ClientError> {
        self.line.call(Method::POST, &["agent", "v1", "renew"]).body(request)?.send().await
    }

    /// The keys with which the hub signs now.
    pub async fn keys(&self) -> Result<KeySet, ClientError> {
        self.line.call(Method::GET, &["agent", "v1", "keys"]).send().await
    }

    /// The hub's signed time, bound to `nonce`. Needs no proof of who is asking.
    pub async fn time(&self, nonce: &str) -> Result<Envelope, ClientError> {
        let query = TimeQuery { nonce: nonce.to_owned() };
        self.line.call(Method::GET, &["agent", "v1", "time"]).query(&query)?.send().await
    }

    /// The sets of operators that were published for the node's org after this version.
    pub async fn operators(&self, node: NodeId, after: u64) -> Result<OperatorChain, ClientError> {
        let query = OperatorsQuery { after: Some(after) };
        self.node(Method::GET, node, &["operators"]).query(&query)?.send().await
    }

    /// Waits for a delivery: held by the hub up to `wait_s` seconds.
    pub async fn wait(&self, node: NodeId, query: &WaitQuery) -> Result<Envelope, ClientError> {
        let call = self.node(Method::GET, node, &["tasks", "wait"]).query(query)?;
        call.held(query.wait_s).send().await
    }

    /// Reports the ends of runs, each judged by itself.
    pub async fn results(&self, node: NodeId, batch: &ResultBatch) -> Result<Receipts, ClientError> {
        self.node(Method::POST, node, &["results"]).body(batch)?.send().await
    }

    /// The same with a [`ResultBatch`] that is JSON already, as a ledger keeps it.
    pub async fn results_json(&self, node: NodeId, batch: Vec<u8>) -> Result<Receipts, ClientError> {
        self.node(Method::POST, node, &["results"]).written_body(batch).send().await
    }

    /// Reports the end of one run.
    pub async fn result(&self, node: NodeId, task: TaskId, result: &RunResult) -> Result<Receipt, ClientError> {
        self.node(Method::POST, node, &["tasks", &task.to_string(), "result"]).body(result)?.send().await
    }

    /// The same with a [`RunResult`] that is JSON already.
    pub async fn result_json(&self, node: NodeId, task: TaskId, result: Vec<u8>) -> Result<Receipt, ClientError> {
        self.node(Method::POST, node, &["tasks", &task.to_string(), "result"]).written_body(result).send().await
    }

    /// Sends pieces of logs.
    pub async fn logs(&self, node: NodeId, batch: &LogBatch) -> Result<LogReceipts, ClientError> {
        self.node(Method::POST, node, &["logs"]).body(batch)?.send().await
    }

    /// Says which tasks are held: their leases are renewed.
    pub async fn heartbeat(&self, node: NodeId, held: &Heartbeat) -> Result<Pulse, ClientError> {
        self.node(Method::POST, node, &["heartbeat"]).body(held)?.send().await
    }

    /// Says which deliveries were refused as a whole.
    pub async fn refusals(&self, node: NodeId, report: &RefusalReport) -> Result<(), ClientError> {
        self.node(Method::POST, node, &["refusals"]).body(report)?.send().await
    }

    fn node(&self, method: Method, node: NodeId, rest: &[&str]) -> Call<'_> {
        let node = node.to_string();
        let path: Vec<&str> = ["agent", "v1", "nodes", &node].into_iter().chain(rest.iter().copied()).collect();
        self.line.call(method, &path)
    }
}
