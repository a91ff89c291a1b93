//! Reads presence at the start, and writes it down all at once now and then.

use sortie_rules::clocks::is_jump;
use sortie_rules::leaders::{HolderName, lock_of};
use sortie_rules::liveness::nobody_listened;
use sortie_rules::time::Millis;
use sortie_store::{Store, StoreError, Tx, alarms, leaders, meta, nodes, notifications, sessions, tokens};

use super::board::PresenceBoard;
use crate::app::App;
use crate::fault::Fault;
use crate::replicas::DUTY;

/// When a hub last said that it listens.
const ALIVE_AT: &str = "alive_at";
/// Rows read at once.
const PAGE: u32 = 5000;

/// Moves every node's silence over the time in which no hub listened, so that a hub that was away
/// raises no storm of false alarms. If the clock was put back meanwhile, what is written of the future moves with it.
/// Where another hub listens, nothing moves: what its clock and its silence come to is its own to say.
pub(crate) async fn skip_absence(store: &Store, now: Millis) -> Result<(), StoreError> {
    let beside_others = store.engine() == "postgres";
    store
        .write(move |tx| {
            Box::pin(async move {
                let alive_at = meta::get(tx, ALIVE_AT).await?.and_then(|text| text.parse().ok()).map(Millis);
                if let Some(alive_at) = alive_at {
                    let leader_may_live = beside_others && leader_may_live(tx).await?;
                    if !nobody_listened(alive_at, now, leader_may_live) {
                        return Ok(());
                    }
                    nodes::skip_absence(tx, alive_at, now).await?;
                    let by_ms = now.0.saturating_sub(alive_at.0);
                    if by_ms < 0 && is_jump(by_ms) {
                        nodes::move_silence(tx, by_ms, now).await?;
                        alarms::move_due(tx, by_ms).await?;
                        notifications::move_times(tx, by_ms).await?;
                    }
                }
                meta::set(tx, ALIVE_AT, &now.0.to_string()).await
            })
        })
        .await
}

/// Whether another hub may lead at this moment. Of one that holds no lock, or says so, nobody can tell.
async fn leader_may_live(tx: &mut Tx) -> Result<bool, StoreError> {
    let Some(holder) = leaders::holder(tx, DUTY).await? else { return Ok(false) };
    let name = HolderName::parse(&holder.name);
    match lock_of(name.own).filter(|_| name.guarded) {
        Some(lock) => Ok(!leaders::lock_is_free(tx, lock).await?),
        None => Ok(true),
    }
}

/// Reads what is known of every node, other hubs' knowledge with it.
pub(crate) async fn load(store: &Store, board: &PresenceBoard) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let rows = store.read(move |tx| Box::pin(async move { nodes::presence_all(tx, after, PAGE).await })).await?;
        let full = rows.len() == PAGE as usize;
        after = rows.last().map(|row| row.id);
        rows.into_iter().for_each(|row| board.learn(row));
        if !full {
            return Ok(());
        }
    }
}

/// Writes down who was heard, which tokens were used, and that the hub listens. Returns how many
/// nodes were heard.
pub(crate) async fn flush(app: &App) -> Result<u64, Fault> {
    let (heard, used, now) = (app.presence.take_unwritten(), app.people.take_used(), app.clock.now());
    let in_sessions = app.sessions.take_used();
    let (heard_again, used_again, written) = (heard.clone(), used.clone(), in_sessions.clone());
    let count = heard.len() as u64;
    let flushed = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                nodes::flush_heard(tx, &heard).await?;
                tokens::flush_used(tx, &used).await?;
                sessions::flush_used(tx, &in_sessions).await?;
                meta::set(tx, ALIVE_AT, &now.0.to_string()).await?;
                Ok::<_, Fault>(())
            })
        })
        .await;
    flushed.inspect_err(|_| {
        app.presence.not_written(&heard_again);
        app.people.not_written(&used_again);
    })?;
    app.sessions.written(&written);
    Ok(count)
}
