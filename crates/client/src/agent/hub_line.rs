//! An agent's line to its hub. Cheap to clone; clones share their connections.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use serde::de::DeserializeOwned;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::proofs::Proof;
use sortie_wire::answers::{HEADER, endorsable, read};
use sortie_wire::deliveries::{TimeQuery, WaitQuery};
use sortie_wire::desired::{DesiredAnswer, DesiredQuery, Observed};
use sortie_wire::enrollment::{Enroll, Enrolled, Invite, InviteProof, Renew, Renewed};
use sortie_wire::envelope::Envelope;
use sortie_wire::events::SendEvents;
use sortie_wire::heartbeat::{Heartbeat, Pulse};
use sortie_wire::keys::{KeyChain, KeysQuery};
use sortie_wire::logs::{LogBatch, LogReceipts};
use sortie_wire::operators::{OperatorChain, OperatorsQuery};
use sortie_wire::refusals::RefusalReport;
use sortie_wire::reports::SendReport;
use sortie_wire::results::{Receipt, Receipts, ResultBatch, RunResult};

use super::proving::{NodeProof, Proving};
use crate::call::{Call, Line};
use crate::connect::{Connect, SetupError};
use crate::error::{ClientError, Doubt};
use crate::tls::Endorsed;

/// An agent's line to its hub.
#[derive(Debug, Clone)]
pub struct HubLine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    line: Line,
    proving: Option<Proving>,
}

impl HubLine {
    /// A line to this hub, with the certificate of `connect` or without any proof. Nothing is sent yet.
    pub fn open(connect: &Connect) -> Result<HubLine, SetupError> {
        HubLine::new(connect, None)
    }

    /// The same for a node that can also prove itself without its certificate.
    ///
    /// The certificate is shown to nobody but the hub: whoever else `connect` lets in, such as a proxy that inspects
    /// TLS, gets assertions, for whose answers a connection's end proves nothing.
    pub fn proving(connect: &Connect, proof: NodeProof) -> Result<HubLine, SetupError> {
        let proving = Proving::new(connect, proof)?;
        HubLine::new(&Connect { also_trust: None, also_system: false, ..connect.clone() }, Some(proving))
    }

    fn new(connect: &Connect, proving: Option<Proving>) -> Result<HubLine, SetupError> {
        Ok(HubLine { inner: Arc::new(Inner { line: connect.line()?, proving }) })
    }

    /// With what requests prove who is asking, as far as that is known by now.
    pub fn proof(&self) -> Proof {
        match &self.inner.proving {
            Some(proving) if proving.asserts() => Proof::Assertion,
            _ => Proof::Certificate,
        }
    }

    /// The hub's address as logs show it.
    pub fn hub(&self) -> &str {
        self.inner.line.name()
    }

    /// Comes in with an invite. The same invite with the same key gets the same enrolment again.
    ///
    /// The answer is believed if the key of a certificate has signed it for which the one vouches that the
    /// invite names, whoever the connection ends at. `nonce` is chance, in letters and digits.
    pub async fn enroll(&self, invite: &Invite, request: &Enroll, nonce: &str) -> Result<Enrolled, ClientError> {
        let line = &self.inner.line;
        let body = serde_json::to_vec(request).map_err(ClientError::Unwritable)?;
        let proof = InviteProof::new(invite, nonce, &body).to_string();
        let call = line.call(Method::POST, &["agent", "v1", "enroll"]).authorization(&proof).written_body(body);
        let answer = call.exchange().await?;
        let enrolled: Enrolled = answer.understand(line)?;
        let doubtful =
            |doubt| ClientError::Unproven { hub: line.name().to_owned(), doubt, problem: None, retry_after: None };
        let signature = answer.header(HEADER).and_then(read).ok_or_else(|| doubtful(Doubt::Unsigned))?;
        let endorsed = Endorsed { chain: &enrolled.chain, message: &endorsable(nonce, &answer.body), signature };
        // A clock that is wrong must not stand in the way: the answer's own time is signed with it.
        let checked = endorsed.check(&invite.ca, &invite.hub, enrolled.now);
        checked.map_err(|why| doubtful(Doubt::NotEndorsed(why.to_string())))?;
        Ok(enrolled)
    }

    /// Asks for a new certificate for the same key. One that has ended is not shown: an assertion is sent.
    pub async fn renew(&self, request: &Renew, has_ended: bool) -> Result<Renewed, ClientError> {
        let path = &["agent", "v1", "renew"];
        match &self.inner.proving {
            Some(proving) if has_ended => proving.assert(proving.line().call(Method::POST, path).body(request)?).await,
            _ => self.ask(|line| line.call(Method::POST, path).body(request)).await,
        }
    }

    /// The hub's key sets after this version, each signed by a key of the one before. Needs no proof of who is
    /// asking, and shows none: it must come through where no certificate of ours is taken.
    pub async fn keys(&self, after: u64) -> Result<KeyChain, ClientError> {
        let line = self.inner.proving.as_ref().map_or(&self.inner.line, Proving::line);
        line.call(Method::GET, &["agent", "v1", "keys"]).query(&KeysQuery { after })?.send().await
    }

    /// The hub's signed time, bound to `nonce`. Needs no proof of who is asking.
    pub async fn time(&self, nonce: &str) -> Result<Envelope, ClientError> {
        let query = TimeQuery { nonce: nonce.to_owned() };
        self.inner.line.call(Method::GET, &["agent", "v1", "time"]).query(&query)?.send().await
    }

    /// The sets of operators that were published for the node's org after this version.
    pub async fn operators(&self, node: NodeId, after: u64) -> Result<OperatorChain, ClientError> {
        let query = OperatorsQuery { after: Some(after) };
        self.of_node(Method::GET, node, &["operators"], |call| call.query(&query)).await
    }

    /// Waits for a delivery: held by the hub up to `wait_s` seconds.
    pub async fn wait(&self, node: NodeId, query: &WaitQuery) -> Result<Envelope, ClientError> {
        self.of_node(Method::GET, node, &["tasks", "wait"], |call| Ok(call.query(query)?.held(query.wait_s))).await
    }

    /// Reports the ends of runs, each judged by itself.
    pub async fn results(&self, node: NodeId, batch: &ResultBatch) -> Result<Receipts, ClientError> {
        self.of_node(Method::POST, node, &["results"], |call| call.body(batch)).await
    }

    /// The same with a [`ResultBatch`] that is JSON already, as a ledger keeps it.
    pub async fn results_json(&self, node: NodeId, batch: Vec<u8>) -> Result<Receipts, ClientError> {
        let batch = Bytes::from(batch);
        self.of_node(Method::POST, node, &["results"], |call| Ok(call.written_body(batch.clone()))).await
    }

    /// Reports the end of one run.
    pub async fn result(&self, node: NodeId, task: TaskId, result: &RunResult) -> Result<Receipt, ClientError> {
        let path = ["tasks", &task.to_string(), "result"];
        self.of_node(Method::POST, node, &path, |call| call.body(result)).await
    }

    /// The same with a [`RunResult`] that is JSON already.
    pub async fn result_json(&self, node: NodeId, task: TaskId, result: Vec<u8>) -> Result<Receipt, ClientError> {
        let (path, result) = (["tasks", &task.to_string(), "result"], Bytes::from(result));
        self.of_node(Method::POST, node, &path, |call| Ok(call.written_body(result.clone()))).await
    }

    /// Sends pieces of logs.
    pub async fn logs(&self, node: NodeId, batch: &LogBatch) -> Result<LogReceipts, ClientError> {
        self.of_node(Method::POST, node, &["logs"], |call| call.body(batch)).await
    }

    /// Says which tasks are held: their leases are renewed.
    pub async fn heartbeat(&self, node: NodeId, held: &Heartbeat) -> Result<Pulse, ClientError> {
        self.of_node(Method::POST, node, &["heartbeat"], |call| call.body(held)).await
    }

    /// Says which deliveries were refused as a whole.
    pub async fn refusals(&self, node: NodeId, report: &RefusalReport) -> Result<(), ClientError> {
        self.of_node(Method::POST, node, &["refusals"], |call| call.body(report)).await
    }

    /// What the node should be, if that is newer than what the agent has accepted.
    pub async fn desired(&self, node: NodeId, query: &DesiredQuery) -> Result<DesiredAnswer, ClientError> {
        self.of_node(Method::GET, node, &["desired"], |call| call.query(query)).await
    }

    /// Says how the node stands to what it should be.
    pub async fn observed(&self, node: NodeId, observed: &Observed) -> Result<(), ClientError> {
        self.of_node(Method::POST, node, &["observed"], |call| call.body(observed)).await
    }

    /// Tells facts of the node.
    pub async fn report(&self, node: NodeId, report: &SendReport) -> Result<(), ClientError> {
        self.of_node(Method::POST, node, &["reports"], |call| call.body(report)).await
    }

    /// Tells events of the node.
    pub async fn events(&self, node: NodeId, events: &SendEvents) -> Result<(), ClientError> {
        self.of_node(Method::POST, node, &["events"], |call| call.body(events)).await
    }

    async fn of_node<T: DeserializeOwned>(
        &self,
        method: Method,
        node: NodeId,
        rest: &[&str],
        complete: impl for<'l> Fn(Call<'l>) -> Result<Call<'l>, ClientError>,
    ) -> Result<T, ClientError> {
        let node = node.to_string();
        let path: Vec<&str> = ["agent", "v1", "nodes", &node].into_iter().chain(rest.iter().copied()).collect();
        self.ask(|line| complete(line.call(method.clone(), &path))).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        make: impl for<'l> Fn(&'l Line) -> Result<Call<'l>, ClientError>,
    ) -> Result<T, ClientError> {
        match &self.inner.proving {
            Some(proving) => proving.send(&self.inner.line, make).await,
            None => make(&self.inner.line)?.send().await,
        }
    }
}
