//! What differs between two states of a layer.

use serde_json::{Map, Value, json};
use sortie_rules::desired::{Resource, Resources, difference};
use sortie_store::Tx;
use sortie_store::desired::drafts;
use sortie_store::desired::publications::{self, LayerKey};
use sortie_wire::desired::{Diff, DiffQuery};

use super::publish::nodes_of;
use super::show::{parsed, unknown_revision};
use crate::app::App;
use crate::fault::Fault;

/// Compares two states of a layer: what stands with the draft, unless revisions are named.
pub(super) async fn diff(app: &App, key: LayerKey, query: DiffQuery) -> Result<Diff, Fault> {
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let stands = publications::standing(tx, &key).await?;
                let from = of_revision(tx, &key, query.from.unwrap_or(stands)).await?;
                let draft = drafts::get(tx, &key).await?.and_then(|row| row.state);
                let to = match (query.to, draft) {
                    (Some(revision), _) => of_revision(tx, &key, revision).await?,
                    (None, Some(draft)) => parsed(&draft)?,
                    (None, None) => of_revision(tx, &key, stands).await?,
                };
                let nodes = nodes_of(tx, &key, None).await?.len();
                let changes = difference(&of_layer(&from), &of_layer(&to));
                Ok::<_, Fault>(Diff { changes, nodes: u32::try_from(nodes).unwrap_or(u32::MAX) })
            })
        })
        .await
}

async fn of_revision(tx: &mut Tx, key: &LayerKey, revision: u64) -> Result<Value, Fault> {
    if revision == 0 {
        return Ok(json!({}));
    }
    let text = publications::state_of_revision(tx, key, revision).await?;
    parsed(&text.ok_or_else(|| unknown_revision(revision))?)
}

/// The resources of which a layer says something. It may say a part of what one should be, with `null` for what it
/// takes away; one that it takes away as a whole is told as `$removed`.
fn of_layer(state: &Value) -> Resources {
    let Some(Value::Object(resources)) = state.get("resources") else { return Resources::new() };
    let said = |resource: &Value| {
        let field = |name: &str| resource.get(name).cloned().unwrap_or_default();
        let spec = match resource {
            Value::Null => Map::from_iter([("$removed".to_owned(), Value::Bool(true))]),
            resource => resource.get("spec").and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        let after = serde_json::from_value(field("after")).unwrap_or_default();
        let drift = serde_json::from_value(field("drift")).unwrap_or_default();
        Resource { spec, after, drift, signed: resource.get("signed").cloned() }
    };
    resources.iter().filter_map(|(key, resource)| Some((key.parse().ok()?, said(resource)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::desired::Change;

    #[test]
    fn what_a_layer_takes_away_differs_from_what_it_does_not_speak_of() {
        let from =
            of_layer(&json!({"resources": {"file/a": {"spec": {"mode": "0644"}}, "file/b": {"drift": "report"}}}));
        let to = of_layer(&json!({"resources": {"file/a": {"spec": {"mode": "0644", "owner": null}}, "file/c": null}}));
        let told: Vec<_> = difference(&from, &to).into_iter().map(|one| (one.resource.name, one.change)).collect();
        let expected = [("a", Change::Changed), ("b", Change::Removed), ("c", Change::Added)];
        assert_eq!(told, expected.map(|(name, change)| (name.to_owned(), change)));
    }
}
