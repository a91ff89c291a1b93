//! Reads the rules of a zone.

use axum::http::Method;
use serde::Deserialize;
use sortie_rules::enforcement::{EdgeRule, Failure, FoundRule};

use super::call::{Edge, Ended, failure};

/// The phase in which rules of a zone's owner come.
pub(super) const PHASE: &str = "http_request_firewall_custom";
/// What rules of ours do to whom they mean.
pub(super) const ACTION: &str = "block";
/// The number by which the edge says that nobody has made a rule in this phase yet.
const NO_RULESET: i64 = 10_003;

/// The rules of a zone.
#[derive(Debug, Default)]
pub(crate) struct Ruleset {
    /// What the edge calls it; nothing: nobody has made a rule yet.
    pub(super) id: Option<String>,
    /// All of them, whosever they are.
    pub(crate) rules: Vec<FoundRule>,
}

#[derive(Deserialize)]
struct RulesetText {
    id: String,
    #[serde(default)]
    rules: Vec<RuleText>,
}

#[derive(Deserialize)]
struct RuleText {
    id: String,
    #[serde(rename = "ref", default)]
    mark: String,
    #[serde(default)]
    expression: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    action: String,
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// Reads the rules of a zone. Its id was checked by whoever read the spec.
pub(crate) async fn look(edge: &Edge, token: &str, zone: &str) -> Result<Ruleset, Failure> {
    let path = format!("/zones/{zone}/rulesets/phases/{PHASE}/entrypoint");
    let answer = match edge.call("look", Method::GET, &path, token, None).await? {
        Ended::Done(answer) => answer,
        Ended::Missing(codes) if codes.contains(&NO_RULESET) => return Ok(Ruleset::default()),
        Ended::Missing(_) => return Err(failure("zone_unknown", format!("there is no zone {zone} at the edge"))),
    };
    let text: Option<RulesetText> = serde_json::from_value(answer.result).ok();
    let text = text.filter(|text| is_id(&text.id) && text.rules.iter().all(|rule| is_id(&rule.id)));
    let Some(text) = text else {
        return Err(failure("edge_unreadable", "the edge answers in a form that is not its own".to_owned()));
    };
    let found = |rule: RuleText| FoundRule {
        is_at_work: rule.enabled && rule.action == ACTION,
        rule: EdgeRule { mark: rule.mark, expression: rule.expression, description: rule.description },
        id: rule.id,
    };
    Ok(Ruleset { id: Some(text.id), rules: text.rules.into_iter().map(found).collect() })
}

/// Whether it can stand in an address.
fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}
