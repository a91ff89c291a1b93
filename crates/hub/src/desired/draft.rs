//! Writes and discards drafts. Nothing comes of one until it is published.

use sortie_store::desired::drafts::{self, DraftRow};
use sortie_store::desired::publications::LayerKey;
use sortie_wire::desired::{LayerShown, WriteDraft};
use sortie_wire::problem::ProblemCode;

use super::{check, layer, show};
use crate::app::App;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// What is answered when somebody else has changed the draft.
pub(super) fn changed(by: Option<&DraftRow>) -> Fault {
    let who = match by {
        Some(row) if row.state.is_some() => {
            format!("{} has changed the draft (version {})", row.changed_by, row.version)
        }
        Some(row) => format!("{} has published or discarded the draft", row.changed_by),
        None => "There is no draft".to_owned(),
    };
    refuse(ProblemCode::Conflict, format!("{who}; read the layer again, and decide what of both stays."))
}

/// Writes a draft in place of the version that was read.
pub(super) async fn write(app: &App, who: &Principal, key: LayerKey, request: WriteDraft) -> Result<LayerShown, Fault> {
    check::layer(&request.state)?;
    let (now, by) = (app.clock.now(), who.name.to_string());
    let act = Act::by(who, now)?.on("layer", name_of(&key));
    let (text, of) = (request.state.to_string(), key.clone());
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let before = drafts::get(tx, &key).await?;
                let there = before.as_ref().filter(|row| row.state.is_some()).map_or(0, |row| row.version);
                if there != request.version {
                    return Err(changed(before.as_ref()));
                }
                layer::hold(tx, &key).await?;
                let version = before.as_ref().map_or(0, |row| row.version) + 1;
                let based_on = request.based_on;
                let row = DraftRow { key, state: Some(text), based_on, version, changed_by: by, changed_at: now };
                if !drafts::put(tx, &row).await? {
                    return Err(changed(before.as_ref()));
                }
                audit::record(tx, act.changes(serde_json::json!({ "version": version }))).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    show::layer(app, of).await
}

/// Discards a draft. Without one nothing changes.
pub(super) async fn discard(app: &App, who: &Principal, key: LayerKey) -> Result<LayerShown, Fault> {
    let (now, by) = (app.clock.now(), who.name.to_string());
    let (act, of) = (Act::by(who, now)?.on("layer", name_of(&key)), key.clone());
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let Some(before) = drafts::get(tx, &key).await?.filter(|row| row.state.is_some()) else {
                    return Ok(());
                };
                let version = before.version;
                let after = DraftRow { state: None, version: version + 1, changed_by: by, changed_at: now, ..before };
                if !drafts::put(tx, &after).await? {
                    return Err(changed(Some(&after)));
                }
                audit::record(tx, act.changes(serde_json::json!({ "version": version }))).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    show::layer(app, of).await
}

/// The layer as the audit log calls it.
pub(super) fn name_of(key: &LayerKey) -> String {
    if key.of.is_empty() { key.layer.to_string() } else { format!("{}:{}", key.layer, key.of) }
}
