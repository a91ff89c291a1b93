//! Judges waits, and brings a node's line to this hub: where there are others, each reads what they know of it when an
//! agent may have been there, and tells them when one comes here (`sortie_rules::arrivals`).

use sortie_rules::arrivals::{Kept, arrive};
use sortie_rules::deliveries::{self, Ask, Heard, hear};
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::ARRIVAL_TRIES_MAX;
use sortie_store::nodes::{self, LineRow};
use sortie_store::tasks;
use sortie_wire::problem::ProblemCode;

use crate::app::Shared;
use crate::fault::{Fault, refuse};
use crate::http::NodeCaller;
use crate::nodes::{quarantine, quarantined};
use crate::waiting::{Line, Turn};

/// Whether something was lost before a wait in order, and whether the hub was restored. Any other wait is refused.
pub(super) async fn judge(
    app: &Shared,
    caller: &NodeCaller,
    line: &Line,
    turn: &mut Turn,
    ask: Ask,
) -> Result<(bool, bool), Fault> {
    let is_doubted = line.take_doubt();
    if turn.line().is_some() && !is_doubted && (app.is_alone() || turn.follows(ask)) {
        let (after, redeliver, restored) = in_order(app, caller, turn, ask).await?;
        turn.heard(after, true);
        return Ok((redeliver, restored));
    }
    let judged = judge_anew(app, caller, line, turn, ask).await;
    if judged.is_err() {
        line.doubt_memory();
    }
    judged
}

/// The same by what is kept, which others may write at the same moment.
async fn judge_anew(
    app: &Shared,
    caller: &NodeCaller,
    line: &Line,
    turn: &mut Turn,
    ask: Ask,
) -> Result<(bool, bool), Fault> {
    for _ in 0..ARRIVAL_TRIES_MAX {
        let kept = learn_line(app, caller.node, turn).await?;
        if kept.is_shut_out || !caller.has_key(&kept.key_fingerprint) {
            // Somebody shut it out, or gave it another key, at another hub and a moment ago.
            app.nodes.forget(caller.node);
            caller.may_take_tasks(app).await?;
        }
        let (after, redeliver, restored) = in_order(app, caller, turn, ask).await?;
        let Some(arrived) = arrive(after, kept.kept).filter(|_| !app.is_alone()) else {
            turn.heard(after, true);
            return Ok((redeliver, restored));
        };
        if write(app, caller.node, kept.kept, arrived).await? {
            if !after.is_here {
                stop_what_is_held(app, caller.node, line).await?;
            }
            turn.heard(arrived, true);
            line.arrived(arrived.arrivals);
            app.waiting.ring_line(caller.node, arrived.arrivals);
            return Ok((redeliver, restored));
        }
    }
    Err(late())
}

/// The line after a wait in order. Any other is refused.
async fn in_order(
    app: &Shared,
    caller: &NodeCaller,
    turn: &mut Turn,
    ask: Ask,
) -> Result<(deliveries::Line, bool, bool), Fault> {
    match hear(turn.line().unwrap_or_default(), ask) {
        Heard::InOrder { line, redeliver, restored } => Ok((line, redeliver, restored)),
        Heard::Late { line } => {
            turn.heard(line, false);
            Err(late())
        }
        Heard::Forked => {
            quarantine(app, caller, ask).await?;
            Err(quarantined())
        }
    }
}

fn late() -> Fault {
    let detail = "A newer wait of this node has been heard; this one was held up on its way.";
    refuse(ProblemCode::WaitLate, detail)
}

/// Tells the other hubs that the line is here. `false` if one of them was quicker.
async fn write(app: &Shared, node: NodeId, before: Kept, line: deliveries::Line) -> Result<bool, Fault> {
    let deliveries::Line { arrivals, boot, acknowledged, delivered, .. } = line;
    let after = Kept { arrivals, boot, acknowledged, delivered };
    app.store.write(move |tx| Box::pin(async move { Ok(nodes::arrive(tx, node, before, after).await?) })).await
}

/// What was to be stopped when the agent was here last may have ended elsewhere and been begun again: only what is to
/// be stopped still is told.
async fn stop_what_is_held(app: &Shared, node: NodeId, line: &Line) -> Result<(), Fault> {
    let noted = line.take_cancels();
    if noted.is_empty() {
        return Ok(());
    }
    let held = app.store.read(move |tx| Box::pin(async move { tasks::held_by(tx, node).await })).await?;
    let is_meant = |task: &&TaskId| held.iter().any(|held| held.id == **task && held.cancel_asked);
    noted.iter().filter(is_meant).for_each(|task| line.ring_cancel(*task));
    Ok(())
}

/// Reads where the node's line stands.
pub(crate) async fn learn_line(app: &Shared, node: NodeId, turn: &mut Turn) -> Result<LineRow, Fault> {
    let row = app.store.read(move |tx| Box::pin(async move { nodes::line(tx, node).await })).await?;
    let row = row.ok_or_else(|| Fault::Broken(format!("node {node} has no line")))?;
    turn.learn(row.kept, app.is_alone());
    Ok(row)
}
