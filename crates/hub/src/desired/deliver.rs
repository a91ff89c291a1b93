//! Gives a node what it should be: what its layers come to, with secrets that only it can open, and signed.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sortie_rules::desired::{Reference, Resources, SEALED, SECRET, references};
use sortie_rules::limits::GENERATION_MAX;
use sortie_store::Tx;
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::secrets;
use sortie_wire::desired::{DESIRED, DesiredAnswer, DesiredQuery, DesiredState};
use sortie_wire::problem::ProblemCode;
use sortie_wire::sealing::{Place, SealTo, seal};

use super::merged;
use crate::app::{App, Shared};
use crate::fault::{Fault, refuse};
use crate::http::NodeCaller;
use crate::secrets::open;

/// What a node should be, if that is newer than what it has accepted.
pub(super) async fn deliver(app: &Shared, caller: &NodeCaller, query: DesiredQuery) -> Result<DesiredAnswer, Fault> {
    let malformed = |detail: String| refuse(ProblemCode::MalformedParameter, detail);
    let to: SealTo = query.seal_to.parse().map_err(|error| malformed(format!("seal_to: {error}.")))?;
    if query.after >= GENERATION_MAX {
        return Err(malformed(format!("after is below {GENERATION_MAX}.")));
    }
    caller.may_take_tasks(app).await?;
    let node = caller.node;
    if app.desired.generations.of(&app.store, node).await? < query.after {
        take_over(app, caller, query.after).await?;
    }
    let shared = app.clone();
    let read = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let Some(pins) = pins::get(tx, node).await?.filter(|pins| pins.generation > query.after) else {
                    return Ok(None);
                };
                let resources = merged::resources(tx, &shared, &pins).await?;
                let values = values_of(tx, &shared, &pins, &resources).await?;
                Ok::<_, Fault>(Some((pins, resources, values)))
            })
        })
        .await?;
    let Some((pins, resources, values)) = read else { return Ok(DesiredAnswer { state: None }) };
    let resources = sealed(&to, &pins, (*resources).clone(), &values)?;
    let generation = pins.generation;
    let state = DesiredState { node, generation, issued_at: app.clock.now(), resources };
    let bytes = serde_json::to_vec(&state).map_err(|error| Fault::Broken(error.to_string()))?;
    Ok(DesiredAnswer { state: Some(app.ring.held().signer().sign(DESIRED, &bytes)) })
}

/// The node has accepted a generation that this hub never gave: the hub was restored from a backup. What it has gets a
/// number above that.
async fn take_over(app: &Shared, caller: &NodeCaller, after: u64) -> Result<(), Fault> {
    let (node, now) = (caller.node, app.clock.now());
    app.store.write(move |tx| Box::pin(async move { pins::raise_to(tx, node, after + 1, now).await })).await?;
    app.desired.generations.forget(node);
    tracing::warn!(%node, after, "A node has accepted a generation that this hub never gave: was it restored?");
    Ok(())
}

/// The values of the secrets to which resources refer.
async fn values_of(
    tx: &mut Tx,
    app: &App,
    pins: &PinsRow,
    resources: &Resources,
) -> Result<HashMap<String, Vec<u8>>, Fault> {
    let mut values = HashMap::new();
    for reference in resources.values().flat_map(|resource| references(&resource.spec)) {
        let Reference::To(name) = reference else { continue };
        if values.contains_key(&name) {
            continue;
        }
        if let Some(row) = secrets::get(tx, pins.org, &name).await? {
            values.insert(name, open(app, &row)?);
        }
    }
    Ok(values)
}

/// The resources with each secret sealed for its place. A reference to one that there is not stays as it is; the
/// resource fails at the node, and says why.
fn sealed(
    to: &SealTo,
    pins: &PinsRow,
    mut resources: Resources,
    values: &HashMap<String, Vec<u8>>,
) -> Result<Resources, Fault> {
    for (key, resource) in &mut resources {
        let put = |pointer: &str, name: &str| -> Result<Value, Fault> {
            let Some(value) = values.get(name) else { return Ok(json!({ SECRET: name })) };
            let place = Place { node: pins.node, generation: pins.generation, resource: key, pointer };
            let sealed = seal(to, &place, value)
                .map_err(|error| refuse(ProblemCode::MalformedParameter, format!("seal_to: {error}.")))?;
            Ok(json!({ SEALED: sealed }))
        };
        resource.spec = fields(&resource.spec, "", &put)?;
    }
    Ok(resources)
}

/// The fields with each reference replaced by what `put` gives for its place and name.
fn fields(
    spec: &Map<String, Value>,
    pointer: &str,
    put: &impl Fn(&str, &str) -> Result<Value, Fault>,
) -> Result<Map<String, Value>, Fault> {
    let step = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    spec.iter().map(|(name, value)| Ok((name.clone(), replaced(value, &step(name), put)?))).collect()
}

fn replaced(value: &Value, pointer: &str, put: &impl Fn(&str, &str) -> Result<Value, Fault>) -> Result<Value, Fault> {
    match value {
        Value::Object(inner) => match (inner.get(SECRET), inner.len()) {
            (Some(Value::String(name)), 1) => put(pointer, name),
            _ => fields(inner, pointer, put).map(Value::Object),
        },
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let put = |(at, item): (usize, &Value)| replaced(item, &format!("{pointer}/{at}"), put);
            items.map(put).collect::<Result<_, _>>().map(Value::Array)
        }
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_rules::time::Millis;
    use sortie_wire::sealing::OpeningKey;
    use uuid::Uuid;

    #[test]
    fn each_secret_is_sealed_for_the_place_where_it_stands() {
        let node = Id::from_uuid(Uuid::from_u128(1));
        let pins = PinsRow {
            node,
            org: Id::from_uuid(Uuid::from_u128(2)),
            site: None,
            generation: 7,
            org_revision: 1,
            site_revision: 0,
            node_revision: 0,
            changed_at: Millis(0),
        };
        let spec = json!({"a/b": [{"key": {"$secret": "wifi"}}], "gone": {"$secret": "gone"}, "plain": "x"});
        let state = json!({"resources": {"command/a": {"spec": spec}}});
        let resources = sortie_rules::desired::read(&state).unwrap();
        let key = OpeningKey::generate();
        let values = HashMap::from([("wifi".to_owned(), b"geese".to_vec())]);
        let resources = sealed(key.seal_to(), &pins, resources, &values).unwrap();
        let (name, resource) = resources.first_key_value().unwrap();
        let spec = Value::Object(resource.spec.clone());
        assert!(!spec.to_string().contains("geese"));
        assert_eq!(spec["gone"], json!({"$secret": "gone"}));
        let pointer = "/a~1b/0/key";
        let sealed = serde_json::from_value(spec.pointer(pointer).unwrap()[SEALED].clone()).unwrap();
        let place = Place { node, generation: 7, resource: name, pointer };
        assert_eq!(key.open(&place, &sealed).unwrap(), b"geese");
    }
}
