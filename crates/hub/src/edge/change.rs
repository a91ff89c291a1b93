//! Makes, puts and removes single rules of a zone. None of it names a rule that is not to be changed.

use axum::http::Method;
use serde_json::{Value, json};
use sortie_rules::enforcement::{EdgeChange, EdgeRule, Failure};

use super::call::{Edge, Ended, failure};
use super::look::{ACTION, PHASE, Ruleset};

/// Makes these changes to a zone, one after the other. What is done already when one of them fails stays done; whoever
/// looks again sees it.
pub(crate) async fn change(
    edge: &Edge,
    token: &str,
    zone: &str,
    ruleset: &Ruleset,
    changes: &[EdgeChange],
) -> Result<(), Failure> {
    for change in changes {
        one(edge, token, zone, ruleset, change).await?;
    }
    Ok(())
}

async fn one(edge: &Edge, token: &str, zone: &str, ruleset: &Ruleset, change: &EdgeChange) -> Result<(), Failure> {
    let rulesets = format!("/zones/{zone}/rulesets");
    let ended = match (change, &ruleset.id) {
        (EdgeChange::Make(rule), None) => {
            // Refused if somebody has made one meanwhile, so that nothing of theirs is written over.
            let body = json!({ "name": "default", "kind": "zone", "phase": PHASE, "rules": [text(rule)] });
            edge.call("make", Method::POST, &rulesets, token, Some(&body)).await?
        }
        (EdgeChange::Make(rule), Some(id)) => {
            let path = format!("{rulesets}/{id}/rules");
            edge.call("make", Method::POST, &path, token, Some(&text(rule))).await?
        }
        (EdgeChange::Put(rule_id, rule), Some(id)) => {
            let path = format!("{rulesets}/{id}/rules/{rule_id}");
            edge.call("put", Method::PATCH, &path, token, Some(&text(rule))).await?
        }
        (EdgeChange::Remove(rule_id), Some(id)) => {
            let path = format!("{rulesets}/{id}/rules/{rule_id}");
            match edge.call("remove", Method::DELETE, &path, token, None).await? {
                Ended::Missing(_) => return Ok(()),
                ended @ Ended::Done(_) => ended,
            }
        }
        (EdgeChange::Put(..) | EdgeChange::Remove(_), None) => return Ok(()),
    };
    match ended {
        Ended::Done(_) => Ok(()),
        Ended::Missing(_) => Err(failure("edge_refused", "somebody changes the same rules at the edge".to_owned())),
    }
}

fn text(rule: &EdgeRule) -> Value {
    json!({
        "ref": rule.mark, "expression": rule.expression, "description": rule.description, "action": ACTION,
        "enabled": true,
    })
}
