//! How differences of two states look.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use sortie_rules::desired::{Change, ResourceChange};
use sortie_rules::plain::plain;

use crate::output::Colours;

/// How the hub tells of a resource that a layer takes out of those below it.
const REMOVED: &str = "/spec/$removed";
const TAKEN_OUT: &str = "taken out of what the layers below say";
/// What comes of a resource that a layer names no more. Whether another one does, a diff of this one does not know.
const NO_MORE: &str = "this layer names it no more: nodes get what other layers say of it, and where none does, leave \
                       it as it is and look after it no more";

/// The lines of a diff. Texts of several lines are compared line by line.
pub(super) fn lines(changes: &[ResourceChange], colours: Colours) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let key = &change.resource;
        let taken_out = change.fields.iter().find(|field| field.pointer == REMOVED);
        if taken_out.is_some_and(|field| field.to.is_some()) {
            // What stood in the layer until now goes with it.
            lines.push(colours.bad(&format!("- {key}  ({TAKEN_OUT})")));
            continue;
        }
        lines.push(match (change.change, taken_out) {
            (_, Some(_)) => colours.fair(&format!("~ {key}  (not taken out of what the layers below say any more)")),
            (Change::Added, None) => colours.good(&format!("+ {key}")),
            (Change::Removed, None) => colours.bad(&format!("- {key}  ({NO_MORE})")),
            (Change::Changed, None) => colours.fair(&format!("~ {key}")),
        });
        for field in change.fields.iter().filter(|field| field.pointer != REMOVED) {
            // Keys of data stand in it, and those may come from a node.
            lines.push(format!("    {}", plain(&field.pointer)));
            if field.to == Some(Value::Null) && field.pointer.starts_with("/spec/") {
                let gone = field.from.as_ref().map(text);
                lines.extend(values(gone.as_deref(), None, colours));
                lines.push(colours.bad(&format!("      - ({TAKEN_OUT})")));
                continue;
            }
            let (from, to) = (field.from.as_ref().map(text), field.to.as_ref().map(text));
            lines.extend(values(from.as_deref(), to.as_deref(), colours));
        }
    }
    lines
}

fn values(from: Option<&str>, to: Option<&str>, colours: Colours) -> Vec<String> {
    let diff = TextDiff::from_lines(from.unwrap_or_default(), to.unwrap_or_default());
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    changes
        .map(|change| {
            // What a terminal would obey is left out.
            let line = plain(change.value().trim_end_matches('\n'));
            match change.tag() {
                ChangeTag::Delete => colours.bad(&format!("      - {line}")),
                _ => colours.good(&format!("      + {line}")),
            }
        })
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sortie_rules::desired::{FieldChange, layers_differ};

    #[test]
    fn a_text_of_many_lines_shows_the_lines_that_changed() {
        let field = |pointer: &str, from: Option<Value>, to: Option<Value>| FieldChange {
            pointer: pointer.to_owned(),
            from,
            to,
        };
        let resource = |name: &str| format!("file/{name}").parse().unwrap();
        let changes = [
            ResourceChange {
                resource: resource("motd"),
                change: Change::Changed,
                fields: vec![
                    field("/spec/content", Some("one\ntwo\n".into()), Some("one\n2\u{1b}[2J\n".into())),
                    field("/spec/mode", None, Some("0600".into())),
                    field("/spec/data/\u{1b}]0;x\u{7}\u{9b}y", None, Some(1.into())),
                ],
            },
            ResourceChange { resource: resource("gone"), change: Change::Removed, fields: Vec::new() },
        ];
        let shown = lines(&changes, Colours::new(false, None, None));
        let expected = [
            "~ file/motd",
            "    /spec/content",
            "      - two",
            "      + 2 [2J",
            "    /spec/mode",
            "      + 0600",
            "    /spec/data/ ]0;x  y",
            "      + 1",
            &format!("- file/gone  ({NO_MORE})"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_a_layer_takes_out_of_those_below_is_shown_as_taken_out() {
        let differ = |from: Value, to: Value| {
            let state = |resources: Value| json!({ "resources": resources });
            lines(&layers_differ(&state(from), &state(to)), Colours::new(false, None, None))
        };
        let file = || json!({"file/a": {"spec": {"path": "/a", "mode": "0600"}}});
        let out = ["- file/a  (taken out of what the layers below say)"];
        assert_eq!(differ(json!({}), json!({"file/a": null})), out);
        assert_eq!(differ(file(), json!({"file/a": null})), out, "and what it said goes with it");
        let back = differ(json!({"file/a": null}), file());
        assert_eq!(back[0], "~ file/a  (not taken out of what the layers below say any more)");
        assert!(back.contains(&"      + /a".to_owned()) && !back.join("\n").contains("$removed"), "{back:?}");
        assert_eq!(differ(json!({"file/a": null}), json!({})), [format!("- file/a  ({NO_MORE})")]);
        let field = differ(file(), json!({"file/a": {"spec": {"path": "/a", "mode": null}}}));
        let expected =
            ["~ file/a", "    /spec/mode", "      - 0600", "      - (taken out of what the layers below say)"];
        assert_eq!(field, expected);
    }
}
