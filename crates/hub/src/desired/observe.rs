//! Hears how a node stands to what it should be. Facts: nothing here writes what is meant.

use std::collections::BTreeSet;

use serde_json::json;
use sortie_rules::desired::{Condition, ResourceKey, Standing, merge, read, standing};
use sortie_rules::limits::{CONDITION_MESSAGE_BYTES_MAX, GENERATION_MAX, NAME_BYTES_MAX, RESOURCES_MAX};
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::desired::pins;
use sortie_wire::desired::Observed;
use sortie_wire::problem::ProblemCode;

use super::node::parts;
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
                    let parts = parts(tx, &shared, &pins).await?;
                    let resources = read(&merge(parts.iter().map(|part| &part.state))).unwrap_or_default();
                    let kinds = shared.kinds.load();
                    known = resources.into_keys().filter(|key| !kinds.is_enforced(&key.kind)).collect();
                    said.conditions.retain(|one| known.contains(&one.resource));
                }
                let now_stands = stands(&said, meant, &known);
                let before = observed::standing(tx, node).await?.map(|(_, standing)| standing);
                let document = serde_json::to_string(&said).map_err(|error| Fault::Broken(error.to_string()))?;
                let generation = said.generation;
                let row = ObservedRow { node, org, generation, standing: now_stands, document, heard_at: now };
                observed::put(tx, &row).await?;
                let kind = match now_stands {
                    Standing::Converged => "desired.converged",
                    Standing::Drifted => "desired.drifted",
                    Standing::Failing => "desired.failing",
                    Standing::Converging => return Ok(()),
                };
                if before != Some(now_stands) {
                    let data = json!({ "generation": generation });
                    events::record(tx, Record::new(org, now, kind, &name).node(node).data(&data)).await?;
                }
                Ok::<_, Fault>(())
            })
        })
        .await?;
    app.desired.nudge();
    Ok(())
}

/// How a node stands by what it says: it converges while it has not accepted what is meant for it, or has not spoken
/// of all its resources; it fails if it refuses what is meant.
fn stands(said: &Observed, meant: u64, known: &BTreeSet<ResourceKey>) -> Standing {
    let refuses = said.refused.as_ref().is_some_and(|refused| refused.generation > said.generation);
    if refuses {
        return Standing::Failing;
    }
    let together = standing(&said.conditions);
    let is_whole = said.generation == meant && said.conditions.len() >= known.len();
    if together == Standing::Converged && !is_whole || said.generation < meant {
        Standing::Converging
    } else {
        together
    }
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
    Ok(said)
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

    fn said(generation: u64, status: &str) -> Observed {
        let condition = json!({ "resource": "file/a", "status": status, "since": 1 });
        serde_json::from_value(json!({ "generation": generation, "conditions": [condition] })).unwrap()
    }

    #[test]
    fn a_node_stands_by_what_is_meant_for_it() {
        let known: BTreeSet<ResourceKey> = ["file/a".parse().unwrap()].into();
        let two: BTreeSet<ResourceKey> = ["file/a".parse().unwrap(), "file/b".parse().unwrap()].into();
        assert_eq!(stands(&said(5, "in_order"), 5, &known), Standing::Converged);
        assert_eq!(stands(&said(4, "in_order"), 5, &known), Standing::Converging);
        assert_eq!(stands(&said(4, "failed"), 5, &known), Standing::Converging);
        assert_eq!(stands(&said(5, "failed"), 5, &known), Standing::Failing);
        assert_eq!(stands(&said(5, "in_order"), 5, &two), Standing::Converging, "it has not spoken of all");
        let mut refused = said(4, "in_order");
        refused.refused = serde_json::from_value(json!({ "generation": 5, "code": "x", "message": "y" })).unwrap();
        assert_eq!(stands(&refused, 5, &known), Standing::Failing);
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
}
