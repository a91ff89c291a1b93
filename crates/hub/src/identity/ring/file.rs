//! What stands in `keys/ring.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sortie_rules::rotation::{Ring, What};
use sortie_rules::time::{Millis, Span};
use sortie_wire::envelope::Envelope;

/// The ring as it is kept. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RingFile {
    /// Which keys there are, and how far each has come.
    pub(crate) ring: Ring,
    /// The beginning of the names of each key's files in `keys/`, by its id.
    pub(super) files: BTreeMap<String, String>,
    /// The certificates (PEM) of authorities of the operator's, by their fingerprints.
    pub(super) given: BTreeMap<String, String>,
    /// Within which time nodes are to get certificates of the newest authority.
    pub(super) renew_within: Span,
    /// Every key set that there was, from the first on, each signed by a key of the one before.
    pub(super) chain: Vec<Envelope>,
    /// What has been done to the ring, oldest first. Each becomes an event, once.
    pub(crate) steps: Vec<TakenStep>,
}

/// One thing that was done to the ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakenStep {
    /// When.
    pub(crate) at: Millis,
    /// By whom.
    pub(crate) actor: String,
    /// What was done.
    pub(crate) kind: StepKind,
    /// To which sort of key, if to one.
    pub(crate) what: Option<What>,
    /// The version that the ring had before.
    pub(crate) from: u64,
    /// The version that it had then.
    pub(crate) to: u64,
    /// The key that came, or how many nodes were left behind, in words for the event.
    pub(crate) data: serde_json::Value,
    /// What goes into the audit log of it, if somebody did it.
    pub(crate) act: Option<String>,
}

/// What can be done to the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepKind {
    /// A key of the hub's own came.
    Rotated,
    /// What was announced is used.
    Begun,
    /// What was not used any more has gone.
    Finished,
    /// The operator's certificate comes from another authority than before.
    Given,
}

impl StepKind {
    /// The kind of its event.
    pub(crate) const fn event(self) -> &'static str {
        match self {
            StepKind::Rotated => "keys.rotated",
            StepKind::Begun => "keys.begun",
            StepKind::Finished => "keys.finished",
            StepKind::Given => "keys.given",
        }
    }
}
