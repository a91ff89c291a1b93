//! `sortie state history`: what was published for a layer.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::desired::LayerName;
use sortie_wire::desired::PublicationQuery;

use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie state history org")]
pub(super) struct History {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    #[command(flatten)]
    pages: Pages,
}

/// Prints it.
pub(super) async fn run(history: History, hub: &Hub, context: &Context) -> Done {
    let page = history
        .pages
        .read(|after, limit| {
            let query = PublicationQuery { after: after.and_then(|after| after.parse().ok()), limit };
            let (hub, layer) = (hub.clone(), history.layer.clone());
            async move { hub.history(&layer, &query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        tell_rest(page, "Nothing was published for this layer yet.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["revision", "published", "by", "nodes", "status", "publication", "message"]);
        for one in &page.items {
            table.row([
                one.revision.to_string(),
                ago(now, one.published_at),
                one.published_by.clone(),
                one.nodes.to_string(),
                one.status.as_str().replace('_', " "),
                one.id.to_string(),
                one.message.clone(),
            ]);
        }
        output.table(&table)
    })
}
