//! What a task is to be like, wherever it goes: checked against its type and the limits.

use sortie_rules::ids::{NodeId, OrgId, TaskId};
use sortie_rules::limits::{LEASE_MAX, LEASE_MIN, PRIORITY_MAX, RETRIES_MAX, TASK_PAYLOAD_BYTES_MAX};
use sortie_rules::tasks::{Class, Task};
use sortie_rules::time::Millis;
use sortie_store::tasks::TaskRow;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;

use crate::fault::{Fault, refuse_at};
use crate::packs::TaskTypes;

/// What was asked for, with the type's word where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) type_name: String,
    pub(crate) payload: String,
    pub(crate) priority: i32,
    pub(crate) idempotent: bool,
    pub(crate) life: Task,
}

/// Checks a request, but for its node. `at` is where it stands in the body.
pub(crate) fn terms(types: &TaskTypes, request: SubmitTask, at: &str, now: Millis) -> Result<Terms, Fault> {
    let known = types.find(&request.type_name, at)?;
    if known.described.class == Class::Privileged {
        let detail = format!(
            "Tasks of the type `{0}` are privileged: operators sign them. Propose one with `sortie op propose {0} \
             --node NODE`, or POST /api/v1/operations.",
            request.type_name
        );
        return Err(refuse_at(ProblemCode::SignatureNeeded, format!("{at}/type"), detail));
    }
    terms_of_any_class(types, request, at, now)
}

/// The same for work that operators sign, whatever its class here: the site decides on that.
pub(crate) fn terms_of_any_class(
    types: &TaskTypes,
    request: SubmitTask,
    at: &str,
    now: Millis,
) -> Result<Terms, Fault> {
    let known = types.find(&request.type_name, at)?;
    let payload = request.payload.as_ref().map_or("{}", |payload| payload.get());
    let invalid = |field: &str, detail: String| refuse_at(ProblemCode::FieldInvalid, format!("{at}/{field}"), detail);
    if payload.len() > TASK_PAYLOAD_BYTES_MAX {
        let detail = format!("A payload has at most {TASK_PAYLOAD_BYTES_MAX} bytes; this one has {}.", payload.len());
        return Err(refuse_at(ProblemCode::TooLarge, format!("{at}/payload"), detail));
    }
    known.check_payload(payload, at)?;
    let priority = request.priority.unwrap_or(0);
    if !(-PRIORITY_MAX..=PRIORITY_MAX).contains(&priority) {
        return Err(invalid("priority", format!("A priority is from -{PRIORITY_MAX} to {PRIORITY_MAX}.")));
    }
    let max_retries = request.max_retries.unwrap_or(known.described.max_retries);
    if max_retries > RETRIES_MAX {
        return Err(invalid("max_retries", format!("A task is tried again at most {RETRIES_MAX} times.")));
    }
    let lease = request.lease.unwrap_or(known.described.lease);
    if !(LEASE_MIN..=LEASE_MAX).contains(&lease) {
        return Err(invalid("lease", format!("A lease is from {LEASE_MIN} to {LEASE_MAX}, in milliseconds.")));
    }
    if request.not_after.is_some_and(|end| end <= now || request.not_before.is_some_and(|start| end <= start)) {
        return Err(invalid("not_after", "not_after must lie in the future and after not_before.".to_owned()));
    }
    if request.not_before.is_some_and(|start| start.0 < 0) {
        return Err(invalid("not_before", "not_before cannot lie before 1970.".to_owned()));
    }
    Ok(Terms {
        payload: payload.to_owned(),
        priority,
        idempotent: known.described.idempotent,
        life: Task::submitted(max_retries, lease, request.not_before, request.not_after),
        type_name: request.type_name,
    })
}

impl Terms {
    /// The task at a node.
    pub(crate) fn task(
        self,
        id: TaskId,
        (org, node): (OrgId, NodeId),
        submitted_by: &str,
        traceparent: Option<String>,
        now: Millis,
    ) -> TaskRow {
        TaskRow {
            id,
            org,
            node,
            type_name: self.type_name,
            priority: self.priority,
            payload: self.payload,
            idempotent: self.idempotent,
            submitted_by: submitted_by.to_owned(),
            submitted_at: now,
            traceparent,
            job: None,
            operation: None,
            life: self.life,
            delivery: 0,
            claimed_at: None,
            finished_at: None,
            message: None,
            result: None,
            result_digest: None,
        }
    }
}
