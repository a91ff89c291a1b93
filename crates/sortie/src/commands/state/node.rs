//! `sortie state node`: what a node should be, and how it stands.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::desired::Layer;
use sortie_rules::tasks::Code;
use sortie_wire::desired::NodeDesired;

use super::shown::{conditions, enforced, pretty, standing};
use crate::context::Context;
use crate::exit::Done;
use crate::output::{ago, details, moment};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state node box-7\n  sortie state node box-7 --layers\n  \
                        sortie state node box-7 --json | jq .observed.conditions")]
pub(super) struct NodeState {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
    /// Print the merged state, and which layer each value of it comes from
    #[arg(long)]
    layers: bool,
}

/// Prints it.
pub(super) async fn run(asked: NodeState, hub: &Hub, context: &Context) -> Done {
    let desired = hub.node_desired(&asked.node).await?;
    let output = context.output;
    output.either(&desired, |desired| {
        if asked.layers {
            output.say(&format!("What {} should be, generation {}:", desired.node_name, desired.generation));
            output.lines(pretty(&desired.state).lines().map(str::to_owned))?;
            output.line("")?;
            return output.lines(origins(desired));
        }
        output.lines(details(&rows(desired, context), output.colours()))?;
        let now = context.clock.now();
        if let Some(found) = desired.observed.as_ref().filter(|found| !found.observed.conditions.is_empty()) {
            output.line("")?;
            output.table(&conditions(&found.observed.conditions, now))?;
        }
        if !desired.enforced.is_empty() {
            output.line("")?;
            output.table(&enforced(&desired.enforced, now))?;
        }
        Ok(())
    })
}

/// Which layer each value comes from. Keys of data stand in the pointers, and those may come from a node: what a
/// terminal would obey is left out.
fn origins(desired: &NodeDesired) -> impl Iterator<Item = String> {
    desired.origins.iter().map(|(pointer, layer)| format!("{layer:<5} {}", pointer.replace(char::is_control, " ")))
}

fn rows(desired: &NodeDesired, context: &Context) -> Vec<(&'static str, String)> {
    let (now, colours) = (context.clock.now(), context.output.colours());
    let layers = desired.layers.iter().map(|part| match (part.layer, &part.of) {
        (Layer::Site, Some(site)) => format!("site:{site} revision {}", part.revision),
        (layer, _) => format!("{layer} revision {}", part.revision),
    });
    let layers: Vec<String> = layers.collect();
    let mut rows = vec![
        ("node", desired.node_name.clone()),
        ("generation", desired.generation.to_string()),
        ("layers", if layers.is_empty() { "nothing was published for it".to_owned() } else { layers.join(", ") }),
    ];
    rows.extend(desired.released_at.map(|at| ("meant since", moment(now, at))));
    let Some(found) = &desired.observed else {
        rows.push(("standing", "it has said nothing so far".to_owned()));
        return rows;
    };
    rows.push(("standing", standing(found.standing, colours)));
    rows.push(("accepted", format!("generation {}", found.observed.generation)));
    rows.push(("heard", ago(now, found.heard_at)));
    if let Some(refused) = &found.observed.refused {
        let (generation, message) = (refused.generation, &refused.message);
        rows.push(("refused", format!("generation {generation}: {message} ({})", refused.code)));
    }
    if let Some(policy) = &found.observed.policy_unusable {
        let (message, since) = (&policy.message, moment(now, policy.since));
        rows.push(("policy", format!("{}: {message} (since {since}); nothing is looked at", Code::POLICY_UNUSABLE)));
    }
    rows
}
