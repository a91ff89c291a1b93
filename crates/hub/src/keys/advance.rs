//! Uses a key that was announced: when every node has heard of it, or after its time. Who has not heard by
//! then follows the chain when it comes.

use sortie_rules::limits::KEYS_ANNOUNCED_FOR;
use sortie_rules::rotation::{State, What};
use sortie_store::node_keys::{self, Needed};

use super::apply::{apply, unusable};
use crate::app::Shared;
use crate::fault::Fault;
use crate::identity::{AuthorityError, Change, StepKind, TakenStep};

/// Begins what may begin. Returns how much that was.
pub(crate) async fn advance(app: &Shared) -> Result<u64, Fault> {
    let _turn = app.ring.turn.lock().await;
    let (held, now) = (app.ring.held(), app.clock.now());
    let ring = held.ring();
    let coming: Vec<_> =
        ring.members.iter().filter(|member| matches!(member.state, State::Coming { .. })).cloned().collect();
    if coming.is_empty() {
        return Ok(0);
    }
    let version = ring.needed();
    let is_old = coming.iter().any(|member| now.since(member.state.since()) >= KEYS_ANNOUNCED_FOR);
    let needed = Needed { version, issuer: None };
    if !is_old
        && app.store.read(move |tx| Box::pin(async move { node_keys::count_laggards(tx, needed).await })).await? > 0
    {
        return Ok(0);
    }
    let next = ring.begin(now);
    let ids: Vec<&str> = coming.iter().map(|member| member.id.as_str()).collect();
    let what = match &coming[..] {
        [only] => Some(only.what),
        _ => None::<What>,
    };
    let step = TakenStep {
        at: now,
        actor: "hub".to_owned(),
        kind: StepKind::Begun,
        what,
        from: ring.version,
        to: next.version,
        data: serde_json::json!({ "keys": ids }),
        act: None,
    };
    tracing::info!(keys = ids.join(" "), "A new key that was announced is used from now on");
    let change = Change { ring: next, made: None, renew_within: None, step };
    match app.ring.take(change).await {
        // Another hub has done it; this one hears of that.
        Err(AuthorityError::Changed) => return Ok(0),
        taken => taken.map_err(unusable)?,
    };
    apply(app).await?;
    Ok(1)
}
