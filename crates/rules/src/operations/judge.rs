//! Whether a site carries out an operation that was signed. Its own demands decide, whatever the hub thinks.

use crate::ids::{NodeId, TaskId};
use crate::limits::{OPERATION_LIFE_MAX, OPERATION_PAYLOAD_BYTES_MAX, OPERATOR_CLOCK_AHEAD_MAX};
use crate::tasks::Code;
use crate::time::Millis;

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Which operation; its task has the same id.
    pub operation: TaskId,
    /// Its type.
    pub op: &'a str,
    /// For which node.
    pub node: NodeId,
    /// For which key of that node: one that enrols anew is another.
    pub key: &'a str,
    /// When it was signed, by the operator's clock.
    pub issued_at: Millis,
    /// Until when it may be carried out.
    pub expires_at: Millis,
    /// How large its payload is, in bytes.
    pub payload_bytes: usize,
    /// How many operators of the set that stands have signed it.
    pub signed: usize,
}

/// What the site holds it against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand<'a> {
    /// The task with which it came.
    pub task: TaskId,
    /// Which run of it.
    pub run: u32,
    /// The task's type.
    pub type_name: &'a str,
    /// This node.
    pub node: NodeId,
    /// This node's key.
    pub key: &'a str,
    /// How many operators must have signed, by the site's policy.
    pub needed: u32,
    /// The later of the site's own time and the hub's signed time.
    pub now: Millis,
}

/// Why it is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few have signed.
    #[error("the policy of this site demands {needed} signatures of operators whom it knows; there are {signed}")]
    TooFew {
        /// How many must.
        needed: u32,
        /// How many have.
        signed: usize,
    },
    /// It is another node's, or was signed before this node enrolled anew.
    #[error("it was signed for another node, or for this node before it enrolled anew; propose it again")]
    OtherTarget,
    /// It is another operation than the task says.
    #[error("what was signed is another operation than the task with which it came")]
    OtherTask,
    /// It was to be done a second time.
    #[error("an operation is carried out once; propose it again, and sign it")]
    Repeated,
    /// It is valid for longer than may be.
    #[error("it is valid for longer than {OPERATION_LIFE_MAX}, or ends before it begins")]
    TooLong,
    /// Its time has passed.
    #[error(
        "its time has passed by the later of this site's clock and the hub's ({} ms since 1970, and it was valid until \
         {}); propose it again, and if it was signed only now, look at the clock of this machine", .now.0, .until.0
    )]
    Expired {
        /// Until when it was valid.
        until: Millis,
        /// What the time is.
        now: Millis,
    },
    /// It was signed in the future.
    #[error("it was signed {} in the future; look at the clock of the machine on which it was signed", .0)]
    NotYetValid(crate::time::Span),
    /// It is larger than may be.
    #[error("its payload is larger than {OPERATION_PAYLOAD_BYTES_MAX} bytes")]
    TooLarge,
}

impl Refusal {
    /// The word for it.
    pub fn code(self) -> Code {
        Code::new(match self {
            Refusal::TooFew { signed: 0, .. } => Code::SIGNER_UNKNOWN,
            Refusal::TooFew { .. } => Code::SIGNATURES_TOO_FEW,
            Refusal::OtherTarget => Code::OPERATION_OTHER_TARGET,
            Refusal::OtherTask => Code::OPERATION_OTHER_TASK,
            Refusal::Repeated => Code::OPERATION_REPEATED,
            Refusal::TooLong => Code::OPERATION_TOO_LONG,
            Refusal::Expired { .. } => Code::OPERATION_EXPIRED,
            Refusal::NotYetValid(_) => Code::OPERATION_NOT_YET_VALID,
            Refusal::TooLarge => Code::OPERATION_TOO_LARGE,
        })
    }
}

/// Says whether it may be carried out.
pub fn judge(claims: Claims<'_>, demand: Demand<'_>) -> Result<(), Refusal> {
    let Claims { signed, issued_at, expires_at, .. } = claims;
    let Demand { needed, now, .. } = demand;
    if signed < needed.max(1) as usize {
        return Err(Refusal::TooFew { needed: needed.max(1), signed });
    }
    if claims.node != demand.node || claims.key != demand.key {
        return Err(Refusal::OtherTarget);
    }
    if claims.operation != demand.task || claims.op != demand.type_name {
        return Err(Refusal::OtherTask);
    }
    if demand.run != 1 {
        return Err(Refusal::Repeated);
    }
    if expires_at <= issued_at || expires_at.since(issued_at) > OPERATION_LIFE_MAX {
        return Err(Refusal::TooLong);
    }
    if now > expires_at {
        return Err(Refusal::Expired { until: expires_at, now });
    }
    if issued_at > now + OPERATOR_CLOCK_AHEAD_MAX {
        return Err(Refusal::NotYetValid(issued_at.since(now)));
    }
    if claims.payload_bytes > OPERATION_PAYLOAD_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::time::Span;
    use uuid::Uuid;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn claims() -> Claims<'static> {
        Claims {
            operation: Id::from_uuid(Uuid::from_u128(1)),
            op: "host.reboot",
            node: Id::from_uuid(Uuid::from_u128(2)),
            key: "aa",
            issued_at: NOW,
            expires_at: NOW + Span::days(1),
            payload_bytes: 2,
            signed: 2,
        }
    }
    fn demand() -> Demand<'static> {
        Demand {
            task: claims().operation,
            run: 1,
            type_name: "host.reboot",
            node: claims().node,
            key: "aa",
            needed: 2,
            now: NOW,
        }
    }

    #[test]
    fn what_enough_operators_signed_for_this_node_and_this_time_is_carried_out() {
        assert_eq!(judge(claims(), demand()), Ok(()));
        assert_eq!(judge(claims(), Demand { now: claims().expires_at, ..demand() }), Ok(()));
        assert_eq!(judge(claims(), Demand { now: NOW - OPERATOR_CLOCK_AHEAD_MAX, ..demand() }), Ok(()));
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_own_word() {
        let other = Id::from_uuid(Uuid::from_u128(9));
        for (claims, demand, code) in [
            (Claims { signed: 1, ..claims() }, demand(), "signatures_too_few"),
            (Claims { signed: 0, ..claims() }, demand(), "signer_unknown"),
            (Claims { signed: 0, ..claims() }, Demand { needed: 0, ..demand() }, "signer_unknown"),
            (Claims { node: Id::from_uuid(Uuid::from_u128(9)), ..claims() }, demand(), "operation_other_target"),
            (Claims { key: "bb", ..claims() }, demand(), "operation_other_target"),
            (Claims { operation: other, ..claims() }, demand(), "operation_other_task"),
            (Claims { op: "service.restart", ..claims() }, demand(), "operation_other_task"),
            (claims(), Demand { run: 2, ..demand() }, "operation_repeated"),
            (Claims { expires_at: NOW + Span::days(31), ..claims() }, demand(), "operation_too_long"),
            (Claims { expires_at: NOW, ..claims() }, demand(), "operation_too_long"),
            (claims(), Demand { now: NOW + Span::days(2), ..demand() }, "operation_expired"),
            (claims(), Demand { now: NOW - Span::minutes(11), ..demand() }, "operation_not_yet_valid"),
            (Claims { payload_bytes: 1 << 20, ..claims() }, demand(), "operation_too_large"),
        ] {
            assert_eq!(judge(claims, demand).unwrap_err().code().0, code);
        }
    }
}
