//! The loop that goes through all resources: at the start, when another state is accepted or the policy changes, when a
//! service that the agent runs begins or ends, and every now and then.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sortie_rules::backoff::jittered;
use sortie_rules::desired::{ConditionStatus, ResourceKey, Resources, clashes, in_order};
use sortie_rules::limits::RESOURCES_AT_ONCE;
use sortie_wire::desired::DesiredState;
use sortie_wire::sealing::OpeningKey;
use tokio_util::sync::CancellationToken;

use super::busy::Busy;
use super::desk::Desk;
use super::kinds::{Ground, Supervisor};
use super::own::Own;
use super::sealing::Opener;
use super::settle::{Others, Settling};
use crate::clock::{Clock, Entropy};
use crate::runner::Runner;

/// The loop.
#[derive(Debug)]
pub(crate) struct Reconciler {
    pub(crate) desk: Arc<Desk>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) key: OpeningKey,
    pub(crate) own: Own,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends: programs that are under way are stopped.
    pub(crate) stop: CancellationToken,
}

impl Reconciler {
    /// Reconciles until the agent ends, and then ends the services that it runs.
    pub(crate) async fn run(self) {
        let busy = Busy::default();
        let mut accepted = self.desk.changes();
        let mut policy = self.runner.policy.changes();
        while !self.stop.is_cancelled() {
            accepted.borrow_and_update();
            policy.borrow_and_update();
            self.pass(&busy).await;
            let every = jittered(self.runner.policy.now().desired.look_every, self.entropy.draw());
            tokio::select! {
                () = tokio::time::sleep(every.to_std()) => {}
                // The senders live as long as this.
                _ = accepted.changed() => {}
                _ = policy.changed() => {}
                () = self.supervisor.bell.notified() => {}
                () = self.stop.cancelled() => {}
            }
        }
        self.supervisor.ended().await;
    }

    /// Goes through all resources once. It ends early when another state was accepted.
    async fn pass(&self, busy: &Busy) {
        let (kept, policy) = (self.desk.accepted(), self.runner.policy.now());
        self.desk.note_policy(policy.unusable());
        // While nobody can read what the site allows, everything stays as it is.
        if !policy.is_usable() {
            return;
        }
        self.supervisor.keep_only(&policy.desired.programs).await;
        let Some(state) = &kept.state else { return };
        self.desk.memory.keep_only(&state.resources);
        let own = self.own.clone();
        let ground = Ground {
            guard: Arc::new(own.guard(&policy)),
            policy,
            places: self.runner.places.clone(),
            supervisor: Arc::clone(&self.supervisor),
            busy: busy.clone(),
            stop: self.stop.clone(),
        };
        let opener = Opener { key: &self.key, node: state.node, generation: state.generation };
        let settling = Settling { ground: &ground, opener, desk: &self.desk, runner: &self.runner, clock: &self.clock };
        if self.go_through(settling, state).await {
            self.desk.memory.looked(self.clock.now());
        }
        self.desk.memory.write(true);
    }

    /// Says whether all of them were gone through.
    async fn go_through(&self, settling: Settling<'_>, state: &DesiredState) -> bool {
        let resources: &Resources = &state.resources;
        // It was accepted because it has an order.
        let Ok(order) = in_order(resources) else { return false };
        let clashes: BTreeMap<ResourceKey, ResourceKey> = clashes(resources).into_iter().collect();
        let mut left: VecDeque<&ResourceKey> = order.into();
        let mut settled: BTreeMap<ResourceKey, ConditionStatus> = BTreeMap::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            let is_over = self.stop.is_cancelled() || self.desk.accepted().accepted.generation != state.generation;
            while under_way.len() < RESOURCES_AT_ONCE && !is_over {
                let is_ready =
                    |key: &&ResourceKey| resources[*key].after.iter().all(|before| settled.contains_key(before));
                let Some(at) = left.iter().position(is_ready) else { break };
                let Some(key) = left.remove(at) else { break };
                let resource = &resources[key];
                let before = resource.after.iter().filter_map(|key| Some((key.clone(), *settled.get(key)?))).collect();
                let clash = clashes.get(key);
                under_way.push(async move {
                    let others = Others { before: &before, clash };
                    (key, settling.settle(key, resource, others).await)
                });
            }
            match under_way.next().await {
                Some((key, status)) => {
                    settled.insert(key.clone(), status);
                }
                None => return left.is_empty(),
            }
        }
    }
}
