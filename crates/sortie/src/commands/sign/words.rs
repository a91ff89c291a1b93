//! What is about to be signed, in plain words, and how it differs from the last time.

use similar::{ChangeTag, TextDiff};
use sortie_rules::plain::plain;
use sortie_rules::time::Millis;
use sortie_wire::operations::{Operation, Statement, Target};

use crate::commands::op::pretty;
use crate::output::{Colours, ago, details, moment};

/// What is told.
#[derive(Debug)]
pub(super) struct Told<'t> {
    pub(super) operation: &'t Operation,
    pub(super) statement: &'t Statement,
    /// The last of its type that was carried out at the node.
    pub(super) last: Option<&'t Operation>,
    /// For which node the name stood when something was last signed for it here.
    pub(super) known: Option<&'t Target>,
    pub(super) now: Millis,
}

/// The lines.
pub(super) fn words(told: &Told<'_>, colours: Colours) -> Vec<String> {
    let Told { operation, statement, now, .. } = *told;
    let mut lines = vec![String::new(), plain(&format!("{} at `{}`", statement.op, operation.node_name))];
    let signed: Vec<&str> =
        operation.signed_by.iter().map(|by| by.name.as_deref().unwrap_or(by.key_id.as_str())).collect();
    let signed = if signed.is_empty() { "nobody yet".to_owned() } else { signed.join(", ") };
    let mut rows = vec![
        ("operation", operation.id.to_string()),
        ("proposed", format!("{} by {}", ago(now, operation.proposed_at), operation.proposed_by)),
    ];
    rows.extend(operation.reason.clone().map(|reason| ("reason", reason)));
    rows.push(("node", statement.target.node.to_string()));
    rows.push(("node's key", statement.target.key.clone()));
    rows.push(("until", moment(now, statement.expires_at)));
    rows.push(("signed by", format!("{signed}; {} wanted", operation.signatures)));
    rows.push(("payload", pretty(&statement.params)));
    lines.extend(details(&rows, colours).into_iter().map(|line| format!("  {line}")));
    lines.extend(about_the_node(told));
    lines.extend(difference(told));
    lines
}

/// Whether the name stands for the node that it stood for.
fn about_the_node(told: &Told<'_>) -> Option<String> {
    let (name, target) = (plain(&told.operation.node_name), &told.statement.target);
    match told.known {
        None => Some(format!(
            "  You sign for `{name}` for the first time here; that the name is this node's is the hub's word."
        )),
        Some(known) if known == target => None,
        Some(known) if known.node == target.node => {
            Some(format!("  CAUTION: `{name}` has another key than when you last signed for it: it enrolled anew."))
        }
        Some(known) => Some(format!(
            "  CAUTION: when you last signed for `{name}`, it was another node ({}). Ask before you sign.",
            known.node
        )),
    }
}

/// How the payload differs from the last one that was carried out there.
fn difference(told: &Told<'_>) -> Vec<String> {
    let Some((last, before)) = told.last.and_then(|last| Some((last, pretty(last.payload.as_deref()?)))) else {
        return vec!["  Nothing of this type was carried out at this node yet.".to_owned()];
    };
    let after = pretty(&told.statement.params);
    let when = ago(told.now, last.proposed_at);
    if before == after {
        return vec![format!("  The same as the last that was carried out there (proposed {when}).")];
    }
    let mut lines = vec![format!("  Against the last that was carried out there (proposed {when}):")];
    for change in TextDiff::from_lines(&before, &after).iter_all_changes() {
        let mark = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        let line = plain(change.value().trim_end_matches('\n'));
        lines.push(format!("    {mark} {line}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_rules::time::Span;
    use sortie_wire::operations::OperationStatus;
    use uuid::Uuid;

    fn operation(payload: &str) -> Operation {
        Operation {
            id: Id::from_uuid(Uuid::from_u128(1)),
            type_name: "service.restart".into(),
            target: Target { node: Id::from_uuid(Uuid::from_u128(2)), key: "aa".into() },
            node_name: "box-17".into(),
            status: OperationStatus::AwaitingSignature,
            reason: Some("it hangs\u{1b}[2J".into()),
            signatures: 2,
            signed_by: Vec::new(),
            valid_for: Span::days(1),
            proposed_by: "ada".into(),
            proposed_at: Millis(0),
            ends_at: Millis(9),
            ended_at: None,
            code: None,
            message: None,
            payload: Some(serde_json::value::RawValue::from_string(payload.into()).unwrap()),
            envelope: None,
        }
    }

    fn told(operation: &Operation, last: Option<&Operation>, known: Option<&Target>) -> String {
        let drawn = super::super::statement::Drawn { nonce: "0".repeat(32), now: Millis(1000), key_id: "k".into() };
        let (statement, _) = super::super::statement::statement(operation, drawn).unwrap();
        let told = Told { operation, statement: &statement, last, known, now: Millis(1000) };
        words(&told, Colours::new(false, None, None)).join("\n")
    }

    #[test]
    fn what_changed_since_the_last_time_is_seen() {
        let (now, before) = (operation(r#"{"service":"nginx"}"#), operation(r#"{"service":"apache2"}"#));
        let text = told(&now, Some(&before), None);
        assert!(text.contains("- \"service\": \"apache2\"") || text.contains("-   \"service\": \"apache2\""), "{text}");
        assert!(text.contains("+   \"service\": \"nginx\""), "{text}");
        assert!(told(&now, Some(&now), None).contains("The same as the last"));
        assert!(told(&now, None, None).contains("Nothing of this type"));
        assert!(!text.contains('\u{1b}'), "what a terminal would obey is left out");
    }

    #[test]
    fn nothing_looks_like_something_else_before_it_is_signed() {
        // It would read `restart web`, `/srv/box` and the same as before.
        let mut now = operation(r#"{"path":"/srv/\u202exob","service":"ng\u200binx"}"#);
        now.node_name = "box\u{2066}-17\u{1b}[8m".into();
        now.reason = Some("\u{202e}bew tratser".into());
        let before = operation(r#"{"path":"/srv/box","service":"nginx"}"#);
        let text = told(&now, Some(&before), None);
        assert!(!text.chars().any(|c| c == '\u{1b}' || sortie_rules::plain::is_unseen(c)), "{text:?}");
        for seen in ["/srv/\u{fffd}xob", "ng\u{fffd}inx", "box\u{fffd}-17 [8m", "\u{fffd}bew tratser"] {
            assert!(text.contains(seen), "{seen}: {text}");
        }
        assert!(text.contains("-   \"service\": \"nginx\"") && text.contains("+   \"service\": \"ng\u{fffd}inx\""));
    }

    #[test]
    fn a_name_that_stands_for_another_node_than_before_is_told() {
        let now = operation("{}");
        assert!(told(&now, None, None).contains("for the first time"));
        let same = now.target.clone();
        assert!(!told(&now, None, Some(&same)).contains("CAUTION"));
        let other_key = Target { key: "bb".into(), ..same.clone() };
        assert!(told(&now, None, Some(&other_key)).contains("enrolled anew"));
        let other = Target { node: Id::from_uuid(Uuid::from_u128(9)), ..same };
        assert!(told(&now, None, Some(&other)).contains("it was another node"));
    }
}
