//! Removes a site that nothing needs.
//!
//! What tells only of what was goes with it or stays without it: the fields that results wrote are deleted, and invites
//! that were used, withdrawn or have expired name no site any more. The revisions of its layer stay and are forgotten
//! like all others, so that their numbers never mean another state; a site that is made again under the key goes on
//! with them, from a layer that says nothing. Its publications can be read by their ids until then.

use serde_json::{Value, json};
use sortie_rules::desired::Layer;
use sortie_rules::sites::{Needs, may_remove};
use sortie_rules::time::Millis;
use sortie_store::desired::drafts;
use sortie_store::desired::publications::{self, LayerKey};
use sortie_store::fields::{self, Holder};
use sortie_store::sites::{self, SiteRow};
use sortie_store::{Tx, invites, nodes};
use sortie_wire::nodes::Site;
use sortie_wire::problem::ProblemCode;

use super::sites::{shown, unknown};
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Removes it, or says what needs it. Nobody comes to it meanwhile.
pub(super) async fn remove(app: &App, who: &Principal, key: String) -> Result<Site, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("site", &key);
    let row = app
        .store
        .write_checked(move |tx| {
            Box::pin(async move {
                let Some(row) = sites::hold_alone(tx, org, &key).await? else {
                    return Err(unknown(tx, org, &key).await?);
                };
                let needs = needs(tx, &row, now).await?;
                may_remove(&key, needs).map_err(|why| refuse(ProblemCode::SiteInUse, why.to_string()))?;
                invites::forget_site(tx, org, &key).await?;
                fields::forget(tx, org, &Holder::Site(key.clone())).await?;
                sites::delete(tx, org, &key).await?;
                let data = json!({ "site": row.key, "name": row.name });
                events::record(tx, Record::new(org, now, "site.removed", &actor).data(&data)).await?;
                audit::record(tx, act.named(&row.name)).await?;
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

async fn needs(tx: &mut Tx, site: &SiteRow, now: Millis) -> Result<Needs, Fault> {
    let (all, revoked) = nodes::count_at_site(tx, site.org, &site.key).await?;
    let layer = LayerKey { org: site.org, layer: Layer::Site, of: site.key.clone() };
    let stands = publications::standing(tx, &layer).await?;
    let says = match publications::state_of_revision(tx, &layer, stands).await? {
        Some(text) => says_something(&text)?,
        None => false,
    };
    Ok(Needs {
        nodes: all.saturating_sub(revoked),
        revoked,
        invites: invites::count_open_to(tx, site.org, &site.key, now).await?,
        stands: if says { stands } else { 0 },
        has_draft: drafts::get(tx, &layer).await?.is_some_and(|draft| draft.state.is_some()),
        goes_out: publications::going_out(tx, &layer).await?.is_some(),
    })
}

/// Whether a state names any resource, be it to take one away.
fn says_something(text: &str) -> Result<bool, Fault> {
    let state: Value = serde_json::from_str(text)
        .map_err(|error| Fault::Broken(format!("a desired state cannot be read: {error}")))?;
    Ok(state["resources"].as_object().is_some_and(|resources| !resources.is_empty()))
}
