//! Takes out of the ring what is not used any more. Refused while there are nodes that could not do without
//! it, unless it is forced: those come back by following the chain of key sets.

use sortie_rules::limits::LAGGARDS_SHOWN_MAX;
use sortie_rules::rotation::RingRefusal;
use sortie_store::node_keys::{self, LaggardRow};
use sortie_wire::hub_keys::{FinishKeys, HubKeys, Lack, Laggard};
use sortie_wire::problem::ProblemCode;

use super::apply::{apply, reread, unusable};
use super::rotate::is_done;
use super::show::{laggard, needed, show};
use crate::app::{App, Shared};
use crate::audit::Act;
use crate::fault::{Fault, refuse};
use crate::http::to_the_end;
use crate::identity::{Change, StepKind, TakenStep};
use crate::people::Principal;

/// How many nodes a refusal names.
const NAMED_MAX: usize = 10;

/// Finishes every rotation that is under way.
pub(super) async fn finish(app: &Shared, who: &Principal, request: FinishKeys) -> Result<HubKeys, Fault> {
    let (app, actor) = (app.clone(), who.name.to_string());
    let act = Act::by(who, app.clock.now())?;
    to_the_end(async move {
        let _turn = app.ring.turn.lock().await;
        reread(&app).await?;
        let (held, now) = (app.ring.held(), app.clock.now());
        if !is_done(&held, StepKind::Finished, None, request.from)? && !held.ring().is_settled() {
            let (version, issuer) = needed(held.ring());
            let (behind, lagging) = app
                .store
                .read(move |tx| {
                    Box::pin(async move {
                        let needed = node_keys::Needed { version, issuer: issuer.as_deref() };
                        let behind = node_keys::laggards(tx, needed, LAGGARDS_SHOWN_MAX).await?;
                        Ok::<_, Fault>((behind, node_keys::count_laggards(tx, needed).await?))
                    })
                })
                .await?;
            let ring = held.ring().finish(lagging, request.force, now).map_err(|refusal| match refusal {
                RingRefusal::Lagging => refuse(ProblemCode::NodesLag, told(&app, &behind, lagging)),
                other => refuse(ProblemCode::Conflict, format!("Nothing was finished: {other}.")),
            })?;
            let names: Vec<&str> = behind.iter().map(|row| row.name.as_str()).collect();
            let data = serde_json::json!({ "forced": request.force, "left_behind": lagging, "nodes": names });
            let act = act.on("keys", ring.version).changes(data.clone());
            let step = TakenStep {
                at: now,
                actor,
                kind: StepKind::Finished,
                what: None,
                from: held.ring().version,
                to: ring.version,
                data,
                act: Some(act.text()),
            };
            tracing::info!(version = ring.version, left_behind = lagging, "What was leaving has left the ring of keys");
            let change = Change { ring, made: None, renew_within: None, step };
            app.ring.take(change).await.map_err(unusable)?;
        }
        apply(&app).await?;
        show(&app).await
    })
    .await
}

/// What a refusal says: which nodes lag, in what, and what there is to choose from.
fn told(app: &App, behind: &[LaggardRow], lagging: u64) -> String {
    let (held, now) = (app.ring.held(), app.clock.now());
    let named = behind.iter().take(NAMED_MAX).map(|row| {
        let Laggard { name, version, lacks, heard_at, .. } = laggard(app, held.ring(), row.clone());
        let silent =
            heard_at.map_or_else(|| "never heard".to_owned(), |at| format!("heard {} ago", now.since(at).rounded()));
        match lacks {
            Lack::Keys => format!("`{name}` (key set {version} of {}, {silent})", held.ring().version),
            Lack::Certificate => format!("`{name}` (a certificate of the former authority, {silent})"),
        }
    });
    let mut named: Vec<String> = named.collect();
    let more = lagging.saturating_sub(named.len() as u64);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    format!(
        "Nothing was finished, since these nodes do not have all that would be in use: {}. Wait until they have it, \
         or shut out those that will not come back (`sortie node revoke NAME`), or say --force: a node that comes \
         back later follows the chain of key sets by itself, from the one that is on its disk.",
        named.join(", ")
    )
}
