//! What stands in the way of a resource, with a word that programs may decide on.

use sortie_rules::desired::ConditionStatus;

/// Why a resource could not be looked at, or not be brought in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) status: ConditionStatus,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Trouble {
    /// The site does not let it.
    pub(crate) fn refused(reason: &'static str, message: impl Into<String>) -> Trouble {
        Trouble { status: ConditionStatus::Refused, reason, message: message.into() }
    }

    /// It did not go well.
    pub(crate) fn failed(reason: &'static str, message: impl Into<String>) -> Trouble {
        Trouble { status: ConditionStatus::Failed, reason, message: message.into() }
    }
}
