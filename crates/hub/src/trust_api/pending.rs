//! Hands out what waits for a trust: the same claim as any agent's, with a lease that lasts as long as such
//! a client may take, for it cannot renew it.

use sortie_rules::limits::{TRUST_LEASE, TRUST_TASKS_MAX};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::trusts::{TrustStatus, TrustTask};

use crate::app::Shared;
use crate::fault::Fault;
use crate::http::NodeCaller;
use crate::tasks::{claim_waiting, learn_line};

/// Claims what waits.
pub(super) async fn pending(app: &Shared, caller: &NodeCaller) -> Result<Vec<TrustTask>, Fault> {
    let line = app.waiting.line(caller.node);
    caller.still_stands(app).await?;
    let mut turn = line.turn().await;
    learn_line(app, caller.node, &mut turn).await?;
    let (found, _turn) = claim_waiting(app, caller.node, TRUST_TASKS_MAX, TRUST_LEASE, turn).await?;
    Ok(found.tasks.into_iter().map(shown).collect())
}

fn shown(task: HandedTask) -> TrustTask {
    TrustTask {
        id: task.id,
        task_type: task.type_name,
        payload: task.payload,
        status: TrustStatus::InProgress,
        retry_count: task.attempt.saturating_sub(1),
    }
}
