//! One resource: look, decide, make it so, look again.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use sortie_rules::desired::{Condition, ConditionStatus, Found, Resource, ResourceKey, Step, cut_message, plan};
use sortie_rules::time::Millis;

use super::desk::Desk;
use super::kinds::{Ground, Kind, Look};
use super::sealing::{Opener, Revealed};
use super::signed::{self, Site};
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::runner::{Me, Runner};

/// How the resources before it stand, and which ones share their place with others.
#[derive(Debug)]
pub(super) struct Others<'o> {
    pub(super) before: &'o BTreeMap<ResourceKey, ConditionStatus>,
    pub(super) clash: Option<&'o ResourceKey>,
}

/// What is to be told of it.
struct Told {
    status: ConditionStatus,
    reason: Option<&'static str>,
    message: Option<String>,
    actual: Option<Map<String, Value>>,
    applied: bool,
    /// The digest of the spec, if it is in order with it.
    in_order_with: Option<String>,
}

/// Goes through one resource. What is returned is noted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling<'s> {
    pub(super) ground: &'s Ground,
    pub(super) opener: Opener<'s>,
    pub(super) desk: &'s Desk,
    pub(super) runner: &'s Runner,
    pub(super) clock: &'s Clock,
}

impl Settling<'_> {
    /// How it stands afterwards. That is noted.
    pub(super) async fn settle(&self, key: &ResourceKey, resource: &Resource, others: Others<'_>) -> ConditionStatus {
        let told = self.go_through(key, resource, &others).await.unwrap_or_else(Told::of);
        let now = self.clock.now();
        let status = told.status;
        let (condition, in_order_with) = told.condition(key, now);
        if let Some(message) = condition.message.as_deref()
            && matches!(status, ConditionStatus::Failed | ConditionStatus::Refused)
            && !self.desk.memory.says(&condition)
        {
            tracing::warn!(resource = %key, reason = condition.reason.as_deref(), "a resource is not in order: \
             {message}");
        }
        if self.desk.memory.note(self.opener.generation, condition, in_order_with) {
            self.desk.memory.write(false);
            self.desk.bell.notify_one();
        }
        status
    }

    async fn go_through(&self, key: &ResourceKey, resource: &Resource, others: &Others<'_>) -> Result<Told, Trouble> {
        let policy = &self.ground.policy;
        if !policy.desired.takes(&key.kind) {
            let message = format!("the policy of this site does not list the kind {} under [desired] kinds", key.kind);
            return Err(Trouble::refused("kind_refused", message));
        }
        if let Some(needed) = policy.desired.signatures(key) {
            self.demand_signatures(key, resource, needed)?;
        }
        let is_in_order = |before: &&ResourceKey| others.before.get(before) != Some(&ConditionStatus::InOrder);
        if let Some(before) = resource.after.iter().find(is_in_order) {
            return Ok(Told::waiting(before));
        }
        if let Some(other) = others.clash {
            return Err(Trouble::failed("same_path", format!("{other} is at the same path; neither is touched")));
        }
        let revealed = self.opener.reveal(key, &resource.spec)?;
        let done = self.bring_in_order(key, resource, &revealed).await;
        done.map(|told| told.masked(&revealed)).map_err(|trouble| {
            let message = revealed.masked(&trouble.message);
            Trouble { message, ..trouble }
        })
    }

    /// Refuses a resource that operators must have signed and have not. One that is taken is known from then on.
    fn demand_signatures(&self, key: &ResourceKey, resource: &Resource, needed: u32) -> Result<(), Trouble> {
        let runner = self.runner;
        let known = runner.standing.known();
        let known = known.map_err(|error| Trouble::refused("operators_unknown", error.to_string()))?;
        let (before, now) = (self.desk.memory.taken(key), runner.operation_time.now());
        let Me { node, key: fingerprint } = &runner.me;
        let site = Site { node: *node, key: fingerprint, needed, known: &known, now, before: before.as_ref() };
        let taken = signed::judge(key, resource, &site)?;
        self.desk.memory.take(key, taken, now);
        Ok(())
    }

    async fn bring_in_order(
        &self,
        key: &ResourceKey,
        resource: &Resource,
        revealed: &Revealed,
    ) -> Result<Told, Trouble> {
        let digest = digest_of(&revealed.spec);
        let was_in_order = self.desk.memory.was_in_order(key, &digest);
        let kind = Kind::of(key, revealed.spec.clone(), revealed.is_secret, &self.ground.policy)?;
        let look = kind.look(self.ground, key, was_in_order).await?;
        let found = match look {
            Look::InOrder => Found::InOrder,
            Look::Otherwise { .. } => Found::Otherwise,
        };
        match (plan(found, resource.drift, was_in_order), look) {
            (Step::Tell, Look::Otherwise { message, actual }) => Ok(Told::drifted(message, actual)),
            (Step::Apply, _) => {
                kind.apply(self.ground, key).await?;
                match kind.look(self.ground, key, was_in_order).await? {
                    Look::InOrder => {
                        tracing::info!(resource = %key, "a resource was brought in order");
                        Ok(Told::in_order(digest, true))
                    }
                    Look::Otherwise { message, actual } => Ok(Told::still_otherwise(&message, actual)),
                }
            }
            (Step::Rest | Step::Tell, _) => Ok(Told::in_order(digest, false)),
        }
    }
}

impl Told {
    fn of(trouble: Trouble) -> Told {
        let Trouble { status, reason, message } = trouble;
        Told { status, reason: Some(reason), message: Some(message), ..Told::bare(status) }
    }

    fn bare(status: ConditionStatus) -> Told {
        Told { status, reason: None, message: None, actual: None, applied: false, in_order_with: None }
    }

    fn waiting(on: &ResourceKey) -> Told {
        let message = Some(format!("it comes after {on}, which is not in order"));
        Told { reason: Some("after_another"), message, ..Told::bare(ConditionStatus::Waiting) }
    }

    fn in_order(digest: String, applied: bool) -> Told {
        Told { applied, in_order_with: Some(digest), ..Told::bare(ConditionStatus::InOrder) }
    }

    fn drifted(message: String, actual: Map<String, Value>) -> Told {
        let (reason, message) = (Some("otherwise"), Some(message));
        Told { reason, message, actual: Some(actual), ..Told::bare(ConditionStatus::Drifted) }
    }

    fn still_otherwise(message: &str, actual: Map<String, Value>) -> Told {
        let message = Some(format!("it was applied, and is still otherwise: {message}"));
        Told { reason: Some("still_otherwise"), message, actual: Some(actual), ..Told::bare(ConditionStatus::Failed) }
    }

    fn masked(self, revealed: &Revealed) -> Told {
        let message = self.message.map(|message| revealed.masked(&message));
        let actual = self.actual.map(|actual| revealed.masked_map(actual));
        Told { message, actual, ..self }
    }

    fn condition(self, key: &ResourceKey, now: Millis) -> (Condition, Option<String>) {
        let condition = Condition {
            resource: key.clone(),
            status: self.status,
            reason: self.reason.map(str::to_owned),
            message: self.message.as_deref().map(cut_message),
            since: now,
            applied_at: self.applied.then_some(now),
            actual: self.actual.filter(|actual| !actual.is_empty()),
        };
        (condition, self.in_order_with)
    }
}

/// Equal specs have equal digests. That of a secret lies beside the key that opens it, so it says nothing more.
fn digest_of(spec: &Map<String, Value>) -> String {
    hex::encode(digest(&SHA256, json!(spec).to_string().as_bytes()).as_ref())
}
