//! Which layer a request names: `org`, `site:KEY` or `node:NAME`.

use sortie_rules::desired::{Layer, LayerName};
use sortie_rules::ids::OrgId;
use sortie_rules::names::check_name;
use sortie_store::desired::publications::LayerKey;
use sortie_store::{Tx, sites};
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::nodes::sites::unknown;
use crate::people::Principal;

/// The layer of this name. A node or a site that is not there has none; a site has one before it has nodes.
pub(super) async fn find(app: &App, who: &Principal, text: &str) -> Result<LayerKey, Fault> {
    let malformed = |detail: String| refuse(ProblemCode::MalformedParameter, detail);
    let LayerName { layer, of } = text.parse().map_err(|why| malformed(format!("layer: {why}.")))?;
    let of = match layer {
        Layer::Org => of,
        Layer::Site => {
            check_name("site", &of).map_err(|error| malformed(format!("layer: {error}.")))?;
            is_there(app, who.org, of).await?
        }
        Layer::Node => app.nodes.find_named(&app.store, who.org, &of).await?.id.to_string(),
    };
    Ok(LayerKey { org: who.org, layer, of })
}

/// The site's key again, if there is such a site.
async fn is_there(app: &App, org: OrgId, key: String) -> Result<String, Fault> {
    app.store
        .read(move |tx| {
            Box::pin(async move {
                match sites::get(tx, org, &key).await? {
                    Some(_) => Ok(key),
                    None => Err(unknown(tx, org, &key).await?),
                }
            })
        })
        .await
}

/// Keeps the site of a layer until the transaction ends, for what is written of the layer in it. Refused if the site
/// was removed since the layer was found.
pub(super) async fn hold(tx: &mut Tx, key: &LayerKey) -> Result<(), Fault> {
    match key.layer {
        Layer::Site if !sites::hold(tx, key.org, &key.of).await? => Err(unknown(tx, key.org, &key.of).await?),
        Layer::Org | Layer::Site | Layer::Node => Ok(()),
    }
}

/// Of whom it is, as people see it: nothing for the org.
pub(super) fn of(key: &LayerKey) -> Option<String> {
    (key.layer != Layer::Org).then(|| key.of.clone())
}
