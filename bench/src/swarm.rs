//! Thousands of simulated agents: each with its own key, certificate and connection, and without a ledger. One whose
//! call fails tries again as an agent does, after a wait that grows and is drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519};
use serde_json::value::RawValue;
use sortie_client::agent::HubLine;
use sortie_client::tls::Identity;
use sortie_client::{Connect, Trust};
use sortie_rules::backoff::Backoff;
use sortie_rules::desired::{Condition, ConditionStatus};
use sortie_rules::ids::{BootId, Id, NodeId};
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::{Delivery, WaitQuery};
use sortie_wire::desired::{DESIRED, DesiredQuery, DesiredState, Observed};
use sortie_wire::enrollment::{Enroll, Enrolled, Facts, Invite};
use sortie_wire::envelope::{DELIVERY, Verifier};
use sortie_wire::results::{OutcomeWord, RunResult};
use sortie_wire::sealing::OpeningKey;
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

/// What an agent waits after calls that failed, as `sortie-agent` has it.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(60) };
/// A call that failed after less than this was refused, or broken off.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(5);
/// How often to look whether all wait.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Agents that wait for tasks, and do them at once.
pub(crate) struct Swarm {
    agents: JoinSet<anyhow::Result<()>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How many have had their first answer of this round, and so wait on an open connection.
    waiting: AtomicU64,
    /// How often the hub was taken away.
    round: AtomicU64,
    /// Calls that failed.
    failed: AtomicU64,
    /// Those of them that were not answered for so long that they were given up.
    given_up: AtomicU64,
    /// Tasks that the hub has acknowledged.
    done: AtomicU64,
    /// Generations of desired states that were taken and told of, all agents together.
    observed: AtomicU64,
    stop: AtomicBool,
}

struct Member {
    node: NodeId,
    seal_to: String,
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
        let mut swarm = Swarm { agents, state };
        swarm.all_wait().await?;
        Ok(swarm)
    }

    /// Waits until all of them wait at the hub.
    pub(crate) async fn all_wait(&mut self) -> anyhow::Result<()> {
        while self.state.waiting.load(Ordering::Relaxed) < self.agents.len() as u64 {
            if let Some(ended) = self.agents.try_join_next() {
                ended??;
                bail!("an agent ended by itself");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// From now on only those count as waiting who are answered anew: the hub is about to go. Its callers' failures
    /// are counted from here.
    pub(crate) fn hub_goes(&self) {
        self.state.waiting.store(0, Ordering::Relaxed);
        self.state.failed.store(0, Ordering::Relaxed);
        self.state.given_up.store(0, Ordering::Relaxed);
        self.state.round.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls that failed since the hub went, and those of them that were not answered in time: the others found no
    /// hub, or lost it.
    pub(crate) fn failed(&self) -> (u64, u64) {
        (self.state.failed.load(Ordering::Relaxed), self.state.given_up.load(Ordering::Relaxed))
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

    /// Generations of desired states that were taken and told of.
    pub(crate) fn observed(&self) -> u64 {
        self.state.observed.load(Ordering::Relaxed)
    }

    /// Lets them go.
    pub(crate) fn end(mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        self.agents.abort_all();
    }
}

/// Enrols a node. Returns what the hub gave, and how the node's agent reaches it.
pub(crate) async fn enrolled(invite: &str, connect: Connect) -> anyhow::Result<(Enrolled, Connect)> {
    let invite: Invite = invite.parse()?;
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = Enroll { certificate_request: params.serialize_request(&key)?.pem()?, facts: Facts::default() };
    let pinned = Connect { trust: Trust::Fingerprint(invite.ca.clone()), ..connect.clone() };
    let enrolled = HubLine::open(&pinned)?.enroll(&invite, &request, &entropy().hex()).await?;
    let identity = Identity { chain_pem: enrolled.certificate.chain.clone(), key_pem: key.serialize_pem() };
    Ok((enrolled, Connect { identity: Some(identity), ..connect }))
}

impl Member {
    async fn enroll(invite: &str, connect: Connect) -> anyhow::Result<Member> {
        let (enrolled, connect) = enrolled(invite, connect).await?;
        let seal_to = OpeningKey::generate().seal_to().to_string();
        Ok(Member {
            node: enrolled.node,
            seal_to,
            line: HubLine::open(&connect)?,
            verifier: Verifier::new(&enrolled.keys)?,
        })
    }

    /// Fetches what the node should be after this generation, and says that it is so, without making it so.
    async fn follow(&self, after: u64) -> anyhow::Result<u64> {
        let query = DesiredQuery { after, seal_to: self.seal_to.clone() };
        let Some(state) = self.line.desired(self.node, &query).await?.state else { return Ok(after) };
        let state: DesiredState = serde_json::from_slice(&self.verifier.open(&state, DESIRED)?)?;
        let conditions = state.resources.into_keys().map(|resource| Condition {
            resource,
            status: ConditionStatus::InOrder,
            reason: None,
            message: None,
            since: state.issued_at,
            applied_at: Some(state.issued_at),
            actual: None,
        });
        let generation = state.generation;
        let (conditions, looked_at) = (conditions.collect(), Some(state.issued_at));
        let observed = Observed { generation, conditions, looked_at, refused: None, policy_unusable: None };
        self.line.observed(self.node, &observed).await?;
        Ok(generation)
    }

    async fn work(self, state: Arc<State>, places: Arc<Semaphore>) -> anyhow::Result<()> {
        let boot: BootId = Id::from_uuid(uuid::Uuid::now_v7());
        let (mut ack, mut seq, mut heard_in, mut failures, chance) = (0, 0, None, 0, entropy());
        let mut generation = 0;
        while !state.stop.load(Ordering::Relaxed) {
            seq += 1;
            let round = state.round.load(Ordering::Relaxed);
            let place = if heard_in.is_none() { Some(places.acquire().await?) } else { None };
            let wait_s = if heard_in == Some(round) { u32::try_from(WAIT_DEFAULT.0 / 1000)? } else { 0 };
            let query = WaitQuery { room: 1, ack, wait_s, boot, seq, keys: None, certified: None, clock: None };
            let asked = Instant::now();
            let answer = self.line.wait(self.node, &query).await;
            drop(place);
            let envelope = match answer {
                Ok(envelope) => envelope,
                Err(error) if round == 0 && state.round.load(Ordering::Relaxed) == 0 => return Err(error.into()),
                Err(_) => {
                    state.failed.fetch_add(1, Ordering::Relaxed);
                    let is_given_up = heard_in != Some(round) && asked.elapsed() >= GIVEN_UP_AFTER;
                    state.given_up.fetch_add(is_given_up.into(), Ordering::Relaxed);
                    failures += 1;
                    tokio::time::sleep(BACKOFF.wait(failures, chance.draw()).to_std()).await;
                    continue;
                }
            };
            failures = 0;
            // An answer from before the hub went says nothing of the one that came.
            if heard_in != Some(round) && state.round.load(Ordering::Relaxed) == round {
                heard_in = Some(round);
                state.waiting.fetch_add(1, Ordering::Relaxed);
            }
            let delivery: Delivery = serde_json::from_slice(&self.verifier.open(&envelope, DELIVERY)?)?;
            ack = delivery.number;
            if delivery.desired_generation > generation {
                generation = self.follow(generation).await?;
                state.observed.fetch_add(1, Ordering::Relaxed);
            }
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
