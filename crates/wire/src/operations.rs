//! Operations: what an operator signs, how one is proposed, and how it is shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::Code;
use sortie_rules::time::{Millis, Span};

use crate::envelope::Envelope;

/// The payload type of an operation.
pub const OPERATION: &str = "application/vnd.sortie.operation+json";

/// What an operator signs (B-39). A host and its guests are nodes here, so one id names the target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What is to be done: a task type.
    pub op: String,
    /// Which operation this is; its task has the same id.
    pub operation: TaskId,
    /// Where.
    pub target: Target,
    /// What the handler gets.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Box<RawValue>,
    /// 128 random bits in hex, drawn where it was signed first.
    pub nonce: String,
    /// When it was signed first, by that machine's clock.
    pub issued_at: Millis,
    /// Until when it may be carried out.
    pub expires_at: Millis,
    /// The fingerprint of the key that signed it first.
    pub key_id: String,
}

impl Statement {
    /// What an envelope says, whoever made it: for whoever keeps it and lets others judge.
    pub fn unverified(envelope: &Envelope) -> Option<Statement> {
        let message = BASE64.decode(&envelope.payload).ok()?;
        (envelope.payload_type == OPERATION).then(|| serde_json::from_slice(&message).ok())?
    }
}

/// For whom an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The node.
    pub node: NodeId,
    /// The SHA-256 of its public key, in hex: a node that enrols anew is another target.
    pub key: String,
}

/// A request for an operation: the body of `POST /api/v1/operations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposeOperation {
    /// The task type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The node that shall do it, by name or id.
    pub node: String,
    /// What the handler gets; it must fit the type's schema. An empty object if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<Box<RawValue>>,
    /// How long it may be carried out after it was signed first: a day if absent, 30 days at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Span>,
    /// How many operators shall sign it before it goes out; 1 if absent. The site has the last word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<u32>,
    /// Why, for those who are to sign it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why an operation shall not be: the body of `POST /api/v1/operations/{id}/reject`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RejectOperation {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where an operation stands (B-40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Operators have yet to sign it.
    AwaitingSignature,
    /// It is signed and waits for its node.
    Pending,
    /// Its node has it.
    Delivered,
    /// It was carried out.
    Completed,
    /// It did not work.
    Failed,
    /// Somebody decided against it, or its node refused it.
    Rejected,
    /// It was called off.
    Cancelled,
    /// Its time passed.
    Expired,
}

impl OperationStatus {
    /// All of them, in the order of an operation's life.
    pub const ALL: [OperationStatus; 8] = [
        OperationStatus::AwaitingSignature,
        OperationStatus::Pending,
        OperationStatus::Delivered,
        OperationStatus::Completed,
        OperationStatus::Failed,
        OperationStatus::Rejected,
        OperationStatus::Cancelled,
        OperationStatus::Expired,
    ];

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<OperationStatus> {
        OperationStatus::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            OperationStatus::AwaitingSignature => "awaiting_signature",
            OperationStatus::Pending => "pending",
            OperationStatus::Delivered => "delivered",
            OperationStatus::Completed => "completed",
            OperationStatus::Failed => "failed",
            OperationStatus::Rejected => "rejected",
            OperationStatus::Cancelled => "cancelled",
            OperationStatus::Expired => "expired",
        }
    }
}

impl fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One signature of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedBy {
    /// The fingerprint of the key.
    pub key_id: String,
    /// The operator's name in the set that is published here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who brought it to the hub.
    pub brought_by: String,
    /// When.
    pub at: Millis,
}

/// An operation as people read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id, and its task's.
    pub id: TaskId,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// For whom it is.
    pub target: Target,
    /// The node's name, which no operator signs.
    pub node_name: String,
    /// Where it stands.
    pub status: OperationStatus,
    /// Why it was proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many operators shall sign it.
    pub signatures: u32,
    /// Who has.
    pub signed_by: Vec<SignedBy>,
    /// How long it may be carried out after it was signed first.
    pub valid_for: Span,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Millis,
    /// When it expires if too few have signed it by then: once somebody has, no later than what was signed.
    pub ends_at: Millis,
    /// When it ended without becoming a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
    /// Why it did not complete, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the handler gets. Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<Box<RawValue>>,
    /// What was signed, once somebody has. Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
}

/// The query of `GET /api/v1/operations`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct OperationQuery {
    /// Only those that wait for signatures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Only those of one of these, with commas between them: `failed,rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those for this node, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only those of this task type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
