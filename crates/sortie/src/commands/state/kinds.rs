//! `sortie state kinds`: which resources can be published, and what may stand in the spec of a kind.

use clap::Args;
use sortie_client::people::Hub;
use sortie_wire::desired::ResourceKind;

use super::shown::pretty;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::output::{Table, details};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state kinds\n  sortie state kinds file\n  \
                        sortie state kinds file --json | jq .schema")]
pub(super) struct Kinds {
    /// Show this kind with the JSON Schema of its spec
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

/// Prints them.
pub(super) async fn run(kinds: Kinds, hub: &Hub, context: &Context) -> Done {
    let (all, output) = (hub.resource_kinds().await?, context.output);
    let Some(name) = kinds.kind else {
        return output.either(&all, |all| {
            let mut table = Table::new(["kind", "pack", "what it is"]);
            for kind in &all.items {
                table.row([kind.name.clone(), kind.pack.clone(), kind.summary.clone()]);
            }
            output.table(&table)
        });
    };
    let Some(kind) = all.items.iter().find(|kind| kind.name == name) else {
        let known: Vec<&str> = all.items.iter().map(|kind| kind.name.as_str()).collect();
        return Err(Failure::usage(format!("there is no resource kind `{name}`; known are {}", known.join(", "))));
    };
    output.either(kind, |kind| {
        output.lines(details(&rows(kind), output.colours()))?;
        output.line("")?;
        output.lines(pretty(&kind.schema).lines().map(str::to_owned))
    })
}

fn rows(kind: &ResourceKind) -> Vec<(&'static str, String)> {
    let mut rows = vec![("kind", kind.name.clone()), ("pack", kind.pack.clone()), ("what it is", kind.summary.clone())];
    let mut list = |what, pointers: &[String]| {
        if !pointers.is_empty() {
            rows.push((what, pointers.join(", ")));
        }
    };
    list("stays at the hub", &kind.hub_only);
    list("one of a node's", &kind.unique);
    rows.extend(kind.enforcer.map(|enforcer| ("enforced by", format!("the hub ({})", enforcer.as_str()))));
    rows.push(("spec", "what fits says this JSON Schema".to_owned()));
    rows
}
