//! Brings a new key in. It is announced first; a stolen one is followed at once.

use sortie_rules::limits::RENEWALS_PER_SECOND;
use sortie_rules::rotation::What;
use sortie_rules::time::Span;
use sortie_store::node_keys;
use sortie_wire::hub_keys::{HubKeys, Rotatable, RotateKeys};
use sortie_wire::problem::ProblemCode;

use super::apply::{apply, reread, unusable};
use super::show::show;
use crate::app::Shared;
use crate::audit::Act;
use crate::fault::{Fault, refuse};
use crate::http::to_the_end;
use crate::identity::{Change, Held, StepKind, TakenStep};
use crate::people::Principal;

/// So many nodes are named that are ahead.
const AHEAD_NAMED_MAX: u32 = 5;

/// Rotates. The same request again, or another administrator's for the same, changes nothing more.
pub(super) async fn rotate(app: &Shared, who: &Principal, request: RotateKeys) -> Result<HubKeys, Fault> {
    let (app, actor) = (app.clone(), who.name.to_string());
    let act = Act::by(who, app.clock.now())?;
    // What was made must be used, whether or not somebody waits for the answer.
    to_the_end(async move {
        let _turn = app.ring.turn.lock().await;
        reread(&app).await?;
        let what = match request.what {
            Rotatable::Delivery => What::Delivery,
            Rotatable::Authority => What::Authority,
        };
        let held = app.ring.held();
        if !is_done(&held, StepKind::Rotated, Some(what), request.from)? {
            write(&app, &held, (actor, act), what, request.at_once).await?;
        }
        apply(&app).await?;
        show(&app).await
    })
    .await
}

async fn write(app: &Shared, held: &Held, (actor, act): (String, Act), what: What, at_once: bool) -> Result<(), Fault> {
    let now = app.clock.now();
    let own = held.ring().version;
    let (nodes, ahead) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let (nodes, _) = node_keys::count_followers(tx).await?;
                Ok::<_, Fault>((nodes, node_keys::ahead_of(tx, own, AHEAD_NAMED_MAX).await?))
            })
        })
        .await?;
    // Nobody may keep a stolen key in use by saying so.
    if !ahead.is_empty() && !at_once {
        let named: Vec<String> = ahead.iter().map(|(name, version)| format!("`{name}` (key set {version})")).collect();
        let detail = format!(
            "Nodes say that they have a newer key set than this hub ({own}): {}. If the hub was restored from a backup \
             older than its last rotation, restore the folder keys/ from a newer one; a rotation now would leave these \
             nodes behind. If they say what is not true, revoke them, or rotate with --at-once.",
            named.join(", ")
        );
        return Err(refuse(ProblemCode::Conflict, detail));
    }
    // Asked of the rules before a key is made for it.
    held.ring().introduce(what, "the next", at_once, now).map_err(|refusal| {
        let remedy = "`sortie hub keys show` says what is under way";
        refuse(ProblemCode::Conflict, format!("Nothing was rotated: {refusal}; {remedy}."))
    })?;
    let made = app.ring.make(what, &app.entropy, now).map_err(unusable)?;
    let ring = held.ring().introduce(what, &made.id, at_once, now);
    let ring = ring.map_err(|refusal| Fault::Broken(refusal.to_string()))?;
    let changes = serde_json::json!({ "at_once": at_once, "version": ring.version });
    let act = act.on(what.as_str(), &made.id).changes(changes);
    let step = TakenStep {
        at: now,
        actor,
        kind: StepKind::Rotated,
        what: Some(what),
        from: held.ring().version,
        to: ring.version,
        data: serde_json::json!({ "key": made.id, "at_once": at_once }),
        act: Some(act.text()),
    };
    tracing::info!(what = what.as_str(), key = made.id, version = ring.version, "A new key comes into the ring");
    let renew_within = (what == What::Authority).then(|| {
        let seconds = i64::try_from(nodes).unwrap_or(i64::MAX) / RENEWALS_PER_SECOND;
        Span::seconds(seconds.max(1))
    });
    app.ring.take(Change { ring, made: Some(made), renew_within, step }).await.map_err(unusable)?;
    Ok(())
}

/// Whether this was done already, from the version that the asker looked at. Refused if something else was.
pub(super) fn is_done(held: &Held, kind: StepKind, what: Option<What>, from: u64) -> Result<bool, Fault> {
    let mut steps = held.steps().iter();
    if steps.any(|step| step.kind == kind && step.what == what && step.from == from && step.to > from) {
        return Ok(true);
    }
    let version = held.ring().version;
    if version == from {
        return Ok(false);
    }
    let detail = format!(
        "The key set is {version} now, and this was decided for {from}: somebody else has changed the keys. Look at \
         them with `sortie hub keys show`, and decide again."
    );
    Err(refuse(ProblemCode::KeysChanged, detail))
}
