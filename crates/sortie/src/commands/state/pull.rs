//! `sortie state pull`: take what a node really runs over into the draft of its layer. The hub writes no intent because
//! of a fact; this reads facts and writes a draft, as a person would.

use clap::Args;
use serde_json::{Map, Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::{Condition, Format, Layer, LayerName, ResourceKey, merge, references};
use sortie_rules::plain::plain;
use sortie_wire::desired::{DiffQuery, NodeDesired};

use super::diff::tell;
use super::differences::lines;
use super::parsing::parse;
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
    let Found { specs: found, left } = found(&desired);
    for (resource, why) in &left {
        output.say(&not_taken_over(resource, why));
    }
    let mut shown = hub.layer(&layer).await?;
    if found.is_empty() {
        if left.is_empty() {
            output.say("Nothing is otherwise at the node, as far as its agent tells.");
        }
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

/// The sentence, without what a terminal would obey: the reason may name what stands in a file of the node.
fn not_taken_over(resource: &ResourceKey, why: &str) -> String {
    format!("{resource} is not taken over: {}.", plain(why))
}

/// What is otherwise at the node.
#[derive(Default)]
struct Found<'d> {
    /// What to write, for each resource.
    specs: Vec<(&'d Condition, Map<String, Value>)>,
    /// What cannot be taken over, and why.
    left: Vec<(&'d ResourceKey, String)>,
}

fn found(desired: &NodeDesired) -> Found<'_> {
    let mut found = Found::default();
    let conditions = desired.observed.iter().flat_map(|found| &found.observed.conditions);
    for condition in conditions {
        let wanted = desired.state["resources"][condition.resource.to_string()]["spec"].as_object();
        let actual = condition.actual.as_ref().filter(|actual| !actual.is_empty());
        if is_untold(condition, wanted) {
            let why = "the agent does not tell what it holds: there is something secret in it, or it is too large";
            found.left.push((&condition.resource, why.to_owned()));
        }
        let Some(actual) = actual else { continue };
        match taken_over(actual, wanted) {
            Ok(spec) => found.specs.push((condition, spec)),
            Err(why) => found.left.push((&condition.resource, why)),
        }
    }
    found
}

/// Whether it is a file that holds something else than its data, and nobody says what.
fn is_untold(condition: &Condition, wanted: Option<&Map<String, Value>>) -> bool {
    let is_data = wanted.is_some_and(|wanted| wanted.contains_key("data"));
    let is_told = condition.actual.as_ref().is_some_and(|actual| actual.contains_key("content"));
    let is_otherwise = condition.message.as_deref().is_some_and(|message| message.contains("its content"));
    is_data && is_otherwise && !is_told
}

/// The spec to write: what is there; and of something that is not there, nothing that only fits what is. What it says
/// of data is what differs.
fn taken_over(actual: &Map<String, Value>, wanted: Option<&Map<String, Value>>) -> Result<Map<String, Value>, String> {
    let mut spec = actual.clone();
    if !references(actual).is_empty() {
        return Err("what is there looks like a reference to a secret".to_owned());
    }
    if let (Some(Value::String(text)), Some(data)) = (actual.get("content"), wanted.and_then(|all| all.get("data"))) {
        let format = wanted.and_then(|wanted| wanted.get("format")).and_then(Value::as_str).and_then(Format::parse);
        let there = parse(text, format.ok_or("its `format` is none")?)?;
        spec.remove("content");
        if let Some(difference) = difference(data, &there) {
            spec.insert("data".to_owned(), difference);
        } else if spec.is_empty() {
            return Err("it holds the same data, written otherwise; publishing the same changes nothing".to_owned());
        }
    }
    if actual.get("ensure") == Some(&json!("absent")) {
        for name in wanted.into_iter().flat_map(Map::keys).filter(|name| !["path", "ensure"].contains(&name.as_str())) {
            spec.insert(name.clone(), Value::Null);
        }
    }
    if actual.contains_key("content") && wanted.is_some_and(|wanted| wanted.contains_key("content_base64")) {
        spec.insert("content_base64".to_owned(), Value::Null);
    }
    Ok(spec)
}

/// What must be said over `from` so that `to` comes out: fields that differ, and `null` for those that are gone.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    match (from, to) {
        (from, to) if from == to => None,
        (Value::Object(from), Value::Object(to)) => {
            let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null));
            let others = to.iter().filter_map(|(name, value)| match from.get(name) {
                Some(before) => Some((name.clone(), difference(before, value)?)),
                None => Some((name.clone(), value.clone())),
            });
            Some(Value::Object(gone.chain(others).collect()))
        }
        (_, to) => Some(to.clone()),
    }
}

/// Says this over what a layer says already, field by field in objects.
fn say_over(before: &mut Value, with: &Value) {
    match (before, with) {
        (Value::Object(before), Value::Object(with)) => {
            for (name, value) in with {
                say_over(before.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (before, with) => *before = with.clone(),
    }
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
            say_over(&mut resource[name.as_str()], value);
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
    fn of_data_the_fields_that_differ_are_taken_over_and_said_over_the_layer() {
        let wanted = spec(json!({
            "path": "/m", "format": "yaml", "data": {"port": 80, "deep": {"a": 1, "b": 2}, "list": [1, 2]},
        }));
        let there = spec(json!({"content": "port: 81\ndeep: {b: 2, c: {d: 3}}\nlist: [1]\n"}));
        let taken = taken_over(&there, Some(&wanted)).unwrap();
        let patch = json!({"port": 81, "deep": {"a": null, "c": {"d": 3}}, "list": [1]});
        assert_eq!(Value::Object(taken.clone()), json!({ "data": patch }));
        let mut layer = json!({"data": {"port": 8080, "deep": {"x": null}}});
        say_over(&mut layer, &Value::Object(taken));
        let expected = json!({"data": {"port": 81, "deep": {"x": null, "a": null, "c": {"d": 3}}, "list": [1]}});
        assert_eq!(layer, expected);
        for (text, why) in [
            ("port: [", "no YAML any more"),
            ("port: 80\ndeep: {a: 1, b: 2}\nlist: [1, 2]", "written otherwise"),
            ("port: {$secret: x}", "refers to a secret"),
        ] {
            let refusal = taken_over(&spec(json!({ "content": text })), Some(&wanted)).unwrap_err();
            assert!(refusal.contains(why), "{refusal}");
        }
        assert!(taken_over(&spec(json!({"content": {"$secret": "x"}})), None).is_err());
    }

    #[test]
    fn a_node_says_nothing_to_the_terminal_of_whoever_pulls() {
        let wanted = spec(json!({"path": "/m", "format": "yaml", "data": {}}));
        let told = |text: &str| {
            let why = taken_over(&spec(json!({ "content": text })), Some(&wanted)).unwrap_err();
            assert!(why.contains('\u{1b}'), "{why:?}");
            not_taken_over(&"file/box".parse().unwrap(), &why)
        };
        for text in ["\"\\e[2J\\x9b\": 1\n\"\\e[2J\\x9b\": 2", "\"\\e[2J\": null", "\"\\e]0;x\\a\": 0644"] {
            let line = told(text);
            assert!(line.starts_with("file/box is not taken over: ") && !line.contains(char::is_control), "{line:?}");
        }
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
        let gone = taken_over(&spec(json!({"ensure": "absent"})), Some(&wanted)).unwrap();
        assert_eq!(Value::Object(gone), json!({"ensure": "absent", "content": null, "mode": null}));
        assert_eq!(
            over(&Value::Null, &[(&condition, spec(json!({"mode": "0644"})))])["resources"]["file/motd"]["spec"],
            json!({"mode": "0644"})
        );
    }
}
