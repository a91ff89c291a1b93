//! Packs what is handed out into a delivery and signs it.

use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::DELIVERY_LIFE;
use sortie_store::tasks::TaskRow;
use sortie_wire::deliveries::{Answers, Delivery, HandedTask};
use sortie_wire::envelope::{DELIVERY, Envelope};

use crate::app::App;
use crate::fault::Fault;
use crate::http::NodeCaller;
use crate::packs::TaskTypes;

/// What each delivery names, so that the agent looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct News {
    /// The newest set of operators of the node's org.
    pub(super) operators_version: u64,
    /// The generation of what the node should be.
    pub(super) desired_generation: u64,
}

/// What one wait is answered with, before it is signed.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) number: u64,
    pub(super) tasks: Vec<HandedTask>,
    pub(super) cancel: Vec<TaskId>,
    pub(super) results_wanted: bool,
}

/// A claimed task as it is handed out.
pub(super) fn handed(types: &TaskTypes, row: TaskRow) -> Result<HandedTask, Fault> {
    let secrets = types.get(&row.type_name).map(|known| known.described.secrets.clone()).unwrap_or_default();
    let payload = RawValue::from_string(row.payload)
        .map_err(|error| Fault::Broken(format!("the payload of task {} is not JSON: {error}", row.id)))?;
    let operation = row.operation.as_deref().map(serde_json::from_str).transpose();
    let operation = operation
        .map_err(|error| Fault::Broken(format!("what was signed of operation {} cannot be read: {error}", row.id)))?;
    Ok(HandedTask {
        id: row.id,
        run: row.life.run,
        attempt: row.life.attempt,
        type_name: row.type_name,
        idempotent: row.idempotent,
        lease: row.life.lease,
        not_after: row.life.not_after,
        traceparent: row.traceparent,
        secrets,
        operation,
        payload,
    })
}

/// Signs a delivery for a node, as the answer to one wait: one signature, however many tasks it carries.
pub(super) fn sign(
    app: &App,
    caller: &NodeCaller,
    answers: Answers,
    news: News,
    parcel: Parcel,
) -> Result<Envelope, Fault> {
    let (now, held) = (app.clock.now(), app.ring.held());
    let delivery = Delivery {
        node: caller.node,
        answers,
        number: parcel.number,
        issued_at: now,
        expires_at: now + DELIVERY_LIFE,
        tasks: parcel.tasks,
        cancel: parcel.cancel,
        results_wanted: parcel.results_wanted,
        protocol: caller.protocol,
        keys_version: held.ring().version,
        operators_version: news.operators_version,
        desired_generation: news.desired_generation,
    };
    let bytes = serde_json::to_vec(&delivery).map_err(|error| Fault::Broken(error.to_string()))?;
    Ok(held.signer().sign(DELIVERY, &bytes))
}
