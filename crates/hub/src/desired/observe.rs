//! Hears how a node stands to what it should be. Facts: nothing here writes what is meant.

use std::collections::BTreeSet;

use serde_json::json;
use sortie_rules::desired::{Condition, Meant, Standing, Told, stands};
use sortie_rules::limits::{CONDITION_MESSAGE_BYTES_MAX, GENERATION_MAX, NAME_BYTES_MAX, RESOURCES_MAX};
use sortie_rules::redaction::redact;
use sortie_rules::tasks::Code;
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::desired::pins;
use sortie_wire::desired::Observed;
use sortie_wire::problem::ProblemCode;

use super::merged;
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse_at};
use crate::http::NodeCaller;

/// Keeps what a node says, and tells of it where it came to stand otherwise.
pub(super) async fn observe(app: &Shared, caller: &NodeCaller, said: Observed) -> Result<(), Fault> {
    let said = in_shape(said)?;
    let (node, org, now) = (caller.node, caller.org, app.clock.now());
    let (shared, name) = (app.clone(), caller.name().to_owned());
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let mut said = said;
                let pins = pins::get(tx, node).await?;
                let meant = pins.as_ref().map_or(0, |pins| pins.generation);
                let mut known = BTreeSet::new();
                if let Some(pins) = pins.filter(|pins| pins.generation == said.generation) {
                    known = merged::keys(tx, &shared, &pins).await?;
                    said.conditions.retain(|one| known.contains(&one.resource));
                }
                let refused = said.refused.as_ref().map(|refused| refused.generation);
                let policy_is_usable = said.policy_unusable.is_none();
                let (generation, conditions) = (said.generation, &said.conditions[..]);
                let told = Told { generation, refused, conditions, policy_is_usable };
                let now_stands = stands(&told, Meant { generation: meant, resources: known.len() });
                let before = observed::standing(tx, node).await?.map(|(_, standing)| standing);
                let document = serde_json::to_string(&said).map_err(|error| Fault::Broken(error.to_string()))?;
                let row = ObservedRow { node, org, generation, standing: now_stands, document, heard_at: now };
                observed::put(tx, &row).await?;
                let kind = match now_stands {
                    Standing::Converged => "desired.converged",
                    Standing::Drifted => "desired.drifted",
                    Standing::Failing => "desired.failing",
                    Standing::Converging => return Ok(()),
                };
                if before != Some(now_stands) {
                    let mut data = json!({ "generation": generation });
                    if !policy_is_usable {
                        data["reason"] = json!(Code::POLICY_UNUSABLE);
                    }
                    events::record(tx, Record::new(org, now, kind, &name).node(node).data(&data)).await?;
                }
                Ok::<_, Fault>(())
            })
        })
        .await?;
    app.desired.nudge();
    Ok(())
}

/// What a node says, without what is too long in it.
fn in_shape(mut said: Observed) -> Result<Observed, Fault> {
    let invalid = |at: &str, detail: String| Err(refuse_at(ProblemCode::FieldInvalid, at, detail));
    if said.generation > GENERATION_MAX {
        return invalid("/generation", format!("A generation is at most {GENERATION_MAX}."));
    }
    if said.conditions.len() > RESOURCES_MAX {
        return invalid("/conditions", format!("A node has at most {RESOURCES_MAX} resources."));
    }
    let mut seen = BTreeSet::new();
    for (at, Condition { resource, reason, message, .. }) in said.conditions.iter_mut().enumerate() {
        if !seen.insert(resource.clone()) {
            return invalid(&format!("/conditions/{at}/resource"), format!("`{resource}` is there twice."));
        }
        reason.as_mut().into_iter().for_each(|reason| cut(reason, NAME_BYTES_MAX));
        message.as_mut().into_iter().for_each(|message| cut(message, CONDITION_MESSAGE_BYTES_MAX));
    }
    if let Some(refused) = &mut said.refused {
        cut(&mut refused.code, NAME_BYTES_MAX);
        cut(&mut refused.message, CONDITION_MESSAGE_BYTES_MAX);
    }
    if let Some(policy) = &mut said.policy_unusable {
        // It stands in tables and on terminals.
        policy.message = redact(&policy.message).chars().map(plain).collect();
        cut(&mut policy.message, CONDITION_MESSAGE_BYTES_MAX);
    }
    Ok(said)
}

fn plain(letter: char) -> char {
    if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sortie_rules::time::Millis;
    use sortie_wire::desired::PolicyUnusable;

    fn said(generation: u64, status: &str) -> Observed {
        let condition = json!({ "resource": "file/a", "status": status, "since": 1 });
        serde_json::from_value(json!({ "generation": generation, "conditions": [condition] })).unwrap()
    }

    #[test]
    fn what_is_too_long_is_cut_and_what_is_there_twice_is_refused() {
        let mut long = said(1, "failed");
        long.conditions[0].message = Some("ä".repeat(CONDITION_MESSAGE_BYTES_MAX));
        let shaped = in_shape(long).unwrap();
        assert_eq!(shaped.conditions[0].message.as_ref().unwrap().len(), CONDITION_MESSAGE_BYTES_MAX);
        let mut twice = said(1, "failed");
        twice.conditions.push(twice.conditions[0].clone());
        assert!(in_shape(twice).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_policy_is_kept_without_what_a_terminal_would_obey() {
        let mut broken = said(1, "in_order");
        let message = format!("\u{1b}[2Jline 7\n{}", "x".repeat(CONDITION_MESSAGE_BYTES_MAX));
        broken.policy_unusable = Some(PolicyUnusable { message, since: Millis(1) });
        let message = in_shape(broken).unwrap().policy_unusable.unwrap().message;
        assert!(message.starts_with("\u{fffd}[2Jline 7\u{fffd}x"), "{message}");
        assert!(message.len() <= CONDITION_MESSAGE_BYTES_MAX);
    }
}
