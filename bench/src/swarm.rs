//! Thousands of simulated agents: each with its own key, certificate and connection, and without a ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context as _;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519};
use serde_json::value::RawValue;
use sortie_client::agent::HubLine;
use sortie_client::tls::Identity;
use sortie_client::{Connect, Trust};
use sortie_rules::ids::{BootId, Id, NodeId};
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::{Delivery, WaitQuery};
use sortie_wire::enrollment::{Enroll, Facts, Invite};
use sortie_wire::envelope::{DELIVERY, Verifier};
use sortie_wire::results::{OutcomeWord, RunResult};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::fleet::invite;
use crate::hub::Hub;
use crate::machine::entropy;
use crate::work;

/// Enrolments under way at once.
const ENROLMENTS: usize = 16;
/// First connections under way at once, so that none of them waits too long for its handshake.
const HANDSHAKES: usize = 64;

/// Agents that wait for tasks, and do them at once.
pub(crate) struct Swarm {
    agents: JoinSet<anyhow::Result<()>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How many have had their first answer, and so wait on an open connection.
    waiting: AtomicU64,
    /// Tasks that the hub has acknowledged.
    done: AtomicU64,
    stop: AtomicBool,
}

struct Member {
    node: NodeId,
    line: HubLine,
    verifier: Verifier,
}

impl Swarm {
    /// Enrols so many and lets them wait.
    pub(crate) async fn start(hub: &Hub, count: usize) -> anyhow::Result<Swarm> {
        let (state, places) = (Arc::new(State::default()), Arc::new(Semaphore::new(HANDSHAKES)));
        let mut agents = JoinSet::new();
        for member in Swarm::enroll(hub, count).await? {
            let (state, places) = (Arc::clone(&state), Arc::clone(&places));
            agents.spawn(member.work(state, places));
        }
        let swarm = Swarm { agents, state };
        while swarm.state.waiting.load(Ordering::Relaxed) < count as u64 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Ok(swarm)
    }

    async fn enroll(hub: &Hub, count: usize) -> anyhow::Result<Vec<Member>> {
        let (mut open, mut members) = (JoinSet::new(), Vec::with_capacity(count));
        for number in 0..count {
            if open.len() == ENROLMENTS {
                members.push(open.join_next().await.context("one is open")???);
            }
            let (invite, connect) = (invite(hub, work::node(number)).await?, hub.connect()?);
            open.spawn(async move { Member::enroll(&invite, connect).await });
        }
        while let Some(member) = open.join_next().await {
            members.push(member??);
        }
        Ok(members)
    }

    /// Tasks that are done and acknowledged.
    pub(crate) fn done(&self) -> u64 {
        self.state.done.load(Ordering::Relaxed)
    }

    /// Lets them go.
    pub(crate) fn end(mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        self.agents.abort_all();
    }
}

impl Member {
    async fn enroll(invite: &str, connect: Connect) -> anyhow::Result<Member> {
        let invite: Invite = invite.parse()?;
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = Enroll { certificate_request: params.serialize_request(&key)?.pem()?, facts: Facts::default() };
        let pinned = Connect { trust: Trust::Fingerprint(invite.ca.clone()), ..connect.clone() };
        let enrolled = HubLine::open(&pinned)?.enroll(&invite, &request, &entropy().hex()).await?;
        let identity = Identity { chain_pem: enrolled.certificate.chain, key_pem: key.serialize_pem() };
        let line = HubLine::open(&Connect { identity: Some(identity), ..connect })?;
        Ok(Member { node: enrolled.node, line, verifier: Verifier::new(&enrolled.keys)? })
    }

    async fn work(self, state: Arc<State>, places: Arc<Semaphore>) -> anyhow::Result<()> {
        let boot: BootId = Id::from_uuid(uuid::Uuid::now_v7());
        let (mut ack, mut seq, mut is_first) = (0, 0, true);
        while !state.stop.load(Ordering::Relaxed) {
            seq += 1;
            let place = if is_first { Some(places.acquire().await?) } else { None };
            let wait_s = if is_first { 0 } else { u32::try_from(WAIT_DEFAULT.0 / 1000)? };
            let query = WaitQuery { room: 1, ack, wait_s, boot, seq, keys: None, certified: None, clock: None };
            let envelope = self.line.wait(self.node, &query).await?;
            drop(place);
            if std::mem::take(&mut is_first) {
                state.waiting.fetch_add(1, Ordering::Relaxed);
            }
            let delivery: Delivery = serde_json::from_slice(&self.verifier.open(&envelope, DELIVERY)?)?;
            ack = delivery.number;
            for task in delivery.tasks {
                let result = RunResult {
                    task: task.id,
                    run: task.run,
                    attempt: task.attempt,
                    outcome: OutcomeWord::Completed,
                    result: Some(RawValue::from_string(work::RESULT.to_owned())?),
                    code: None,
                    message: None,
                    retry: false,
                    log_bytes: 0,
                    started_at: Millis(0),
                    finished_at: Millis(0),
                };
                self.line.result(self.node, task.id, &result).await?;
                state.done.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}
