//! What the hub hands to one node, and what the node says when it waits for it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::{BootId, NodeId, TaskId};
use sortie_rules::time::{Millis, Span};

use crate::envelope::Envelope;

/// The query of `GET /agent/v1/nodes/{node_id}/tasks/wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct WaitQuery {
    /// How many tasks the agent can take; 0 asks for news only.
    pub room: u32,
    /// The highest delivery on the agent's disk.
    pub ack: u64,
    /// How long the hub may hold the request if nothing is there, in seconds.
    pub wait_s: u32,
    /// Which start of the agent is asking.
    pub boot: BootId,
    /// Rises by one with each wait of this start, from 1.
    pub seq: u64,
    /// What the agent's own clock shows; the hub's signed time is what counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Millis>,
    /// The version of the key set that the agent has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Whether its certificate comes from the authority that this set names for nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<bool>,
}

/// Which wait, of all that were ever sent for a node: the nonce of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answers {
    /// The `boot` of the wait.
    pub boot: BootId,
    /// The `seq` of the wait.
    pub seq: u64,
}

impl WaitQuery {
    /// What the answer to this wait must name.
    pub const fn answers(&self) -> Answers {
        Answers { boot: self.boot, seq: self.seq }
    }
}

/// What one wait is answered with, inside an envelope that the hub has signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// For whom. An agent refuses what is for another node.
    pub node: NodeId,
    /// Which wait this answers. An agent refuses an answer to another one, so that nothing can be played again.
    pub answers: Answers,
    /// Rises with every delivery that carries tasks; one without carries the last one's.
    pub number: u64,
    /// The hub's time when it signed this.
    pub issued_at: Millis,
    /// After this the delivery is not accepted any more.
    pub expires_at: Millis,
    /// Work, in the order in which it is to begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<HandedTask>,
    /// Tasks that someone wants stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<TaskId>,
    /// The hub was restored from a backup: send every result of the last days again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub results_wanted: bool,
    /// The version of the protocol in which this is spoken: the highest that both sides speak. An agent refuses one
    /// below the highest that it has spoken with this hub.
    #[serde(default = "first_protocol")]
    pub protocol: u32,
    /// The version of the hub's key set; follow its chain when it is higher than the one at hand.
    pub keys_version: u64,
    /// The version of the newest set of operators that was published at the hub for this node's org, 0 if none
    /// was; fetch what follows the one at hand when it is higher.
    #[serde(default, skip_serializing_if = "is_none_published")]
    pub operators_version: u64,
    /// The generation of the node's desired state, 0 if nothing was ever published for it; fetch it when it is higher
    /// than the one at hand.
    #[serde(default, skip_serializing_if = "is_none_published")]
    pub desired_generation: u64,
}

fn is_none_published(version: &u64) -> bool {
    *version == 0
}

fn first_protocol() -> u32 {
    1
}

/// One task as it is handed out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandedTask {
    /// Which task.
    pub id: TaskId,
    /// Which run of it: a run that was seen before is not executed again.
    pub run: u32,
    /// Which claim; to be named in heartbeats and in the result.
    pub attempt: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether a crash in mid-run may be answered by running it again.
    pub idempotent: bool,
    /// How long the claim lasts without a heartbeat.
    pub lease: Span,
    /// After this it is not to be begun any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// The trace that the submission belongs to (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Where the payload holds secrets, which are kept out of the task's log: JSON pointers, `*` for
    /// every item of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// What operators signed, if the task is an operation. The hub cannot make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Box<Envelope>>,
    /// What the handler gets.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: Box<RawValue>,
}

/// The hub's time, inside an envelope that the hub has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedTime {
    /// What the asker sent along, so that an old answer cannot be replayed.
    pub nonce: String,
    /// The hub's time.
    pub now: Millis,
}

/// The query of `GET /agent/v1/time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct TimeQuery {
    /// Any text of the asker's, at most 64 bytes.
    pub nonce: String,
}
