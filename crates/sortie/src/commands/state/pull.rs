//! `sortie state pull`: take what a node really runs over into the draft of its layer. The hub writes no intent because
//! of a fact; this reads facts and writes a draft, as a person would.

use clap::Args;
use serde_json::{Map, Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::{Condition, Layer, LayerName, merge};
use sortie_wire::desired::{DiffQuery, NodeDesired};

use super::diff::tell;
use super::differences::lines;
use super::publish::draft;
use crate::context::Context;
use crate::exit::Done;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie state pull box-7\n\
                        Each resource that is otherwise at the node is written into the draft of its layer as it is \
                        there, as far as the agent tells. Nothing is published.")]
pub(super) struct Pull {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
}

/// Writes the draft and shows what it changes.
pub(super) async fn run(pull: Pull, hub: &Hub, context: &Context) -> Done {
    let output = context.output;
    let desired = hub.node_desired(&pull.node).await?;
    let layer = LayerName { layer: Layer::Node, of: desired.node_name.clone() };
    let found = found(&desired);
    let mut shown = hub.layer(&layer).await?;
    if found.is_empty() {
        output.say("Nothing is otherwise at the node, as far as its agent tells.");
        return if output.json() { output.value(&shown) } else { Ok(()) };
    }
    let before = shown.draft.as_ref().map_or(&shown.state, |draft| &draft.state);
    let state = over(before, &found);
    let after = draft(hub, &layer, &mut shown, state, context).await?;
    let diff = hub.layer_diff(&layer, &DiffQuery::default()).await?;
    output.either(&after, |_| {
        tell(&diff, context);
        output.lines(lines(&diff.changes, output.colours()))?;
        let publish = context.next_command(&format!("state publish {layer} -m SENTENCE"));
        output.say(&format!("It is a draft. `{publish}` publishes it, `sortie state discard {layer}` throws it away."));
        Ok(())
    })
}

/// What is otherwise at the node, with how it should be.
fn found(desired: &NodeDesired) -> Vec<(&Condition, Map<String, Value>)> {
    let conditions = desired.observed.iter().flat_map(|found| &found.observed.conditions);
    conditions
        .filter_map(|condition| {
            let actual = condition.actual.as_ref().filter(|actual| !actual.is_empty())?;
            let wanted = desired.state["resources"][condition.resource.to_string()]["spec"].as_object();
            Some((condition, taken_over(actual, wanted)))
        })
        .collect()
}

/// The spec to write: what is there; and of something that is not there, nothing that only fits what is.
fn taken_over(actual: &Map<String, Value>, wanted: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut spec = actual.clone();
    if actual.get("ensure") == Some(&json!("absent")) {
        for name in wanted.into_iter().flat_map(Map::keys).filter(|name| !["path", "ensure"].contains(&name.as_str())) {
            spec.insert(name.clone(), Value::Null);
        }
    }
    if actual.contains_key("content") && wanted.is_some_and(|wanted| wanted.contains_key("content_base64")) {
        spec.insert("content_base64".to_owned(), Value::Null);
    }
    spec
}

/// The layer with these on top of it. What removes something in it stays, since it removes from the layers below.
fn over(before: &Value, found: &[(&Condition, Map<String, Value>)]) -> Value {
    let mut state = before.clone();
    if !state.is_object() {
        state = merge([]);
    }
    for (condition, spec) in found {
        let resource = &mut state["resources"][condition.resource.to_string()]["spec"];
        for (name, value) in spec {
            resource[name.as_str()] = value.clone();
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::desired::ConditionStatus;
    use sortie_rules::time::Millis;

    fn spec(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn what_is_there_is_written_over_the_layer_and_what_is_gone_leaves_nothing_behind() {
        let condition = Condition {
            resource: "file/motd".parse().unwrap(),
            status: ConditionStatus::Drifted,
            reason: None,
            message: None,
            since: Millis(0),
            applied_at: None,
            actual: None,
        };
        let before = json!({"resources": {"file/motd": {"spec": {"mode": "0600"}}, "file/x": null}});
        let after = over(&before, &[(&condition, spec(json!({"content": "as it is"})))]);
        let expected =
            json!({"resources": {"file/motd": {"spec": {"mode": "0600", "content": "as it is"}}, "file/x": null}});
        assert_eq!(after, expected);
        let wanted = spec(json!({"path": "/m", "content": "x", "mode": "0644"}));
        let gone = taken_over(&spec(json!({"ensure": "absent"})), Some(&wanted));
        assert_eq!(Value::Object(gone), json!({"ensure": "absent", "content": null, "mode": null}));
        assert_eq!(
            over(&Value::Null, &[(&condition, spec(json!({"mode": "0644"})))])["resources"]["file/motd"]["spec"],
            json!({"mode": "0644"})
        );
    }
}
