//! How differences of two states look.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use sortie_rules::desired::{Change, ResourceChange};
use sortie_rules::plain::plain;

use crate::output::Colours;

/// How the hub tells of a resource that a layer takes out of those below it.
const REMOVED: &str = "/spec/$removed";

/// The lines of a diff. Texts of several lines are compared line by line.
pub(super) fn lines(changes: &[ResourceChange], colours: Colours) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let key = &change.resource;
        if matches!(change.fields.as_slice(), [only] if only.pointer == REMOVED) {
            lines.push(colours.bad(&format!("- {key}  (taken out of what the layers below say)")));
            continue;
        }
        lines.push(match change.change {
            Change::Added => colours.good(&format!("+ {key}")),
            Change::Removed => colours.bad(&format!("- {key}  (nodes leave it as it is, and look after it no more)")),
            Change::Changed => colours.fair(&format!("~ {key}")),
        });
        for field in &change.fields {
            let (from, to) = (field.from.as_ref().map(text), field.to.as_ref().map(text));
            // Keys of data stand in it, and those may come from a node.
            lines.push(format!("    {}", plain(&field.pointer)));
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
    use sortie_rules::desired::FieldChange;

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
            "- file/gone  (nodes leave it as it is, and look after it no more)",
        ];
        assert_eq!(shown, expected);
    }
}
