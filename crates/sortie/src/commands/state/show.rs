//! `sortie state show`: what stands in a layer.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::desired::LayerName;

use super::shown::pretty;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::output::ago;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state show org > org.json\n  sortie state show site:berlin --draft\n  \
                        sortie state show node:box-7 --revision 3\n\n\
                        What one node should be, all layers together, shows `sortie state node NAME`.")]
pub(super) struct Show {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// Show the draft
    #[arg(long)]
    draft: bool,
    /// Show what this revision said
    #[arg(long, value_name = "REVISION", conflicts_with = "draft")]
    revision: Option<u64>,
}

/// Prints it.
pub(super) async fn run(show: Show, hub: &Hub, context: &Context) -> Done {
    let (layer, output) = (&show.layer, context.output);
    if let Some(revision) = show.revision {
        let publication = hub.revision(layer, revision).await?;
        return output.either(&publication, |publication| {
            output.lines(pretty(publication.state.as_ref().unwrap_or_default()).lines().map(str::to_owned))
        });
    }
    let shown = hub.layer(layer).await?;
    if show.draft && shown.draft.is_none() {
        let begin = context.next_command(&format!("state edit {layer}"));
        return Err(Failure::other(format!("the layer {layer} has no draft")).remedy(format!("`{begin}` begins one")));
    }
    output.either(&shown, |shown| {
        let now = context.clock.now();
        match (&shown.draft, show.draft) {
            (Some(draft), true) => {
                output.say(&format!(
                    "A draft on revision {}, changed {} by {}.",
                    draft.based_on,
                    ago(now, draft.changed_at),
                    draft.changed_by
                ));
                output.lines(pretty(&draft.state).lines().map(str::to_owned))
            }
            (draft, _) => {
                output.say(&match shown.stands {
                    0 => "Nothing stands in this layer yet.".to_owned(),
                    stands => format!("Revision {stands} stands."),
                });
                if let Some(running) = &shown.running {
                    let watch = context.next_command(&format!("state watch {}", running.id));
                    output.say(&format!("Revision {} is going out: `{watch}`", running.revision));
                }
                if let Some(draft) = draft {
                    let when = ago(now, draft.changed_at);
                    output.say(&format!("There is a draft, changed {when} by {}.", draft.changed_by));
                }
                output.lines(pretty(&shown.state).lines().map(str::to_owned))
            }
        }
    })
}
