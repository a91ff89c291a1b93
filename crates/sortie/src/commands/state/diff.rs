//! `sortie state diff`: what differs between two states of a layer.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::desired::LayerName;
use sortie_wire::desired::{Diff as Found, DiffQuery};

use super::differences::lines;
use crate::context::Context;
use crate::exit::Done;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state diff org\n  sortie state diff site:berlin --from 3 --to 5\n\n\
                        Without --from it begins with what stands, without --to it ends with the draft.")]
pub(super) struct Diff {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// The revision to compare with
    #[arg(long, value_name = "REVISION")]
    from: Option<u64>,
    /// The revision that is compared
    #[arg(long, value_name = "REVISION")]
    to: Option<u64>,
}

/// Prints it.
pub(super) async fn run(diff: Diff, hub: &Hub, context: &Context) -> Done {
    let found = hub.layer_diff(&diff.layer, &DiffQuery { from: diff.from, to: diff.to }).await?;
    context.output.either(&found, |found| {
        tell(found, context);
        context.output.lines(lines(&found.changes, context.output.colours()))
    })
}

/// Says how much it is.
pub(super) fn tell(found: &Found, context: &Context) {
    let nodes = if found.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", found.nodes) };
    context.output.say(&match found.changes.len() {
        0 => "Nothing differs.".to_owned(),
        1 => format!("One resource differs; {nodes} would get it."),
        many => format!("{many} resources differ; {nodes} would get them."),
    });
}
