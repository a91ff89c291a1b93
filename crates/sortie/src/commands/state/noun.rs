//! The verbs of `sortie state`.

use clap::{Args, Subcommand};
use sortie_rules::desired::LayerName;
use sortie_rules::ids::PublicationId;

use super::{diff, edit, history, kinds, node, publish, pull, show, sign, watch};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie state` takes.
#[derive(Debug, Args)]
pub(crate) struct StateCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Change a layer in an editor, see what that means, and publish it if you like
    Edit(edit::Edit),
    /// Show what differs between the draft of a layer and what stands, or between two revisions
    Diff(diff::Diff),
    /// Give a layer's draft, or a file, to the nodes
    Publish(publish::Publish),
    /// List what was published for a layer, newest first
    History(history::History),
    /// Publish what an earlier revision said once more
    Rollback(publish::Rollback),
    /// Print what stands in a layer
    Show(show::Show),
    /// Show what a node should be, layer by layer, and how it stands
    Node(node::NodeState),
    /// Take what a node really runs over into the draft of its layer
    Pull(pull::Pull),
    /// Sign resources of a draft with an operator's key, for sites that take them only so
    Sign(sign::Sign),
    /// Throw the draft of a layer away
    #[command(after_help = "Example: sortie state discard site:berlin")]
    Discard {
        /// org, site:KEY or node:NAME
        #[arg(value_name = "LAYER")]
        layer: LayerName,
    },
    /// Follow a publication until it is over
    Watch(watch::Watch),
    /// Let a publication go no further
    #[command(after_help = "Example: sortie state stop 01980c5e-7d1a-7c3e-9b7e-0123456789ab --roll-back")]
    Stop {
        /// The publication's id
        id: PublicationId,
        /// Give nodes that have it what they had before
        #[arg(long)]
        roll_back: bool,
    },
    /// List the kinds of resources that can be published, or show what may stand in the spec of one
    Kinds(kinds::Kinds),
}

/// Does it.
pub(crate) async fn run(command: StateCommand, context: &Context) -> Done {
    let options = &command.hub;
    match command.verb {
        Verb::Edit(edit) => edit::run(edit, options, context).await,
        Verb::Diff(diff) => diff::run(diff, &context.hub(options)?, context).await,
        Verb::Publish(publish) => publish::run(publish, options, context).await,
        Verb::History(history) => history::run(history, &context.hub(options)?, context).await,
        Verb::Rollback(rollback) => publish::roll_back(rollback, options, context).await,
        Verb::Show(show) => show::run(show, &context.hub(options)?, context).await,
        Verb::Node(node) => node::run(node, &context.hub(options)?, context).await,
        Verb::Pull(pull) => pull::run(pull, &context.hub(options)?, context).await,
        Verb::Sign(sign) => sign::run(sign, options, context).await,
        Verb::Discard { layer } => {
            let after = context.hub(options)?.discard_draft(&layer).await?;
            context.output.either(&after, |_| {
                context.output.say(&format!("The layer {layer} has no draft any more."));
                Ok(())
            })
        }
        Verb::Watch(watch) => watch::run(watch, &context.patient_hub(options)?, context).await,
        Verb::Stop { id, roll_back } => {
            let after = context.hub(options)?.stop_publication(id, roll_back).await?;
            context.output.either(&after, |after| {
                context.output.say(&format!("The publication is {}.", after.status.as_str().replace('_', " ")));
                Ok(())
            })
        }
        Verb::Kinds(kinds) => kinds::run(kinds, &context.hub(options)?, context).await,
    }
}
