//! What is told of each resource, and of all of them together. These are facts: they flow from the node to the hub.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::key::ResourceKey;
use crate::time::Millis;

/// How one resource stands at its node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Condition {
    /// Which resource.
    pub resource: ResourceKey,
    /// How it stands.
    pub status: ConditionStatus,
    /// Why, as a stable word; absent if it is in order and always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same as a sentence, without anything that is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Since when it stands so, by the agent's clock.
    pub since: Millis,
    /// When the agent last brought it in order, by its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Millis>,
    /// What of its spec is otherwise at the node, in the spec's own form, as far as the agent can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub actual: Option<Map<String, Value>>,
}

/// How a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConditionStatus {
    /// As it should be.
    InOrder,
    /// It was not looked at since the generation came.
    Pending,
    /// It comes after another that is not in order.
    Waiting,
    /// It is otherwise, and is only told of.
    Drifted,
    /// It could not be looked at, or not be brought in order.
    Failed,
    /// The site does not let it.
    Refused,
}

/// How a node stands to the generation that it has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every resource is in order.
    Converged,
    /// Some were not looked at yet, or wait for others; nothing is wrong so far.
    Converging,
    /// Some are otherwise and are only told of.
    Drifted,
    /// Some could not be brought in order, or are refused by the site.
    Failing,
}

impl ConditionStatus {
    /// All of them.
    pub const ALL: [ConditionStatus; 6] = [
        ConditionStatus::InOrder,
        ConditionStatus::Pending,
        ConditionStatus::Waiting,
        ConditionStatus::Drifted,
        ConditionStatus::Failed,
        ConditionStatus::Refused,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConditionStatus::InOrder => "in_order",
            ConditionStatus::Pending => "pending",
            ConditionStatus::Waiting => "waiting",
            ConditionStatus::Drifted => "drifted",
            ConditionStatus::Failed => "failed",
            ConditionStatus::Refused => "refused",
        }
    }
}

impl Standing {
    /// All of them.
    pub const ALL: [Standing; 4] = [Standing::Converged, Standing::Converging, Standing::Drifted, Standing::Failing];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Converged => "converged",
            Standing::Converging => "converging",
            Standing::Drifted => "drifted",
            Standing::Failing => "failing",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Standing> {
        Standing::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// How all of them stand together: the worst of them counts. A node that has no resources has converged.
pub fn standing<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Standing {
    let worst = conditions.into_iter().map(|condition| condition.status).max();
    match worst {
        None | Some(ConditionStatus::InOrder) => Standing::Converged,
        Some(ConditionStatus::Pending | ConditionStatus::Waiting) => Standing::Converging,
        Some(ConditionStatus::Drifted) => Standing::Drifted,
        Some(ConditionStatus::Failed | ConditionStatus::Refused) => Standing::Failing,
    }
}

/// What a node tells of itself.
#[derive(Debug, Clone, Copy)]
pub struct Told<'c> {
    /// The generation that it has accepted.
    pub generation: u64,
    /// The generation that it refuses.
    pub refused: Option<u64>,
    /// How its resources stand.
    pub conditions: &'c [Condition],
    /// Its site's policy can be read, so that they are looked at.
    pub policy_is_usable: bool,
}

/// What is meant for a node.
#[derive(Debug, Clone, Copy)]
pub struct Meant {
    /// The newest generation.
    pub generation: u64,
    /// How many resources it has.
    pub resources: usize,
}

/// How a node stands by what it tells: it converges while it has not accepted what is meant for it, or has not spoken
/// of all its resources; it fails if it refuses what is meant, or can do nothing because its site's policy cannot be
/// used.
pub fn stands(told: &Told<'_>, meant: Meant) -> Standing {
    if !told.policy_is_usable || told.refused.is_some_and(|refused| refused > told.generation) {
        return Standing::Failing;
    }
    let together = standing(told.conditions);
    let is_whole = told.generation == meant.generation && told.conditions.len() >= meant.resources;
    if together == Standing::Converged && !is_whole || told.generation < meant.generation {
        Standing::Converging
    } else {
        together
    }
}

/// The condition that follows: it stands so since it came to be so, and not since it was last looked at.
#[must_use]
pub fn changed(before: Option<&Condition>, now: Condition) -> Condition {
    match before {
        Some(before) if before.status == now.status && before.reason == now.reason => {
            Condition { since: before.since, applied_at: now.applied_at.or(before.applied_at), ..now }
        }
        Some(before) => Condition { applied_at: now.applied_at.or(before.applied_at), ..now },
        None => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(status: ConditionStatus, since: i64) -> Condition {
        let resource = "file/a".parse().unwrap();
        Condition {
            resource,
            status,
            reason: None,
            message: None,
            since: Millis(since),
            applied_at: None,
            actual: None,
        }
    }

    #[test]
    fn the_worst_condition_is_the_node_s_standing() {
        let of = |all: &[ConditionStatus]| standing(&all.iter().map(|one| condition(*one, 0)).collect::<Vec<_>>());
        use ConditionStatus::{Drifted, Failed, InOrder, Pending, Refused, Waiting};
        assert_eq!(of(&[]), Standing::Converged);
        assert_eq!(of(&[InOrder, InOrder]), Standing::Converged);
        assert_eq!(of(&[InOrder, Pending]), Standing::Converging);
        assert_eq!(of(&[Waiting, Drifted]), Standing::Drifted);
        assert_eq!(of(&[Waiting, Failed, Drifted]), Standing::Failing);
        assert_eq!(of(&[Refused, InOrder]), Standing::Failing);
    }

    #[test]
    fn a_condition_that_stays_keeps_its_time() {
        let before = Condition { applied_at: Some(Millis(3)), ..condition(ConditionStatus::InOrder, 5) };
        let after = changed(Some(&before), condition(ConditionStatus::InOrder, 9));
        assert_eq!((after.since, after.applied_at), (Millis(5), Some(Millis(3))));
        assert_eq!(changed(Some(&before), condition(ConditionStatus::Failed, 9)).since, Millis(9));
        let why = Condition { reason: Some("other".to_owned()), ..condition(ConditionStatus::InOrder, 9) };
        assert_eq!(changed(Some(&before), why).since, Millis(9));
        assert_eq!(changed(None, condition(ConditionStatus::Pending, 7)).since, Millis(7));
    }

    #[test]
    fn a_node_stands_by_what_is_meant_for_it() {
        let one = |status: &str| {
            [serde_json::from_value(serde_json::json!({"resource": "file/a", "status": status, "since": 1})).unwrap()]
        };
        let told = |generation, status: &str, refused, resources| {
            let told = Told { generation, refused, conditions: &one(status), policy_is_usable: true };
            stands(&told, Meant { generation: 5, resources })
        };
        assert_eq!(told(5, "in_order", None, 1), Standing::Converged);
        assert_eq!(told(4, "in_order", None, 1), Standing::Converging);
        assert_eq!(told(4, "failed", None, 1), Standing::Converging);
        assert_eq!(told(5, "failed", None, 1), Standing::Failing);
        assert_eq!(told(5, "in_order", None, 2), Standing::Converging, "it has not spoken of all");
        assert_eq!(told(4, "in_order", Some(5), 1), Standing::Failing);
    }

    #[test]
    fn a_node_whose_policy_nobody_can_read_fails_whatever_it_says_of_its_resources() {
        let conditions = [condition(ConditionStatus::InOrder, 1)];
        for (generation, conditions) in [(5, &conditions[..]), (0, &[])] {
            let told = Told { generation, refused: None, conditions, policy_is_usable: false };
            assert_eq!(stands(&told, Meant { generation, resources: conditions.len() }), Standing::Failing);
        }
    }
}
