//! Which layer a request names: `org`, `site:KEY` or `node:NAME`.

use sortie_rules::desired::{Layer, LayerName};
use sortie_rules::names::check_name;
use sortie_rules::time::Millis;
use sortie_store::desired::publications::LayerKey;
use sortie_store::{StoreError, Tx};
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::nodes::sites::make_if_missing;
use crate::people::Principal;

/// The layer of this name. A node that is not there has none; a site has one before it has nodes.
pub(super) async fn find(app: &App, who: &Principal, text: &str) -> Result<LayerKey, Fault> {
    let malformed = |detail: String| refuse(ProblemCode::MalformedParameter, detail);
    let LayerName { layer, of } = text.parse().map_err(|why| malformed(format!("layer: {why}.")))?;
    let of = match layer {
        Layer::Org => of,
        Layer::Site => {
            check_name("site", &of).map_err(|error| malformed(format!("layer: {error}.")))?;
            of
        }
        Layer::Node => app.nodes.find_named(&app.store, who.org, &of).await?.id.to_string(),
    };
    Ok(LayerKey { org: who.org, layer, of })
}

/// Makes the site of a layer of which somebody says something.
pub(super) async fn make_site(tx: &mut Tx, key: &LayerKey, now: Millis) -> Result<(), StoreError> {
    match key.layer {
        Layer::Site => make_if_missing(tx, key.org, &key.of, now).await,
        Layer::Org | Layer::Node => Ok(()),
    }
}

/// Of whom it is, as people see it: nothing for the org.
pub(super) fn of(key: &LayerKey) -> Option<String> {
    (key.layer != Layer::Org).then(|| key.of.clone())
}
